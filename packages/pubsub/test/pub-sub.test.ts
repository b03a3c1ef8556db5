import { eventually } from "@alkdev/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createInProcessEventTarget, createPubSub, type EventEnvelope } from "../src/index.ts";

interface Events {
  "graph:created": { graphId: string };
  count: number;
}

const targets: { close(): void }[] = [];
afterEach(() => {
  for (const target of targets.splice(0)) target.close();
});

const code = (expected: string) => expect.objectContaining({ code: expected });

/** A target that shows which topics have listeners. */
function watchedTarget() {
  const target = createInProcessEventTarget();
  targets.push(target);
  const live = new Set<unknown>();
  return {
    target: {
      addEventListener: (type: string, callback: never) => {
        live.add(callback);
        target.addEventListener(type, callback);
      },
      removeEventListener: (type: string, callback: never) => {
        live.delete(callback);
        target.removeEventListener(type, callback);
      },
      dispatchEvent: (event: never) => target.dispatchEvent(event),
    },
    listeners: () => live.size,
  };
}

describe("createPubSub (M19)", () => {
  it("refuses reserved and empty types, ids that are no strings, and anything after close", () => {
    const pubsub = createPubSub<Record<string, unknown>>();
    expect(() => pubsub.publish("__subscribe" as never, "", {})).toThrow(code("RESERVED_TYPE"));
    expect(() => pubsub.subscribe("__x" as never, "")).toThrow(code("RESERVED_TYPE"));
    expect(() => pubsub.publish("", "", {})).toThrow(code("INVALID_ARGUMENT"));
    expect(() => pubsub.publish("a", 1 as never, {})).toThrow(code("INVALID_ARGUMENT"));
    expect(() => pubsub.subscribe("a", "", { buffer: { capacity: 0 } })).toThrow(
      code("INVALID_ARGUMENT"),
    );
    expect(() => pubsub.subscribe("a", "", { buffer: { capacity: Number.NaN } })).toThrow(
      code("INVALID_ARGUMENT"),
    );
    pubsub.close();
    pubsub.close();
    expect(() => pubsub.publish("a", "", {})).toThrow(code("CLOSED"));
    expect(() => pubsub.subscribe("a", "")).toThrow(code("CLOSED"));
  });

  it("listens from the call of subscribe, not from the first next", async () => {
    const pubsub = createPubSub<Events>();
    pubsub.publish("count", "x", 0);
    const counts = pubsub.subscribe("count", "x");
    pubsub.publish("count", "x", 1);
    pubsub.publish("count", "y", 2);
    pubsub.publish("count", "x", 3);
    expect((await counts.next()).value).toEqual({ type: "count", id: "x", payload: 1 });
    expect((await counts.next()).value).toEqual({ type: "count", id: "x", payload: 3 });
  });

  it("answers calls of next in their order", async () => {
    const pubsub = createPubSub<Events>();
    const counts = pubsub.subscribe("count", "");
    const reads = [counts.next(), counts.next(), counts.next()];
    for (const n of [1, 2, 3]) pubsub.publish("count", "", n);
    const results = await Promise.all(reads);
    expect(results.map((result) => result.value?.payload)).toEqual([1, 2, 3]);
  });

  it("tells topics apart that read the same", async () => {
    const pubsub = createPubSub<{ a: number; "a:b": number }>();
    const short = pubsub.subscribe("a", "b:c");
    const long = pubsub.subscribe("a:b", "c");
    pubsub.publish("a:b", "c", 1);
    pubsub.publish("a", "b:c", 2);
    expect((await short.next()).value?.payload).toBe(2);
    expect((await long.next()).value?.payload).toBe(1);
  });

  it("releases its listener on break, return, abort, dispose and close, once each", async () => {
    const { target, listeners } = watchedTarget();
    const pubsub = createPubSub<Events>({ eventTarget: target });
    const controller = new AbortController();

    const broken = pubsub.subscribe("count", "");
    pubsub.publish("count", "", 1);
    for await (const _ of broken) break;
    const returned = pubsub.subscribe("count", "");
    await returned.return();
    await returned.return();
    {
      await using _disposed = pubsub.subscribe("count", "");
      expect(listeners()).toBe(1);
    }
    const aborted = pubsub.subscribe("count", "", { signal: controller.signal });
    const pending = aborted.next();
    controller.abort();
    expect(await pending).toEqual({ done: true, value: undefined });
    const never = pubsub.subscribe("count", "", { signal: AbortSignal.abort() });
    expect((await never.next()).done).toBe(true);
    expect(listeners()).toBe(0);

    const closed = pubsub.subscribe("count", "");
    pubsub.publish("count", "", 2);
    pubsub.close();
    expect(listeners()).toBe(0);
    expect((await closed.next()).value?.payload).toBe(2);
    expect((await closed.next()).done).toBe(true);
  });

  it("does not close the target it was given", () => {
    const target = createInProcessEventTarget();
    targets.push(target);
    createPubSub({ eventTarget: target }).close();
    expect(target.dispatchEvent(new CustomEvent("a") as never)).toBe(true);
  });

  it("ends with BUFFER_OVERFLOW after what is buffered when a consumer is too slow", async () => {
    const { target, listeners } = watchedTarget();
    const pubsub = createPubSub<Events>({ eventTarget: target, buffer: { capacity: 2 } });
    const counts = pubsub.subscribe("count", "");
    for (const n of [1, 2, 3, 4]) pubsub.publish("count", "", n);
    expect(listeners()).toBe(0);
    expect((await counts.next()).value?.payload).toBe(1);
    expect((await counts.next()).value?.payload).toBe(2);
    await expect(counts.next()).rejects.toThrow(code("BUFFER_OVERFLOW"));
    expect((await counts.next()).done).toBe(true);
  });

  it("drops the oldest or the newest when told so", async () => {
    const pubsub = createPubSub<Events>();
    const read = async (overflow: "drop-oldest" | "drop-newest") => {
      const counts = pubsub.subscribe("count", "", { buffer: { capacity: 2, overflow } });
      for (const n of [1, 2, 3, 4]) pubsub.publish("count", "", n);
      const kept = [(await counts.next()).value?.payload, (await counts.next()).value?.payload];
      await counts.return();
      return kept;
    };
    expect(await read("drop-oldest")).toEqual([3, 4]);
    expect(await read("drop-newest")).toEqual([1, 2]);
  });

  it("with overflow wait, confirms an event when the consumer comes back for the next", async () => {
    const results: unknown[] = [];
    const waiting = {
      listener: undefined as undefined | ((event: never) => unknown),
      addEventListener: (_: string, callback: never) => {
        waiting.listener = callback;
      },
      removeEventListener: () => {},
      dispatchEvent: (event: never) => {
        const index = results.push("pending") - 1;
        Promise.resolve(waiting.listener?.(event)).then(
          () => (results[index] = "confirmed"),
          (error) => (results[index] = error.code),
        );
        return true;
      },
    };
    const pubsub = createPubSub<Events>({ eventTarget: waiting });
    const counts = pubsub.subscribe("count", "", { buffer: { overflow: "wait" } });
    for (const n of [1, 2, 3]) pubsub.publish("count", "", n);
    await counts.next();
    expect(results).toEqual(["pending", "pending", "pending"]);
    await counts.next();
    await eventually("the first is confirmed", () => results[0] === "confirmed");
    expect(results).toEqual(["confirmed", "pending", "pending"]);
    await counts.return();
    await eventually("the rest is given back", () => results[2] === "CLOSED");
    expect(results).toEqual(["confirmed", "CLOSED", "CLOSED"]);
  });

  it("ignores what is no envelope and reports it", async () => {
    const target = createInProcessEventTarget();
    targets.push(target);
    const onError = vi.fn();
    const pubsub = createPubSub<Events>({ eventTarget: target, onError });
    const counts = pubsub.subscribe("count", "");
    for (const detail of [null, 1, "x", [], {}, { type: "count" }]) {
      target.dispatchEvent(new CustomEvent("count:", { detail }) as never);
    }
    pubsub.publish("count", "", 7);
    expect((await counts.next()).value?.payload).toBe(7);
    expect(onError).toHaveBeenCalledTimes(6);
    expect(onError.mock.calls[0]?.[0]).toEqual(code("INVALID_ENVELOPE"));
  });

  it("checks payloads on both sides when given validate", async () => {
    const target = createInProcessEventTarget();
    targets.push(target);
    const onError = vi.fn();
    const validate = ({ payload }: EventEnvelope): void => {
      if (typeof payload !== "number") throw new Error("must be a number");
    };
    const strict = createPubSub<Events>({ eventTarget: target, validate, onError });
    const lax = createPubSub<Record<string, unknown>>({ eventTarget: target });
    const counts = strict.subscribe("count", "");
    expect(() => strict.publish("count", "", "1" as never)).toThrow(
      'the payload of "count:": must be a number',
    );
    lax.publish("count", "", "not a number");
    lax.publish("count", "", 1);
    expect((await counts.next()).value?.payload).toBe(1);
    expect(onError).toHaveBeenCalledOnce();
    expect(onError.mock.calls[0]?.[0]).toEqual(code("INVALID_PAYLOAD"));
  });

  it("keeps up with a slow buffer for 200,000 events", async () => {
    const pubsub = createPubSub<Events>();
    const counts = pubsub.subscribe("count", "", { buffer: { capacity: 10 } });
    let sum = 0;
    for (let n = 0; n < 100_000; n++) {
      pubsub.publish("count", "", n);
      pubsub.publish("count", "", n);
      sum += (await counts.next()).value?.payload ?? 0;
      sum += (await counts.next()).value?.payload ?? 0;
    }
    expect(sum).toBe(2 * (99_999 * 50_000));
  });
});
