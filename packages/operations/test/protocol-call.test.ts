import { createInProcessEventTarget, PubSubError } from "@alkdev/pubsub";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { CallError, createCaller, isResponseEnvelope, localEnvelope } from "../src/index.ts";
import { addSpec, code } from "./fixtures.ts";
import { aborted, callEvent, callPair, deferred, watched, workSpec } from "./protocol-fixtures.ts";

const answer = localEnvelope(1, "math.add");

describe("what a caller refuses (M40)", () => {
  const eventTarget = createInProcessEventTarget();

  it.each([
    ["a route that is no text", { route: 1 }],
    ["a route of 257 characters", { route: "r".repeat(257) }],
    ["an empty replyTo", { replyTo: "" }],
    ["a timeout of 0", { timeoutMs: 0 }],
    ["a timeout of NaN", { timeoutMs: Number.NaN }],
    ["a timeout beyond 2^53", { timeoutMs: 2 ** 53 }],
    ["an idle timeout below 100 ms", { idleTimeoutMs: 99 }],
    ["a window of 0", { window: 0 }],
    ["a window of 1.5", { window: 1.5 }],
  ])("%s", (_, options) => {
    expect(() => createCaller({ eventTarget, ...options } as never)).toThrow(
      code("INVALID_ARGUMENT"),
    );
  });

  it.each([
    ["an empty operation", "", {}],
    ["an empty request id", "math.add", { requestId: "" }],
    ["a parent that is no text", "math.add", { parentRequestId: 7 }],
    ["a deadline that is a fraction", "math.add", { deadline: 1.5 }],
    ["a deadline of infinity", "math.add", { deadline: Number.POSITIVE_INFINITY }],
    ["a negative timeout", "math.add", { timeoutMs: -1 }],
    ["an idle timeout of 0", "math.add", { idleTimeoutMs: 0 }],
  ])("%s", async (_, operation, options) => {
    const caller = createCaller({ eventTarget });
    await expect(caller.call(operation, {}, options as never)).rejects.toThrow(
      code("INVALID_ARGUMENT"),
    );
    expect(() => caller.subscribe(operation, {}, options as never)).toThrow(
      code("INVALID_ARGUMENT"),
    );
    expect(caller.getPendingCount()).toBe(0);
  });

  it("a subscription with a window of 0", () => {
    const caller = createCaller({ eventTarget });
    expect(() => caller.subscribe("math.count", {}, { window: 0 })).toThrow(
      code("INVALID_ARGUMENT"),
    );
  });

  it("a request id that is open already, without touching the one that is", async () => {
    const { caller, handler } = callPair({ work: (_, { signal }) => aborted(signal) });
    const first = caller.call(workSpec, 1, { requestId: "r" });
    await expect(caller.call(workSpec, 1, { requestId: "r" })).rejects.toThrow(
      code("INVALID_ARGUMENT"),
    );
    const answers = caller.subscribe("math.count", { to: 1 }, { requestId: "r" });
    await expect(answers.next()).rejects.toThrow(code("INVALID_ARGUMENT"));
    expect(await answers.next()).toEqual({ done: true, value: undefined });
    expect(caller.getPendingCount()).toBe(1);
    await handler.close({ drainMs: 0 });
    await expect(first).rejects.toThrow(code("ABORTED"));
  });

  it("everything once it is closed", async () => {
    const { caller } = callPair();
    const answers = caller.subscribe("math.count", { to: 1 });
    caller.close();
    caller.close();
    await expect(caller.call(addSpec, { a: 1, b: 2 })).rejects.toThrow(code("CLOSED"));
    expect(() => caller.subscribe("math.count", { to: 1 })).toThrow(code("CLOSED"));
    await expect(answers.next()).rejects.toThrow(code("CLOSED"));
  });
});

