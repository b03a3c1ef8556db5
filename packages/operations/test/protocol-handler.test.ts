import { createInProcessEventTarget } from "@alkdev/pubsub";
import { eventually } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import {
  CallError,
  type CallerEvent,
  type CallLog,
  createCaller,
  createCallHandler,
  createMemoryCallLog,
  type Identity,
  localEnvelope,
} from "../src/index.ts";
import { ada, addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";
import { aborted, callEvent, callPair, deferred, upTo, workSpec } from "./protocol-fixtures.ts";

const eve: Identity = { id: "eve", scopes: ["*"] };

describe("what a call handler refuses (M40)", () => {
  const { registry } = quietRegistry();
  const eventTarget = createInProcessEventTarget();

  it.each([
    ["a route that is no text", { route: {} }],
    ["a negative limit of calls", { maxCalls: -1 }],
    ["a limit of subscriptions that is a fraction", { maxSubscriptions: 0.5 }],
    ["identityOf and trustIdentity together", { identityOf: () => null, trustIdentity: true }],
  ])("%s", (_, options) => {
    expect(() => createCallHandler({ registry, eventTarget, ...options } as never)).toThrow(
      code("INVALID_ARGUMENT"),
    );
  });

  it("a drain time that is no number, a memory of less than nothing", () => {
    const handler = createCallHandler({ registry, eventTarget });
    expect(() => handler.close({ drainMs: Number.NaN })).toThrow(code("INVALID_ARGUMENT"));
    expect(() => createMemoryCallLog({ maxRemembered: -1 })).toThrow(code("INVALID_ARGUMENT"));
    expect(() => createMemoryCallLog({ rememberMs: 0.1 })).toThrow(code("INVALID_ARGUMENT"));
  });

  it("requests that are malformed: counted, reported, and answered where they name themselves", async () => {
    const { eventTarget: target, handler, errors, ofType } = callPair();
    const bad = [
      "nonsense",
      null,
      { operationId: "math.add" },
      { requestId: "r", operationId: 7 },
      { requestId: "r", operationId: "math.add", deadline: "soon" },
      { requestId: "r", operationId: "math.add", identity: { id: "" } },
      { requestId: "r".repeat(257), operationId: "math.add" },
    ];
    for (const payload of bad) target.dispatchEvent(callEvent("call.requested", "", payload));
    target.dispatchEvent(new CustomEvent("call.requested:", { detail: 3 }) as never);
    expect(handler.stats()).toMatchObject({ malformed: bad.length + 1, served: 0 });
    expect(errors).toHaveLength(bad.length + 1);
    const answers = ofType("call.error").map(({ id }) => id);
    expect(answers).toEqual(["r", "r", "r"]);
  });
});

describe("who calls (M40)", () => {
  const whoami = {
    ...addSpec,
    name: "whoami",
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [], public: true as const },
    handler: (_: unknown, context: object) => ({
      identity: "identity" in context ? context.identity : null,
      keys: Object.keys(context).sort(),
    }),
  };

  it.each([
    ["nobody knows: a stranger", {}, null],
    ["the connection knows: its identity", { identityOf: () => ada }, ada],
    ["the connection knows later", { identityOf: async () => ada }, ada],
    ["the connection knows nobody: a stranger", { identityOf: () => null }, null],
    ["the payload is believed", { trustIdentity: true as const }, eve],
  ])("%s, whatever the request says", async (_, handlerOptions, expected) => {
    const pair = callPair({ handler: { identityOf: undefined, ...handlerOptions } as never });
    pair.registry.register(whoami);
    const { data } = await pair.caller.call("math.whoami", null, { identity: eve });
    expect(data).toMatchObject({ identity: expected });
  });

  it("cannot be forged by anything in the request", async () => {
    const pair = callPair({ handler: { identityOf: () => null } });
    pair.registry.register(whoami);
    const forged = {
      requestId: "r",
      operationId: "math.add",
      input: { a: 1, b: 2 },
      identity: eve,
      trusted: true,
      metadata: { trusted: true, identity: eve },
      __proto__: { trusted: true },
    };
    pair.eventTarget.dispatchEvent(callEvent("call.requested", "", forged));
    await eventually("an answer", () => pair.ofType("call.error").length === 1);
    expect(pair.ofType("call.error")[0]?.payload).toMatchObject({ code: "ACCESS_DENIED" });
    const { data } = await pair.caller.call("math.whoami", null);
    expect((data as { keys: string[] }).keys).not.toContain("trusted");
  });

  it.each([
    ["throws", () => Promise.reject(new Error("db is down"))],
    [
      "throws at once",
      () => {
        throw new Error("db is down");
      },
    ],
  ])("is denied when identityOf %s, without its message", async (_, identityOf) => {
    const { caller, errors } = callPair({ handler: { identityOf } });
    const error = await caller.call(addSpec, { a: 1, b: 2 }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "ACCESS_DENIED", details: { reason: "unidentified" } });
    expect(error.message).not.toContain("db");
    expect(errors).toEqual([expect.objectContaining({ message: "db is down" })]);
  });

  it("hears the CallError that identityOf throws", async () => {
    const { caller } = callPair({
      handler: {
        identityOf: () => {
          throw new CallError("KEY_EXPIRED", "the key has expired");
        },
      },
    });
    await expect(caller.call(addSpec, { a: 1, b: 2 })).rejects.toThrow(code("KEY_EXPIRED"));
  });

  it("is the only one who can abort, pace or repeat a call", async () => {
    const sender = new WeakMap<object, Identity>();
    let runs = 0;
    const pair = callPair({
      handler: { identityOf: (event: CallerEvent) => sender.get(event) ?? null },
      work: async (_, { signal }) => {
        runs += 1;
        await aborted(signal);
      },
    });
    const from = (identity: Identity, type: never, payload: object): void => {
      const event = callEvent(type, "", { requestId: "r", ...payload });
      sender.set(event, identity);
      pair.eventTarget.dispatchEvent(event);
    };
    from(ada, "call.requested" as never, { operationId: "math.work" });
    from(eve, "call.requested" as never, { operationId: "math.work", replyTo: "eve" });
    from(ada, "call.requested" as never, { operationId: "math.add" });
    from(eve, "call.aborted" as never, {});
    from(eve, "call.credit" as never, { credit: 9 });
    await eventually("all are looked at", () => pair.handler.stats().unknown === 4);
    expect(pair.handler.stats()).toMatchObject({ calls: 1, duplicates: 0 });
    expect(pair.events.filter(({ id }) => id === "eve")).toEqual([]);
    from(ada, "call.aborted" as never, {});
    await eventually("it is over", () => pair.handler.stats().calls === 0);
    expect(runs).toBe(1);
  });
});

