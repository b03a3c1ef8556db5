import { createInProcessEventTarget, pipe, toArray } from "@alkdev/pubsub";
import { eventually } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { CallError, createCaller, localEnvelope } from "../src/index.ts";
import { addSpec, code, countSpec } from "./fixtures.ts";
import { aborted, callEvent, callPair, deferred, upTo, watched } from "./protocol-fixtures.ts";

const DONE = { done: true, value: undefined };

/** A subscription `r` of somebody who answers as the test says. */
function openSubscription(options: { window?: number; idleTimeoutMs?: number } = {}) {
  const { eventTarget, ofType } = watched(createInProcessEventTarget());
  const caller = createCaller({ eventTarget, onError: () => {} });
  onTestFinished(() => caller.close());
  const answers = caller.subscribe("math.count", {}, { requestId: "r", ...options });
  const send = (type: never, payload: object): void =>
    void eventTarget.dispatchEvent(callEvent(type, "r", { requestId: "r", ...payload }));
  const respond = (sequence: number): void =>
    send("call.responded" as never, { output: localEnvelope(sequence, "math.count"), sequence });
  const complete = (sequence: number): void => send("call.completed" as never, { sequence });
  return { caller, answers, send, respond, complete, ofType };
}

describe("a remote subscription (M40)", () => {
  it("gives every answer in order, then ends, and leaves nothing behind", async () => {
    const { caller, handler, listeners, ofType } = callPair();
    const answers = await pipe(caller.subscribe(countSpec, { to: 1_000 }), toArray());
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    expect(answers[0]?.meta).toMatchObject({ source: "local", operationId: "math.count" });
    await eventually("it is over", () => handler.stats().subscriptions === 0);
    expect(caller.stats()).toMatchObject({ pending: 0, unknown: 0, duplicates: 0, reordered: 0 });
    expect(ofType("call.aborted")).toEqual([]);
    expect(listeners.size).toBe(3);
  });

  it("sends nothing before the first next, and nothing at all if there is none", async () => {
    const { caller, events } = callPair();
    const answers = caller.subscribe(countSpec, { to: 1 });
    await answers.return();
    await answers[Symbol.asyncDispose]();
    expect(await answers.next()).toEqual(DONE);
    expect(events).toEqual([]);
  });

  it("rejects as the registry does, and ends", async () => {
    const { caller } = callPair();
    const wrong = caller.subscribe("math.add", { a: 1, b: 2 });
    await expect(wrong.next()).rejects.toThrow(code("WRONG_OPERATION_TYPE"));
    expect(await wrong.next()).toEqual(DONE);
    for (const [id, expected] of [
      ["math.nothing", "OPERATION_NOT_FOUND"],
      ["math.count", "VALIDATION_ERROR"],
    ] as const) {
      await expect(caller.subscribe(id, {}).next()).rejects.toThrow(code(expected));
    }
    await expect(caller.call("math.count", { to: 1 })).rejects.toThrow(
      code("WRONG_OPERATION_TYPE"),
    );
    await expect(caller.call(addSpec, { a: 1, b: 1 })).resolves.toMatchObject({ data: 2 });
  });

  it("throws what the generator throws, after the answers that came before", async () => {
    const { caller } = callPair({
      async *count({ to }) {
        yield* upTo({ to });
        throw new CallError("COUNTED_OUT", "no more");
      },
    });
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const { data } of caller.subscribe(countSpec, { to: 3 })) seen.push(data);
    };
    await expect(read()).rejects.toMatchObject({ code: "COUNTED_OUT", message: "no more" });
    expect(seen).toEqual([1, 2, 3]);
  });

  it("ends the generator when the loop is left: return, signal, one abort", async () => {
    const ended = deferred();
    const { caller, ofType, handler } = callPair({
      async *count(input, { signal }) {
        try {
          yield* upTo(input);
        } finally {
          if (signal.aborted) ended.resolve();
        }
      },
    });
    for await (const { data } of caller.subscribe(countSpec, { to: 1e9 }, { window: 4 })) {
      if (data === 10) break;
    }
    await ended.promise;
    await eventually("it is over", () => handler.stats().subscriptions === 0);
    expect(ofType("call.aborted")).toHaveLength(1);
    expect(caller.getPendingCount()).toBe(0);
  });

  it("ends quietly by its signal, also while it waits, and reaches a generator that waits", async () => {
    const ended = deferred();
    const { caller, ofType } = callPair({
      async *count(_, { signal }) {
        yield 1;
        await aborted(signal);
        ended.resolve();
      },
    });
    const controller = new AbortController();
    const answers = caller.subscribe(countSpec, { to: 1 }, { signal: controller.signal });
    expect(await answers.next()).toMatchObject({ value: { data: 1 } });
    const waiting = answers.next();
    controller.abort();
    expect(await waiting).toEqual(DONE);
    await ended.promise;
    await answers.return();
    expect(ofType("call.aborted")).toHaveLength(1);
  });

  it("throws TIMEOUT at its deadline, after what came before", async () => {
    const { caller } = callPair({
      async *count(_, { signal }) {
        yield 1;
        await aborted(signal);
      },
    });
    const answers = caller.subscribe(countSpec, { to: 1 }, { timeoutMs: 40 });
    expect(await answers.next()).toMatchObject({ value: { data: 1 } });
    await expect(answers.next()).rejects.toThrow(code("TIMEOUT"));
    expect(await answers.next()).toEqual(DONE);
  });

  it("throws ABORTED when the caller is closed or the other side gives it up", async () => {
    const pairs = [
      callPair({ count: (_, { signal }) => untilAborted(signal) }),
      callPair({ count: (_, { signal }) => untilAborted(signal) }),
    ] as const;
    const waiting = pairs.map(({ caller }) => caller.subscribe(countSpec, { to: 1 }).next());
    pairs[0].caller.close();
    await pairs[1].handler.close();
    for (const next of waiting) await expect(next).rejects.toThrow(code("ABORTED"));
  });

  it("answers several reads at once in order", async () => {
    const { caller } = callPair();
    const answers = caller.subscribe(countSpec, { to: 2 });
    const steps = await Promise.all([answers.next(), answers.next(), answers.next()]);
    expect(steps.map(({ value }) => value?.data)).toEqual([1, 2, undefined]);
  });
});

