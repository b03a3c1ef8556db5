import { pipe, toArray } from "@alkdev/pubsub";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../src/index.ts";
import { ada, addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";

const call = { identity: ada };

/** `math.count` with this handler. */
function counting(
  handler: (input: { to: number }, context: OperationContext) => AsyncIterable<number>,
  options: { timeoutMs?: number } = {},
) {
  const made = quietRegistry();
  made.registry.register({ ...countSpec, handler }, options);
  return made;
}

async function* upTo({ to }: { to: number }) {
  for (let n = 1; n <= to; n += 1) yield n;
}

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

describe("subscribe (M39)", () => {
  it("refuses at the call, not at the first answer", () => {
    const { registry } = counting(upTo);
    registry.register({ ...addSpec, handler: () => 1 });
    expect(() => registry.subscribe("math.nothing", {}, call)).toThrow(code("OPERATION_NOT_FOUND"));
    expect(() => registry.subscribe("math.add", {}, call)).toThrow(code("WRONG_OPERATION_TYPE"));
    expect(() => registry.subscribe("math.count", { to: 1 })).toThrow(code("ACCESS_DENIED"));
    expect(() => registry.subscribe("math.count", { to: "1" }, call)).toThrow(
      code("VALIDATION_ERROR"),
    );
  });

  it("gives each answer its envelope, then ends", async () => {
    const { registry } = counting(upTo);
    const answers = await pipe(registry.subscribe(countSpec, { to: 3 }, call), toArray());
    expect(answers.map(({ data }) => data)).toEqual([1, 2, 3]);
    expect(answers[0]?.meta).toMatchObject({ source: "local", operationId: "math.count" });
  });

  it("runs nothing before the first next, and nothing at all if there is none", async () => {
    let runs = 0;
    const { registry } = counting((input) => {
      runs += 1;
      return upTo(input);
    });
    const answers = registry.subscribe(countSpec, { to: 1 }, call);
    await answers.return();
    await answers.return();
    expect(await answers.next()).toEqual({ done: true, value: undefined });
    expect(runs).toBe(0);
  });

  it("ends the handler on break: its signal is aborted and its finally runs", async () => {
    const seen: string[] = [];
    const { registry } = counting(async function* ({ to }, { signal }) {
      signal.addEventListener("abort", () => seen.push("signal"));
      try {
        yield* upTo({ to });
      } finally {
        seen.push("finally");
      }
    });
    for await (const { data } of registry.subscribe(countSpec, { to: 9 }, call)) {
      if (data === 2) break;
    }
    expect(seen).toEqual(["signal", "finally"]);
  });

  it("ends a handler that waits, through its signal, when the caller takes the call back", async () => {
    const caller = new AbortController();
    let ended = false;
    const { registry, reported } = counting(async function* (_input, { signal }) {
      yield 1;
      await aborted(signal);
      ended = true;
      signal.throwIfAborted();
    });
    const answers = registry.subscribe(countSpec, { to: 1 }, { ...call, signal: caller.signal });
    expect((await answers.next()).value?.data).toBe(1);
    const pending = answers.next();
    caller.abort();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await answers.next()).toEqual({ done: true, value: undefined });
    expect(ended).toBe(true);
    expect(reported).toEqual([]);
  });

  it("answers a pending next at once, even if the handler never listens", async () => {
    const caller = new AbortController();
    const { registry } = counting(async function* () {
      yield await new Promise<never>(() => {});
    });
    const answers = registry.subscribe(countSpec, { to: 1 }, { ...call, signal: caller.signal });
    const pending = answers.next();
    caller.abort();
    expect((await pending).done).toBe(true);
  });

  it("releases a handler between two reads, without waiting for the next one", async () => {
    const caller = new AbortController();
    const released = Promise.withResolvers<void>();
    const { registry } = counting(async function* () {
      try {
        yield 1;
      } finally {
        released.resolve();
      }
    });
    const answers = registry.subscribe(countSpec, { to: 1 }, { ...call, signal: caller.signal });
    await answers.next();
    caller.abort();
    await released.promise;
  });

  it("throws TIMEOUT at its deadline, once", async () => {
    const { registry } = counting(
      async function* (_input, { signal }) {
        await aborted(signal);
        yield 1;
      },
      { timeoutMs: 5 },
    );
    const answers = registry.subscribe(countSpec, { to: 1 }, call);
    await expect(answers.next()).rejects.toThrow(code("TIMEOUT"));
    expect((await answers.next()).done).toBe(true);
  });

  it("ends with EXECUTION_ERROR at an answer that does not fit, and ends the handler", async () => {
    let ended = false;
    const { registry, reported } = counting(async function* () {
      try {
        yield 1;
        yield 1.5;
        yield 2;
      } finally {
        ended = true;
      }
    });
    const answers = registry.subscribe(countSpec, { to: 1 }, call);
    await answers.next();
    await expect(answers.next()).rejects.toThrow(code("EXECUTION_ERROR"));
    expect((await answers.next()).done).toBe(true);
    expect(ended).toBe(true);
    expect(reported).toHaveLength(1);
  });

  it.each<[string, () => unknown]>([
    ["throws", () => Promise.reject(new Error("broken"))],
    [
      "throws at once",
      () => {
        throw new Error("broken");
      },
    ],
  ])("maps what the handler %s", async (_name, next) => {
    const { registry, reported } = counting(
      () => ({ [Symbol.asyncIterator]: () => ({ next }) }) as never,
    );
    await expect(registry.subscribe(countSpec, { to: 1 }, call).next()).rejects.toThrow(
      code("EXECUTION_ERROR"),
    );
    expect(reported).toEqual([{ error: new Error("broken"), operationId: "math.count" }]);
  });

  it.each([1, null, undefined, [1], "ab"])(
    "refuses %j as what a handler returns",
    async (value) => {
      const { registry } = counting((() => value) as never);
      await expect(registry.subscribe(countSpec, { to: 1 }, call).next()).rejects.toThrow(
        code("EXECUTION_ERROR"),
      );
    },
  );

  it("answers several pending reads in order", async () => {
    const { registry } = counting(upTo);
    const answers = registry.subscribe(countSpec, { to: 2 }, call);
    const reads = await Promise.all([answers.next(), answers.next(), answers.next()]);
    expect(reads.map(({ value }) => value?.data)).toEqual([1, 2, undefined]);
  });
});