describe("a request that arrives again (M40)", () => {
  const request = { requestId: "r", operationId: "math.work", input: 1 };

  it("is not run again while it runs, and answered where it says last", async () => {
    let runs = 0;
    const go = deferred();
    const { eventTarget, ofType, handler } = callPair({
      work: async () => {
        runs += 1;
        await go.promise;
        return "done";
      },
    });
    eventTarget.dispatchEvent(callEvent("call.requested", "", request));
    eventTarget.dispatchEvent(
      callEvent("call.requested", "", { ...request, replyTo: "elsewhere" }),
    );
    await eventually("it is noticed", () => handler.stats().duplicates === 1);
    go.resolve();
    await eventually("an answer", () => ofType("call.responded").length > 0);
    expect(ofType("call.responded").map(({ id }) => id)).toEqual(["elsewhere"]);
    expect(runs).toBe(1);
  });

  it.each([
    ["an answer", () => "done", { data: "done" }],
    [
      "an error",
      () => {
        throw new CallError("NO", "no", { details: 1 });
      },
      code("NO"),
    ],
  ])("is given the outcome that is remembered: %s", async (_, work, expected) => {
    let runs = 0;
    const { caller } = callPair({
      work: () => {
        runs += 1;
        return work();
      },
    });
    const call = () => caller.call(workSpec, 1, { requestId: "r" }).catch((error) => error);
    const first = await call();
    expect(first).toMatchObject(expected);
    const again = await call();
    expect(again).toEqual(first);
    expect(runs).toBe(1);
  });

  it("is another call for another operation, and a query is just asked again", async () => {
    const { caller } = callPair();
    const options = { requestId: "r" };
    expect((await caller.call(workSpec, "w", options)).data).toBe("w");
    expect((await caller.call(addSpec, { a: 1, b: 2 }, options)).data).toBe(3);
    expect((await caller.call(addSpec, { a: 2, b: 2 }, options)).data).toBe(4);
  });

  it("ends at once where it was a subscription that has ended", async () => {
    let runs = 0;
    const { caller } = callPair({
      count: (input) => {
        runs += 1;
        return upTo(input);
      },
    });
    const read = async () => {
      const seen: unknown[] = [];
      const answers = caller.subscribe(countSpec, { to: 2 }, { requestId: "r" });
      for await (const { data } of answers) seen.push(data);
      return seen;
    };
    expect(await read()).toEqual([1, 2]);
    expect(await read()).toEqual([]);
    expect(runs).toBe(1);
  });

  it("is forgotten after a time, and when there are too many", async () => {
    let runs = 0;
    const work = () => {
      runs += 1;
    };
    const few = callPair({ work, handler: { callLog: createMemoryCallLog({ maxRemembered: 2 }) } });
    for (const requestId of ["a", "b", "c", "c", "b", "a"]) {
      await few.caller.call(workSpec, 1, { requestId });
    }
    expect(runs).toBe(4);
    const short = callPair({ work, handler: { callLog: createMemoryCallLog({ rememberMs: 0 }) } });
    for (const requestId of ["a", "a"]) await short.caller.call(workSpec, 1, { requestId });
    expect(runs).toBe(6);
  });

  it("asks a log that takes its time, once per mutation, and keeps the outcome before it answers", async () => {
    const seen: unknown[] = [];
    const callLog: CallLog = {
      claim: (call) => {
        seen.push(["claim", call]);
        return Promise.resolve("new");
      },
      finish: async (call, outcome) => void seen.push(["finish", call.requestId, outcome.type]),
    };
    const { caller } = callPair({ handler: { callLog } });
    const answered = caller.call(workSpec, 1, { requestId: "r" });
    await answered.then(() => seen.push("answered"));
    await caller.call(addSpec, { a: 1, b: 2 });
    expect(seen).toEqual([
      ["claim", { requestId: "r", operationId: "math.work", callerId: "ada" }],
      ["finish", "r", "responded"],
      "answered",
    ]);
  });

  it("is run by one of two handlers that share a route and a log", async () => {
    let runs = 0;
    const go = deferred();
    const callLog = createMemoryCallLog();
    const pair = callPair({
      work: async () => {
        runs += 1;
        await go.promise;
        return "done";
      },
      handler: { callLog },
    });
    const { registry, eventTarget } = pair;
    const second = createCallHandler({ registry, eventTarget, identityOf: () => ada, callLog });
    const call = pair.caller.call(workSpec, 1);
    go.resolve();
    expect((await call).data).toBe("done");
    await second.close();
    expect(runs).toBe(1);
    expect(pair.ofType("call.responded")).toHaveLength(1);
  });

  it("is left to the process that runs it, or answered with what that one kept", async () => {
    let runs = 0;
    const answers = ["running", { type: "responded", output: localEnvelope(5, "math.work") }];
    const callLog = { claim: () => answers.shift(), finish: () => {} } as unknown as CallLog;
    const { caller, eventTarget, handler, events } = callPair({
      work: () => (runs += 1),
      handler: { callLog },
    });
    eventTarget.dispatchEvent(callEvent("call.requested", "", request));
    await eventually("it is left alone", () => handler.stats().calls === 0);
    expect(events).toHaveLength(1);
    expect((await caller.call(workSpec, 1)).data).toBe(5);
    expect(runs).toBe(0);
  });

  it("fails when the log does, and is answered all the same when only its end is not kept", async () => {
    const broken = () => {
      throw new Error("disk full");
    };
    const noClaim = callPair({ handler: { callLog: { claim: broken, finish: broken } } });
    const error = await noClaim.caller.call(workSpec, 1).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "EXECUTION_ERROR" });
    expect(error.message).not.toContain("disk");
    expect(noClaim.errors).toHaveLength(1);
    const noFinish = callPair({ handler: { callLog: { claim: () => "new", finish: broken } } });
    expect((await noFinish.caller.call(workSpec, 1)).data).toBe(1);
    expect(noFinish.errors).toHaveLength(1);
  });
});