describe("a call (M40)", () => {
  it.each<[string, { replyTo?: string }]>([
    ["with topics of its own", {}],
    ["with one set of topics for all", { replyTo: "caller-1" }],
  ])("is answered %s, and leaves nothing behind", async (_, caller) => {
    const pair = callPair({ caller });
    const { data, meta } = await pair.caller.call(addSpec, { a: 1, b: 2 });
    expect(data).toBe(3);
    expect(meta).toMatchObject({ source: "local", operationId: "math.add" });
    const [requested, responded] = pair.events;
    const requestId = requested?.payload["requestId"];
    expect(requested).toMatchObject({ type: "call.requested", id: "" });
    expect(responded).toMatchObject({ id: caller.replyTo ?? requestId, payload: { requestId } });
    expect(pair.caller.stats()).toMatchObject({ pending: 0, malformed: 0, unknown: 0 });
    pair.caller.close();
    expect([...pair.listeners.keys()].sort()).toEqual([
      "call.aborted:",
      "call.credit:",
      "call.requested:",
    ]);
  });

  it.each([
    ["OPERATION_NOT_FOUND", "math.nothing", {}],
    ["WRONG_OPERATION_TYPE", "math.count", { to: 1 }],
    ["VALIDATION_ERROR", "math.add", { a: 1 }],
    ["ACCESS_DENIED", "math.add", { a: 1, b: 2 }],
  ])("rejects with %s as the registry does", async (expected, operation, input) => {
    const stranger = expected === "ACCESS_DENIED" ? { identityOf: () => null } : {};
    const { caller } = callPair({ handler: stranger });
    const error = await caller.call(operation, input).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ code: expected, details: { operationId: operation } });
  });

  it("brings code, message and details of what the handler throws, and no cause", async () => {
    const { caller } = callPair({
      work: () => {
        throw new CallError("GRAPH_ARCHIVED", "it is archived", { details: { id: 1 }, cause: 2 });
      },
    });
    const error = await caller.call(workSpec, null).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "GRAPH_ARCHIVED", message: "it is archived" });
    expect(error).toMatchObject({ details: { id: 1 } });
    expect(error).not.toHaveProperty("cause");
  });

  it.each([
    ["null", null],
    ["an empty text", ""],
    ["2^53", 2 ** 53],
    ["10 MB", "x".repeat(10_000_000)],
    ["nothing", undefined],
  ])("takes %s and gives it back", async (_, value) => {
    const { caller } = callPair();
    const { data } = await caller.call(workSpec, value);
    expect(data === (value ?? null)).toBe(true);
  });

  it("tells the handler request, parent, metadata, deadline and identity", async () => {
    const { caller } = callPair({
      work: (_, context) => ({ ...context, signal: undefined, env: undefined }),
    });
    const deadline = Date.now() + 60_000;
    const { data } = await caller.call(workSpec, 1, {
      requestId: "r1",
      parentRequestId: "p1",
      metadata: { trace: "t" },
      deadline,
      timeoutMs: null,
    });
    expect(data).toMatchObject({
      requestId: "r1",
      parentRequestId: "p1",
      metadata: { trace: "t" },
      deadline,
      identity: { id: "ada" },
    });
  });

  it("is taken back by its signal: the handler's signal is aborted, the other side told once", async () => {
    const seen = deferred();
    const { caller, ofType, handler } = callPair({
      work: async (_, { signal }) => {
        await aborted(signal);
        seen.resolve();
      },
    });
    const controller = new AbortController();
    const call = caller.call(workSpec, 1, { signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await expect(call).rejects.toMatchObject({ code: "ABORTED", cause: controller.signal.reason });
    await seen.promise;
    await eventually("the call has ended", () => handler.stats().calls === 0);
    expect(ofType("call.aborted")).toHaveLength(1);
    expect(caller.getPendingCount()).toBe(0);
  });

  it("is not sent at all when its signal is aborted or its deadline over", async () => {
    const { caller, events } = callPair();
    const signal = AbortSignal.abort();
    await expect(caller.call(workSpec, 1, { signal })).rejects.toThrow(code("ABORTED"));
    await expect(caller.call(workSpec, 1, { deadline: 1 })).rejects.toThrow(code("TIMEOUT"));
    expect(events).toEqual([]);
  });

  it("ends at its deadline on both sides", async () => {
    const seen = deferred<unknown>();
    const { caller } = callPair({
      work: async (_, { signal }) => {
        await aborted(signal);
        seen.resolve(signal.reason);
      },
    });
    const error = await caller.call(workSpec, 1, { timeoutMs: 30 }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "TIMEOUT" });
    expect(await seen.promise).toBeInstanceOf(CallError);
  });

  it("ends when nobody serves it and nothing is heard", async () => {
    const eventTarget = createInProcessEventTarget();
    const caller = createCaller({ eventTarget, idleTimeoutMs: 100 });
    await expect(caller.call("math.add", {})).rejects.toMatchObject({
      code: "TIMEOUT",
      details: { reason: "silence", idleTimeout: 100 },
    });
  });

  it("outlives its idle timeout while the other side gives signs of life", async () => {
    const work = deferred<number>();
    const { caller, ofType } = callPair({ work: () => work.promise });
    const call = caller.call(workSpec, 1, { idleTimeoutMs: 100 });
    await eventually("four heartbeats", () => ofType("call.heartbeat").length >= 4);
    work.resolve(5);
    expect((await call).data).toBe(5);
  });

  it("ends with ABORTED when the other side gives it up or completes it without an answer", async () => {
    const { eventTarget, ofType } = watched(createInProcessEventTarget());
    const caller = createCaller({ eventTarget });
    for (const type of ["call.aborted", "call.completed"] as const) {
      const call = caller.call("math.add", {}, { requestId: type });
      eventTarget.dispatchEvent(callEvent(type, type, { requestId: type }));
      await expect(call).rejects.toMatchObject({ code: "ABORTED", details: { requestId: type } });
    }
    // the one of the test
    expect(ofType("call.aborted")).toHaveLength(1);
  });

  it("rejects with TRANSPORT_ERROR when it cannot be sent or listened for", async () => {
    const closed = createInProcessEventTarget();
    closed.close();
    const full = {
      ...watched(createInProcessEventTarget()).eventTarget,
      dispatchEvent: () => {
        throw new PubSubError("BUFFER_OVERFLOW", "it is full");
      },
    };
    for (const eventTarget of [closed, full]) {
      const caller = createCaller({ eventTarget, onError: () => {} });
      await expect(caller.call("math.add", {})).rejects.toMatchObject({
        code: "TRANSPORT_ERROR",
        cause: expect.any(PubSubError),
      });
      const answers = caller.subscribe("math.count", {});
      await expect(answers.next()).rejects.toThrow(code("TRANSPORT_ERROR"));
      expect(await answers.next()).toMatchObject({ done: true });
      expect(caller.getPendingCount()).toBe(0);
    }
  });

  it("is aborted by close(), once, and the handler hears of it", async () => {
    const seen = deferred();
    const { caller, ofType } = callPair({
      work: async (_, { signal }) => {
        await aborted(signal);
        seen.resolve();
      },
    });
    const call = caller.call(workSpec, 1);
    caller.close();
    await expect(call).rejects.toThrow(code("ABORTED"));
    await seen.promise;
    expect(ofType("call.aborted")).toHaveLength(1);
  });
});