describe("flow control (M40)", () => {
  it("pauses the generator when the window is full, and goes on as answers are read", async () => {
    let made = 0;
    const { caller, ofType } = callPair({
      async *count({ to }) {
        for (let n = 1; n <= to; n += 1) {
          made = n;
          yield n;
        }
      },
    });
    const answers = caller.subscribe(countSpec, { to: 100 }, { window: 8 });
    expect(await answers.next()).toMatchObject({ value: { data: 1 } });
    await eventually("the window is full", () => made >= 8);
    await new Promise(setImmediate);
    expect(ofType("call.responded")).toHaveLength(8);
    expect(made).toBe(8);
    const rest = await pipe(answers, toArray());
    expect(rest).toHaveLength(99);
  });

  it("works with a window of one", async () => {
    const { caller } = callPair();
    const answers = await pipe(caller.subscribe(countSpec, { to: 20 }, { window: 1 }), toArray());
    expect(answers).toHaveLength(20);
  });

  it("recovers credit that got lost, with the next heartbeat", async () => {
    let lose = true;
    const lossy = watched(createInProcessEventTarget());
    const { dispatchEvent } = lossy.eventTarget;
    lossy.eventTarget.dispatchEvent = (event) => {
      if (lose && event.type.startsWith("call.credit:")) return true;
      return dispatchEvent(event);
    };
    const { caller } = callPair({
      caller: { eventTarget: lossy.eventTarget },
      handler: { eventTarget: lossy.eventTarget },
    });
    const options = { window: 2, idleTimeoutMs: 150 };
    const answers = caller.subscribe(countSpec, { to: 5 }, options);
    expect(await answers.next()).toMatchObject({ value: { data: 1 } });
    expect(await answers.next()).toMatchObject({ value: { data: 2 } });
    await eventually("a heartbeat", () => lossy.ofType("call.heartbeat").length > 0);
    lose = false;
    expect(await pipe(answers, toArray())).toHaveLength(3);
  });

  it("ends with OVERLOADED when the other side does not count", async () => {
    const { answers, respond } = openSubscription({ window: 2 });
    const first = answers.next();
    for (const n of [1, 2, 3, 4]) respond(n);
    expect(await first).toMatchObject({ value: { data: 1 } });
    expect(await answers.next()).toMatchObject({ value: { data: 2 } });
    expect(await answers.next()).toMatchObject({ value: { data: 3 } });
    await expect(answers.next()).rejects.toThrow(code("OVERLOADED"));
  });
});