describe("limits and the end of a call handler (M40)", () => {
  it("answers OVERLOADED beyond its limits, and serves again when there is room", async () => {
    const go = deferred();
    const { caller, handler } = callPair({
      work: () => go.promise,
      count: (_, { signal }) =>
        (async function* () {
          yield 1;
          await aborted(signal);
        })(),
      handler: { maxCalls: 1, maxSubscriptions: 1 },
    });
    const first = caller.call(workSpec, 1);
    await expect(caller.call(addSpec, { a: 1, b: 2 })).rejects.toMatchObject({
      code: "OVERLOADED",
      details: { limit: 1 },
    });
    const answers = caller.subscribe(countSpec, { to: 1 });
    await answers.next();
    await expect(caller.subscribe(countSpec, { to: 1 }).next()).rejects.toThrow(code("OVERLOADED"));
    expect(handler.stats()).toMatchObject({ calls: 1, subscriptions: 1, overloaded: 2, served: 2 });
    go.resolve();
    await first;
    expect((await caller.call(addSpec, { a: 1, b: 2 })).data).toBe(3);
    await answers.return();
  });

  it("lets calls end when it closes, takes no more, and ends subscriptions at once", async () => {
    const go = deferred();
    const { caller, handler, listeners } = callPair({
      work: () => go.promise.then(() => "done"),
      count: async function* (_, { signal }) {
        yield 1;
        await aborted(signal);
      },
    });
    const call = caller.call(workSpec, 1);
    const answers = caller.subscribe(countSpec, { to: 1 });
    await answers.next();
    const closed = handler.close({ drainMs: 60_000 });
    expect(handler.close()).toBe(closed);
    await expect(answers.next()).rejects.toThrow(code("ABORTED"));
    const late = caller.call(addSpec, { a: 1, b: 2 }, { timeoutMs: 20 });
    await expect(late).rejects.toThrow(code("TIMEOUT"));
    go.resolve();
    expect((await call).data).toBe("done");
    await closed;
    expect(listeners.size).toBe(0);
    expect(handler.stats()).toMatchObject({ calls: 0, subscriptions: 0 });
  });

  it("aborts what takes longer than the drain time, and its callers hear of it", async () => {
    let reason: unknown;
    const { caller, handler } = callPair({
      work: async (_, { signal }) => {
        await aborted(signal);
        reason = signal.reason;
      },
    });
    const call = caller.call(workSpec, 1);
    await handler.close({ drainMs: 10 });
    await expect(call).rejects.toThrow(code("ABORTED"));
    expect(reason).toMatchObject({ code: "ABORTED" });
    await handler[Symbol.asyncDispose]();
  });

  it("answers with an error when the answer, or its details, cannot be sent", async () => {
    const { caller, errors, eventTarget } = callPair({
      work: (input) => {
        if (input === "error") throw new CallError("NO", "no", { details: 1n });
        return 1n;
      },
    });
    const { dispatchEvent } = eventTarget;
    eventTarget.dispatchEvent = (event) => {
      JSON.stringify(event.detail); // as a transport does
      return dispatchEvent(event);
    };
    await expect(caller.call(workSpec, "answer")).rejects.toThrow(code("EXECUTION_ERROR"));
    const error = await caller.call(workSpec, "error").catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "NO", details: undefined });
    expect(errors).toHaveLength(2);
  });

  it("serves routes apart", async () => {
    const left = callPair({ handler: { route: "left" } });
    const { eventTarget } = left;
    const right = createCallHandler({
      registry: quietRegistry().registry,
      eventTarget,
      route: "right",
    });
    const toLeft = createCaller({ eventTarget, route: "left" });
    const toRight = createCaller({ eventTarget, route: "right" });
    expect((await toLeft.call(addSpec, { a: 1, b: 2 })).data).toBe(3);
    await expect(toRight.call(addSpec, { a: 1, b: 2 })).rejects.toThrow(
      code("OPERATION_NOT_FOUND"),
    );
    await right.close();
  });
});
