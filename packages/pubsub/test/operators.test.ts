import { eventually } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  batch,
  chain,
  createPubSub,
  dedupe,
  filter,
  flat,
  groupBy,
  join,
  map,
  type Operator,
  pipe,
  reduce,
  take,
  toArray,
  window,
} from "../src/index.ts";

/** A source that says how often it was cancelled, and can be left without a value. */
function source<A>(values: readonly A[], ending: "end" | "wait" | "fail" = "end") {
  let cancelled = 0;
  let index = 0;
  let release: (result: IteratorResult<A>) => void = () => {};
  return {
    get cancelled() {
      return cancelled;
    },
    get read() {
      return index;
    },
    [Symbol.asyncIterator]() {
      return {
        next: async (): Promise<IteratorResult<A>> => {
          if (index < values.length) return { done: false, value: values[index++] as A };
          if (ending === "fail") throw new Error("source failed");
          if (ending === "end") return { done: true, value: undefined };
          return new Promise((resolve) => {
            release = resolve;
          });
        },
        return: async (): Promise<IteratorResult<A>> => {
          cancelled += 1;
          release({ done: true, value: undefined });
          return { done: true, value: undefined };
        },
      };
    },
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const collect = <A>(values: AsyncIterable<A>) => toArray<A>()(values);
const code = (expected: string) => expect.objectContaining({ code: expected });

const operators: Record<string, Operator<number, unknown>> = {
  filter: filter<number>(() => true),
  map: map((n) => n),
  take: take(100),
  batch: batch({ size: 1 }),
  dedupe: dedupe(),
  window: window({ size: 2 }),
  flat: (values) => flat<number>()(map((n: number) => [n])(values)),
  groupBy: groupBy((n: number) => n),
  chain: chain(source([9])),
  join: join(source(numbers(3), "wait"), { left: (n) => n, right: (n) => n }),
};

describe("operators (M19)", () => {
  describe.each(Object.entries(operators))("%s", (_, operator) => {
    it("cancels its source when the loop is left", async () => {
      const input = source(numbers(5), "wait");
      for await (const _ of operator(input)) break;
      expect(input.cancelled).toBeGreaterThanOrEqual(1);
    });

    it("cancels its source when it was never read, and then is done", async () => {
      const input = source(numbers(5), "wait");
      const output = operator(input);
      await output.return();
      expect(input.cancelled).toBe(1);
      expect((await output.next()).done).toBe(true);
    });

    it("cancels its source while a next is waiting", async () => {
      const input = source<number>([], "wait");
      const output = operator(input);
      const pending = output.next();
      await eventually("the source is asked", () => input.read === 0);
      await output.return();
      expect((await pending).done).toBe(true);
      expect(input.cancelled).toBe(1);
    });

    it("hands on the failure of its source", async () => {
      await expect(collect(operator(source<number>([], "fail")))).rejects.toThrow("source failed");
    });
  });

  it.each([
    ["filter", filter<number>(() => fail())],
    ["map", map<number, number>(() => fail())],
    ["dedupe", dedupe<number>({ key: () => fail() })],
    ["groupBy", groupBy<number, number>(() => fail())],
    ["join", join<number, number>(source([]), { left: () => fail(), right: () => fail() })],
  ])("%s cancels its source when its function throws", async (_, operator) => {
    const input = source([1, 2], "wait");
    await expect(collect(operator(input) as AsyncIterable<unknown>)).rejects.toThrow("callback");
    expect(input.cancelled).toBe(1);
  });

  it.each([
    () => take(-1),
    () => take(1.5),
    () => batch({ size: 0 }),
    () => batch({ size: 1, maxWaitMs: -1 }),
    () => dedupe({ memory: 0 }),
    () => window({ size: 0 }),
    () => window({ durationMs: Number.NaN }),
    () => groupBy((n) => n, { maxGroups: 0 }),
    () => join(source([]), { left: (n) => n, right: (n) => n, memory: 0 }),
  ])("refuses sizes that make no sense: %s", (make) => {
    expect(make).toThrow(code("INVALID_ARGUMENT"));
  });

  it("filter, map, take, reduce and pipe do what arrays do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.nat(20), async (values, count) => {
        const result = pipe(
          source(values),
          filter((n) => n % 2 === 0),
          map(async (n) => n * 3),
          take(count),
          reduce((sum, n) => sum + n, 0),
        );
        const expected = values
          .filter((n) => n % 2 === 0)
          .map((n) => n * 3)
          .slice(0, count)
          .reduce((sum, n) => sum + n, 0);
        expect(await result).toBe(expected);
      }),
    );
  });

  it("take lets go of its source with the last value, not with the next question", async () => {
    const input = source(numbers(5), "wait");
    const output = take<number>(2)(input);
    await output.next();
    expect(input.cancelled).toBe(0);
    await output.next();
    expect(input.cancelled).toBeGreaterThan(0);
    expect(input.read).toBe(2);
  });

  it("reduce cancels its source when the reducer throws", async () => {
    const input = source([1], "wait");
    await expect(reduce<number, number>(() => fail(), 0)(input)).rejects.toThrow("callback");
    expect(input.cancelled).toBe(1);
  });

  it("a pipe hears what is published between subscribe and the first next", async () => {
    const pubsub = createPubSub<{ n: number }>();
    const doubled = pipe(
      pubsub.subscribe("n", ""),
      map((event) => event.payload * 2),
    );
    pubsub.publish("n", "", 21);
    expect((await doubled.next()).value).toBe(42);
  });

  describe("batch", () => {
    it("gives full batches and then the rest", async () => {
      expect(await collect(batch<number>({ size: 2 })(source(numbers(5))))).toEqual([
        [0, 1],
        [2, 3],
        [4],
      ]);
    });

    it("hands on what is there after maxWaitMs, and loses nothing", async () => {
      const pubsub = createPubSub<{ n: number }>();
      const batches = pipe(
        pubsub.subscribe("n", ""),
        map((event) => event.payload),
        batch({ size: 10, maxWaitMs: 5 }),
      );
      pubsub.publish("n", "", 1);
      pubsub.publish("n", "", 2);
      expect((await batches.next()).value).toEqual([1, 2]);
      pubsub.publish("n", "", 3);
      expect((await batches.next()).value).toEqual([3]);
    });

    it("hands on what is there before a failure", async () => {
      const batches = batch<number>({ size: 10 })(source([1, 2], "fail"));
      expect((await batches.next()).value).toEqual([1, 2]);
      await expect(batches.next()).rejects.toThrow("source failed");
    });
  });

  it("dedupe forgets the key not seen for longest", async () => {
    const output = dedupe<number>({ memory: 2 })(source([1, 1, 2, 1, 3, 1, 2]));
    expect(await collect(output)).toEqual([1, 2, 3, 2]);
  });

  describe("window", () => {
    it("slides by count, each window a fresh array", async () => {
      const windows = await collect(window<number>({ size: 2 })(source([1, 2, 3])));
      expect(windows).toEqual([[1], [1, 2], [2, 3]]);
      expect(await collect(window<number>({ size: 3, every: 2 })(source(numbers(5))))).toEqual([
        [0, 1],
        [1, 2, 3],
      ]);
    });

    it("slides by time, with the clock it is given", async () => {
      let at = 0;
      const now = () => (at += 10);
      const windows = window<number>({ durationMs: 20, now })(source(numbers(4)));
      expect(await collect(windows)).toEqual([[0], [0, 1], [1, 2], [2, 3]]);
    });
  });

  it("flat goes one level deep, through both kinds of sequences, and cancels the inner one", async () => {
    const inner = source([3, 4], "wait");
    const output = flat<number>()(source([[1, 2], inner, [5]], "wait"));
    for (const expected of [1, 2, 3]) expect((await output.next()).value).toBe(expected);
    await output.return();
    expect(inner.cancelled).toBe(1);
  });

  it("chain goes through its sources in turn and cancels those still to come", async () => {
    expect(await collect(chain(source([3]), source([4]))(source([1, 2])))).toEqual([1, 2, 3, 4]);
    const later = source([9], "wait");
    for await (const _ of chain(later)(source([1]))) break;
    expect(later.cancelled).toBe(1);
  });

  describe("join", () => {
    const key = { left: (n: number) => n % 10, right: (n: number) => n % 10 };

    it("pairs by key with the newest of the other side", async () => {
      const left = source([1, 2]);
      const right = source([11, 12, 21]);
      const pairs = await collect(join(right, key)(left));
      expect(pairs).toContainEqual([1, 11]);
      expect(pairs).toContainEqual([2, 12]);
      expect(pairs).toContainEqual([1, 21]);
      expect(pairs).toHaveLength(3);
    });

    it("remembers no more keys than told", async () => {
      const pubsub = createPubSub<{ l: number; r: number }>();
      const payload = map((event: { payload: number }) => event.payload);
      const pairs = pipe(
        pubsub.subscribe("l", ""),
        payload,
        join(payload(pubsub.subscribe("r", "")), { ...key, memory: 2 }),
      );
      const waiting = pairs.next();
      for (const n of [1, 2, 3]) pubsub.publish("l", "", n);
      await new Promise((resolve) => setImmediate(resolve));
      for (const n of [11, 12]) pubsub.publish("r", "", n);
      expect((await waiting).value).toEqual([2, 12]);
      await pairs.return();
    });
  });

  describe("groupBy", () => {
    it("gives one sequence per key", async () => {
      const result: Record<number, number[]> = {};
      const reading: Promise<void>[] = [];
      for await (const group of groupBy((n: number) => n % 3)(source(numbers(9)))) {
        reading.push(
          collect(group).then((values) => {
            result[group.key] = values;
          }),
        );
      }
      await Promise.all(reading);
      expect(result).toEqual({ 0: [0, 3, 6], 1: [1, 4, 7], 2: [2, 5, 8] });
    });

    it("goes on for the others when one group is left", async () => {
      const groups = groupBy((n: number) => n % 2)(source(numbers(6)));
      const even = (await groups.next()).value;
      const odd = (await groups.next()).value;
      await even?.return();
      expect(await collect(odd as AsyncIterable<number>)).toEqual([1, 3, 5]);
    });

    it("ends the group without news for longest when there are too many", async () => {
      const groups = groupBy((n: number) => n % 10, { maxGroups: 2 })(
        source([1, 2, 11, 3, 21, 12]),
      );
      const all = await collect(map(async (group: { key: number }) => group)(groups));
      expect(all.map((group) => group.key)).toEqual([1, 2, 3, 2]);
      const values = await Promise.all(all.map((group) => collect(group as never)));
      expect(values).toEqual([[1, 11, 21], [2], [3], [12]]);
    });

    it("bounds what a group nobody reads may collect", async () => {
      const groups = groupBy((n: number) => n % 2, { buffer: { capacity: 2 } })(
        source(numbers(20)),
      );
      const even = (await groups.next()).value as AsyncIterable<number>;
      const odd = (await groups.next()).value as AsyncIterable<number>;
      expect((await collect(odd)).length).toBe(10);
      await expect(collect(even)).rejects.toThrow(code("BUFFER_OVERFLOW"));
    });
  });
});

function fail(): never {
  throw new Error("callback failed");
}