describe("what comes back (M40)", () => {
  /** A caller with an open call "r", and somebody who answers as the test says. */
  function openCall() {
    const eventTarget = createInProcessEventTarget();
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const caller = createCaller({ eventTarget, replyTo: "me", onError });
    const call = caller.call("math.add", {}, { requestId: "r" });
    const send = (type: never, payload: unknown): void =>
      void eventTarget.dispatchEvent(callEvent(type, "me", payload));
    return { eventTarget, errors, caller, call, send };
  }

  it.each([
    ["no object", "call.responded", 7],
    ["null", "call.responded", null],
    ["no request id", "call.responded", { output: answer }],
    ["an empty request id", "call.responded", { requestId: "", output: answer }],
    ["an output that is no envelope", "call.responded", { requestId: "r", output: 3 }],
    ["a sequence of 0", "call.responded", { requestId: "r", output: answer, sequence: 0 }],
    ["an error without a code", "call.error", { requestId: "r", message: "m" }],
    ["a code that is no text", "call.error", { requestId: "r", code: 1, message: "m" }],
    ["a heartbeat of a fraction", "call.heartbeat", { requestId: "r", sequence: 1.5 }],
  ])("is counted and reported when malformed: %s", async (_, type, payload) => {
    const { caller, call, send, errors } = openCall();
    send(type as never, payload);
    expect(caller.stats()).toMatchObject({ malformed: 1, pending: 1 });
    expect(errors).toEqual([code("MALFORMED_EVENT")]);
    send("call.responded" as never, { requestId: "r", output: answer, extra: "ignored" });
    expect(await call).toEqual(answer);
  });

  it("is ignored and counted when it is late, again, or of nobody", async () => {
    const { caller, call, send } = openCall();
    send("call.responded" as never, { requestId: "nobody", output: answer });
    send("call.responded" as never, { requestId: "r", output: answer });
    send("call.responded" as never, { requestId: "r", output: answer });
    send("call.error" as never, { requestId: "r", code: "LATE", message: "m" });
    expect(await call).toEqual(answer);
    expect(caller.stats()).toMatchObject({ unknown: 3, pending: 0, malformed: 0 });
  });

  it("settles no call through the topics of another", async () => {
    const { eventTarget } = watched(createInProcessEventTarget());
    const caller = createCaller({ eventTarget });
    const call = caller.call("math.add", {}, { requestId: "a" });
    const other = caller.call("math.add", {}, { requestId: "b" });
    eventTarget.dispatchEvent(callEvent("call.responded", "b", { requestId: "a", output: answer }));
    expect(caller.stats()).toMatchObject({ unknown: 1, pending: 2 });
    eventTarget.dispatchEvent(callEvent("call.responded", "a", { requestId: "a", output: answer }));
    expect(isResponseEnvelope(await call)).toBe(true);
    caller.close();
    await expect(other).rejects.toThrow(code("ABORTED"));
  });

  it("never throws into the target, whatever onError does", async () => {
    const thrown: unknown[] = [];
    const eventTarget = createInProcessEventTarget({ onError: (error) => thrown.push(error) });
    const caller = createCaller({
      eventTarget,
      onError: () => {
        throw new Error("onError is broken");
      },
    });
    const warned = deferred<Error>();
    process.once("warning", warned.resolve);
    const call = caller.call("math.add", {}, { requestId: "r" });
    eventTarget.dispatchEvent(callEvent("call.error", "r", "nonsense"));
    expect((await warned.promise).message).toContain("onError is broken");
    expect(thrown).toEqual([]);
    caller.close();
    await expect(call).rejects.toThrow(code("ABORTED"));
  });
});
