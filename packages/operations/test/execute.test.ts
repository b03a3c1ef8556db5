import { getEventListeners } from "node:events";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { CallError, httpEnvelope, type OperationContext } from "../src/index.ts";
import { ada, addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";

function mathRegistry(options: { now?: () => number; timeoutMs?: number } = {}) {
  const made = quietRegistry(options);
  made.registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  return made;
}

/** One operation `test.run` that anybody may call, with this handler. */
function testRegistry(
  handler: (input: unknown, context: OperationContext) => unknown,
  options: { timeoutMs?: number; outputSchema?: never; errorSchemas?: unknown } = {},
) {
  const made = quietRegistry();
  made.registry.registerSpec({
    ...addSpec,
    namespace: "test",
    name: "run",
    inputSchema: Type.Unknown(),
    outputSchema: options.outputSchema ?? Type.Unknown(),
    accessControl: { requiredScopes: [], public: true },
    errorSchemas: (options.errorSchemas ?? []) as [],
  });
  const { timeoutMs } = options;
  made.registry.registerHandler("test.run", handler, timeoutMs === undefined ? {} : { timeoutMs });
  return made;
}

/** The error a call ends with. */
async function failureOf(call: Promise<unknown>): Promise<CallError> {
  const outcome = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(CallError);
  return outcome as CallError;
}

describe("execute (M39)", () => {
  it("refuses an unknown operation and a subscription", async () => {
    const { registry } = mathRegistry();
    registry.register({ ...countSpec, handler: async function* () {} });
    await expect(registry.execute("math.sub", {}, { identity: ada })).rejects.toThrow(
      code("OPERATION_NOT_FOUND"),
    );
    await expect(registry.execute("__proto__", {})).rejects.toThrow(code("OPERATION_NOT_FOUND"));
    await expect(registry.execute("math.count", { to: 1 }, { identity: ada })).rejects.toThrow(
      code("WRONG_OPERATION_TYPE"),
    );
  });

  it("checks the caller before the input, and tells a stranger nothing about the input", async () => {
    const { registry } = mathRegistry();
    const stranger = await failureOf(registry.execute("math.add", { nonsense: true }));
    expect(stranger.code).toBe("ACCESS_DENIED");
    expect(stranger.details).toEqual({ operationId: "math.add", reason: "it needs an identity" });
    const eve = { identity: { id: "eve", scopes: ["math", "math:write"] } };
    await expect(registry.execute("math.add", { a: 1, b: 2 }, eve)).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
  });

  it("binds the caller to the resource that the input names, after the input was checked", async () => {
    const { registry } = quietRegistry();
    registry.register({
      ...addSpec,
      namespace: "graphs",
      name: "find",
      inputSchema: Type.Object({ graphId: Type.String() }),
      accessControl: {
        requiredScopes: ["graphs:read"],
        resourceType: "graph",
        resourceAction: "read",
        resourceIdFrom: "/graphId",
      },
      handler: () => 1,
    });
    const identity = { id: "a", scopes: ["graphs:read"], resources: { "graph:g1": ["read"] } };
    await expect(registry.execute("graphs.find", {}, { identity })).rejects.toThrow(
      code("VALIDATION_ERROR"),
    );
    await expect(registry.execute("graphs.find", { graphId: "g2" }, { identity })).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
    await expect(
      registry.execute("graphs.find", { graphId: "g1" }, { identity }),
    ).resolves.toMatchObject({ data: 1 });
  });

  it("lists every place of the input that does not fit, without its values", async () => {
    const { registry } = mathRegistry();
    const call = registry.execute("math.add", { a: "secret", c: 1 }, { identity: ada });
    const { code: found, message, details } = await failureOf(call);
    expect(found).toBe("VALIDATION_ERROR");
    expect(details).toEqual({
      operationId: "math.add",
      issues: [
        { path: "/b", message: "Expected required property" },
        { path: "/c", message: "Unexpected property" },
        { path: "/a", message: "Expected number" },
      ],
    });
    expect(message + JSON.stringify(details)).not.toContain("secret");
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["nothing", undefined],
    ["NaN", { a: Number.NaN, b: 1 }],
    ["a list", [1, 2]],
    ["a Buffer", Buffer.from("x")],
    ["a bigint", { a: 2n ** 53n, b: 1 }],
  ])("refuses %s as input", async (_name, input) => {
    const { registry } = mathRegistry();
    await expect(registry.execute("math.add", input, { identity: ada })).rejects.toThrow(
      code("VALIDATION_ERROR"),
    );
  });

  it("answers with an envelope that says who made it and when", async () => {
    const { registry } = mathRegistry({ now: () => 1_700_000_000_000 });
    expect(await registry.execute("math.add", { a: 1, b: 2 }, { identity: ada })).toEqual({
      data: 3,
      meta: { source: "local", operationId: "math.add", timestamp: 1_700_000_000_000 },
    });
  });

  it("passes on an envelope that came from elsewhere, its data checked", async () => {
    const meta = { statusCode: 200, headers: {}, contentType: "application/json" };
    const { registry, reported } = quietRegistry();
    registry.register({
      ...addSpec,
      handler: ({ a }) => httpEnvelope(a === 0 ? "no" : a, meta) as never,
    });
    const call = { identity: ada };
    expect(await registry.execute("math.add", { a: 7, b: 0 }, call)).toEqual(httpEnvelope(7, meta));
    await expect(registry.execute("math.add", { a: 0, b: 0 }, call)).rejects.toThrow(
      code("EXECUTION_ERROR"),
    );
    expect(reported).toHaveLength(1);
  });

  it("never repairs an output: it reports the place and fails", async () => {
    const outputSchema = Type.Object({ n: Type.Integer() }) as never;
    const { registry, reported } = testRegistry(() => ({ n: "1", extra: true }), { outputSchema });
    const failure = await failureOf(registry.execute("test.run", {}));
    expect(failure.code).toBe("EXECUTION_ERROR");
    expect(failure.details).toEqual({
      operationId: "test.run",
      issues: [{ path: "/n", message: "Expected integer" }],
    });
    expect(String(reported[0]?.error)).toContain('"/n" Expected integer');
  });

  it("answers null where a handler returns nothing", async () => {
    const { registry } = testRegistry(() => undefined);
    expect((await registry.execute("test.run", {})).data).toBeNull();
  });

  it("tells the handler what it needs to know, in an object that cannot be changed", async () => {
    const { registry } = testRegistry((_input, context) => {
      const { signal, env: _env, ...rest } = context;
      return { ...rest, frozen: Object.isFrozen(context), aborted: signal.aborted };
    });
    const call = {
      identity: ada,
      requestId: "r1",
      parentRequestId: "r0",
      metadata: { trace: "t" },
    };
    expect((await registry.execute("test.run", {}, call)).data).toEqual({
      ...call,
      operationId: "test.run",
      frozen: true,
      aborted: false,
    });
    const { data } = await registry.execute("test.run", {});
    expect(data).toMatchObject({
      metadata: {},
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(data).not.toHaveProperty("identity");
  });
});

describe("errors of handlers (M39)", () => {
  const errorSchemas = [
    {
      code: "NOT_FOUND",
      description: "There is none.",
      schema: Type.Object({ id: Type.String() }, { additionalProperties: false }),
    },
    { code: "GONE", description: "There was one." },
  ];
  const coded = (errorCode: string, details?: unknown) =>
    Object.assign(new Error("no graph g1"), { code: errorCode, details });

  it("passes a CallError as it is", async () => {
    const error = new CallError("ANY_CODE", "why", { details: { n: 1 } });
    const { registry, reported } = testRegistry(() => Promise.reject(error));
    expect(await failureOf(registry.execute("test.run", {}))).toBe(error);
    expect(reported).toEqual([]);
  });

  it.each<[string, unknown, object]>([
    ["a declared code", coded("NOT_FOUND", { id: "g1" }), { details: { id: "g1" } }],
    ["details that do not fit", coded("NOT_FOUND", { sql: "…" }), { details: undefined }],
    ["details that are not declared", coded("GONE", { id: "g1" }), { details: undefined }],
  ])("passes on %s", async (_name, error, expected) => {
    const { registry, reported } = testRegistry(() => Promise.reject(error), { errorSchemas });
    const failure = await failureOf(registry.execute("test.run", {}));
    expect(failure).toMatchObject({ message: "no graph g1", ...expected });
    expect(failure.code).toBe((error as { code: string }).code);
    expect(failure.cause).toBe(error);
    expect(reported).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["an undeclared code", coded("SQLITE_BUSY"), "EXECUTION_ERROR"],
    ["an error", new TypeError("at /srv/secret.ts"), "EXECUTION_ERROR"],
    ["a text", "secret", "UNKNOWN_ERROR"],
    ["null", null, "UNKNOWN_ERROR"],
    ["undefined", undefined, "UNKNOWN_ERROR"],
  ])(
    "keeps to itself what it does not know, and reports it: %s",
    async (_name, thrown, expected) => {
      for (const handler of [
        () => Promise.reject(thrown),
        () => {
          throw thrown;
        },
      ]) {
        const { registry, reported } = testRegistry(handler, { errorSchemas });
        const failure = await failureOf(registry.execute("test.run", {}));
        expect(failure.code).toBe(expected);
        expect(failure.message + JSON.stringify(failure.details)).not.toContain("secret");
        expect(failure.cause).toBe(thrown);
        expect(reported).toEqual([{ error: thrown, operationId: "test.run" }]);
      }
    },
  );

  it("survives an error handler that throws", async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    const { OperationRegistry } = await import("../src/index.ts");
    const registry = new OperationRegistry({
      onError: () => {
        throw new Error("broken log");
      },
    });
    registry.register({
      ...addSpec,
      handler: () => {
        throw new Error("broken operation");
      },
    });
    const failure = await failureOf(
      registry.execute("math.add", { a: 1, b: 1 }, { identity: ada }),
    );
    expect(failure.code).toBe("EXECUTION_ERROR");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listener);
    expect(warnings.map(String).join()).toContain("broken log");
  });
});

describe("time and abort (M39)", () => {
  const forever = () => new Promise<never>(() => {});

  it("does not run a handler whose call is over before it begins", async () => {
    let runs = 0;
    const { registry } = testRegistry(() => (runs += 1));
    const aborted = { signal: AbortSignal.abort(new Error("gone")) };
    const failure = await failureOf(registry.execute("test.run", {}, aborted));
    expect(failure).toMatchObject({ code: "ABORTED", cause: new Error("gone") });
    for (const deadline of [0, Date.now() - 1, Number.NaN]) {
      await expect(registry.execute("test.run", {}, { deadline })).rejects.toThrow(code("TIMEOUT"));
    }
    expect(runs).toBe(0);
  });

  it("ends at its deadline, and aborts the handler's signal with the reason", async () => {
    let signal: AbortSignal | undefined;
    const { registry } = testRegistry(
      (_input, context) => {
        signal = context.signal;
        return forever();
      },
      { timeoutMs: 5 },
    );
    await expect(registry.execute("test.run", {})).rejects.toThrow(code("TIMEOUT"));
    expect(signal?.reason).toMatchObject({ code: "TIMEOUT" });
  });

  it("takes the earlier of the caller's deadline and the operation's", async () => {
    const seen: (number | undefined)[] = [];
    const { registry } = quietRegistry({ now: () => 1_000, timeoutMs: 500 });
    registry.register({
      ...addSpec,
      handler: (_input, { deadline }) => {
        seen.push(deadline);
        return 0;
      },
    });
    for (const deadline of [1_200, 9_000]) {
      await registry.execute("math.add", { a: 1, b: 1 }, { identity: ada, deadline });
    }
    await registry.execute("math.add", { a: 1, b: 1 }, { identity: ada });
    expect(seen).toEqual([1_200, 1_500, 1_500]);
  });

  it("ends when its caller takes it back, whatever the handler does", async () => {
    const caller = new AbortController();
    const { registry } = testRegistry(forever);
    const call = registry.execute("test.run", {}, { signal: caller.signal });
    caller.abort();
    await expect(call).rejects.toThrow(code("ABORTED"));
  });

  it("reports what a handler throws after its call has ended", async () => {
    const caller = new AbortController();
    const late = Promise.withResolvers<never>();
    const { registry, reported } = testRegistry(() => late.promise);
    const call = registry.execute("test.run", {}, { signal: caller.signal });
    caller.abort();
    await expect(call).rejects.toThrow(code("ABORTED"));
    late.reject(new Error("too late"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(reported).toEqual([{ error: new Error("too late"), operationId: "test.run" }]);
  });

  it("holds on to neither timer nor signal after a call", async () => {
    const { signal } = new AbortController();
    const { registry } = testRegistry(() => 1, { timeoutMs: 2 ** 31 - 1 });
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    await registry.execute("test.run", {}, { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