describe("signs of life (M40)", () => {
  it("keep a silent subscription open", async () => {
    const go = deferred();
    const { caller, ofType } = callPair({
      async *count() {
        await go.promise;
        yield 1;
      },
    });
    const next = caller.subscribe(countSpec, { to: 1 }, { idleTimeoutMs: 100 }).next();
    await eventually("four heartbeats", () => ofType("call.heartbeat").length >= 4);
    go.resolve();
    expect(await next).toMatchObject({ value: { data: 1 } });
  });

  it("missing, end it with TIMEOUT and take it back", async () => {
    const { answers, respond, ofType } = openSubscription({ idleTimeoutMs: 100 });
    const first = answers.next();
    respond(1);
    expect(await first).toMatchObject({ value: { data: 1 } });
    await expect(answers.next()).rejects.toMatchObject({
      code: "TIMEOUT",
      details: { reason: "silence" },
    });
    expect(ofType("call.aborted")).toHaveLength(1);
  });

  it("missing from the caller, end the generator", async () => {
    const ended = deferred();
    const { eventTarget, handler } = callPair({
      async *count(_, { signal }) {
        yield* untilAborted(signal);
        ended.resolve();
      },
    });
    const request = { requestId: "r", operationId: "math.count", input: { to: 1 } };
    // a caller that is gone right after it asked
    eventTarget.dispatchEvent(
      callEvent("call.requested", "", { ...request, idleTimeout: 60, window: 1 }),
    );
    await ended.promise;
    await eventually("it is over", () => handler.stats().subscriptions === 0);
  });
});

describe("answers out of turn (M40)", () => {
  it("are put in order, whatever the transport does with them and the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 12 }).chain((n) =>
          fc.record({
            n: fc.constant(n),
            order: fc.shuffledSubarray(
              Array.from({ length: n + 1 }, (_, i) => i + 1),
              { minLength: n + 1 },
            ),
            again: fc.array(fc.integer({ min: 1, max: n + 1 }), { maxLength: 5 }),
          }),
        ),
        async ({ n, order, again }) => {
          const { answers, respond, complete, caller } = openSubscription();
          const read = pipe(answers, toArray());
          const send = (place: number): void => (place > n ? complete(place) : respond(place));
          for (const [i, place] of order.entries()) {
            send(place);
            const repeated = again[i];
            if (repeated !== undefined && order.indexOf(repeated) <= i) send(repeated);
          }
          expect((await read).map(({ data }) => data)).toEqual(
            Array.from({ length: n }, (_, i) => i + 1),
          );
          expect(caller.getPendingCount()).toBe(0);
          caller.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it("are counted", async () => {
    const { answers, respond, complete, caller } = openSubscription();
    const read = pipe(answers, toArray());
    for (const n of [2, 1, 1, 2]) respond(n);
    complete(3);
    expect(await read).toHaveLength(2);
    expect(caller.stats()).toMatchObject({ duplicates: 2, reordered: 1 });
  });

  it.each([
    ["one in the middle", [1, 3], undefined],
    ["the last one, as a heartbeat tells", [1], 2],
  ])("are an error where one is lost: %s", async (_, arrived, announced) => {
    const { answers, respond, send } = openSubscription({ idleTimeoutMs: 100 });
    const beats = setInterval(
      () => send("call.heartbeat" as never, announced ? { sequence: announced } : {}),
      20,
    );
    onTestFinished(() => clearInterval(beats));
    const first = answers.next();
    for (const n of arrived) respond(n);
    expect(await first).toMatchObject({ value: { data: 1 } });
    await expect(answers.next()).rejects.toMatchObject({
      code: "TRANSPORT_ERROR",
      details: { received: 1 },
    });
  });

  it("are taken as they come from a side that does not number them", async () => {
    const { answers, send } = openSubscription();
    const read = pipe(answers, toArray());
    const output = localEnvelope(7, "math.count");
    send("call.responded" as never, { output });
    send("call.responded" as never, { output });
    send("call.completed" as never, {});
    expect(await read).toEqual([output, output]);
  });
});

/** A generator that yields nothing and ends when nobody waits any more. */
async function* untilAborted(signal: AbortSignal): AsyncGenerator<number> {
  await aborted(signal);
  yield* [];
}
