import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { trustedCall } from "../src/composition/trust.ts";
import { buildEnv, type EnvOf, type OperationContext } from "../src/index.ts";
import { ada, addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";

const open = { requiredScopes: [], public: true } as const;

/** `test.run`, open to all, with this handler; `math.add` asks for `math:read`. */
function composing(
  handler: (input: unknown, context: OperationContext) => unknown,
  options: { allowedNamespaces?: readonly string[] } = {},
) {
  const made = quietRegistry();
  made.registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  made.registry.register({ ...countSpec, handler: async function* () {} });
  made.registry.registerSpec({
    ...addSpec,
    namespace: "test",
    name: "run",
    inputSchema: Type.Unknown(),
    outputSchema: Type.Unknown(),
    accessControl: open,
  });
  made.registry.registerHandler("test.run", handler, options);
  return made;
}

describe("composition (M39)", () => {
  it("calls for a caller who could not call it himself", async () => {
    const { registry } = composing(async (_input, { env }) => {
      const { data } = (await env.math?.add?.({ a: 1, b: 2 })) ?? {};
      return data;
    });
    await expect(registry.execute("math.add", { a: 1, b: 2 })).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
    expect((await registry.execute("test.run", {})).data).toBe(3);
  });

  it("still checks inputs, and refuses subscriptions and what is not there", async () => {
    const { registry } = composing((input, { env }) => {
      const [namespace, name] = input as [string, string];
      return env[namespace]?.[name]?.({ a: 1 });
    });
    const run = (...path: string[]) => registry.execute("test.run", path);
    await expect(run("math", "add")).rejects.toThrow(code("VALIDATION_ERROR"));
    await expect(run("math", "count")).rejects.toThrow(code("WRONG_OPERATION_TYPE"));
    await expect(run("math", "nothing")).rejects.toThrow(code("OPERATION_NOT_FOUND"));
    await expect(run("constructor", "constructor")).rejects.toThrow(code("OPERATION_NOT_FOUND"));
    await expect(run("__proto__", "hasOwnProperty")).rejects.toThrow(code("OPERATION_NOT_FOUND"));
  });

  it("keeps to the namespaces that are allowed", async () => {
    const { registry } = composing((_input, { env }) => env.math?.add?.({ a: 1, b: 2 }), {
      allowedNamespaces: ["graphs"],
    });
    await expect(registry.execute("test.run", {})).rejects.toThrow(code("ACCESS_DENIED"));
  });

  it("hands on identity, request, metadata, deadline and abort", async () => {
    const seen: OperationContext[] = [];
    const caller = new AbortController();
    const { registry } = composing((_input, { env }) => env.inner?.look?.({}));
    registry.registerSpec({
      ...addSpec,
      namespace: "inner",
      name: "look",
      inputSchema: Type.Unknown(),
      outputSchema: Type.Unknown(),
    });
    registry.registerHandler("inner.look", (_input, context) => {
      seen.push(context);
      caller.abort();
      return new Promise(() => {});
    });
    const deadline = Date.now() + 60_000;
    const call = registry.execute(
      "test.run",
      {},
      {
        identity: ada,
        requestId: "outer",
        metadata: { trace: "t" },
        signal: caller.signal,
        deadline,
      },
    );
    await expect(call).rejects.toThrow(code("ABORTED"));
    expect(seen[0]).toMatchObject({
      identity: ada,
      parentRequestId: "outer",
      metadata: { trace: "t" },
      deadline,
    });
    expect(seen[0]?.requestId).not.toBe("outer");
    expect(seen[0]?.signal.aborted).toBe(true);
  });

  it("does not trust what looks like a trusted call", async () => {
    const { registry } = composing(() => null);
    const real = trustedCall({ requestId: "r" }, 1);
    const add = (call: object) => registry.execute("math.add", { a: 1, b: 2 }, call);
    expect((await add(real)).data).toBe(3);
    const forged: object[] = [
      { ...real },
      JSON.parse(JSON.stringify(real)),
      structuredClone(real),
      Object.create(real),
      new Proxy(real, {}),
      { trusted: true },
      { [Symbol("trusted")]: true },
    ];
    for (const call of forged) await expect(add(call)).rejects.toThrow(code("ACCESS_DENIED"));
  });

  it("gives no handler an object that is trusted", async () => {
    const contexts: OperationContext[] = [];
    const { registry } = composing((_input, { env }) => env.inner?.keep?.({}));
    registry.register({
      ...addSpec,
      namespace: "inner",
      name: "keep",
      inputSchema: Type.Unknown(),
      accessControl: { requiredScopes: ["inner:call"] },
      handler: (_input, context) => {
        contexts.push(context);
        return 1;
      },
    });
    await registry.execute("test.run", {});
    const [context] = contexts;
    expect(context).toBeDefined();
    await expect(registry.execute("math.add", { a: 1, b: 2 }, context)).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
  });

  it("stops operations that call each other in a circle", async () => {
    let calls = 0;
    const { registry } = composing((_input, { env }) => {
      calls += 1;
      return env.test?.run?.({});
    });
    await expect(registry.execute("test.run", {})).rejects.toThrow(code("EXECUTION_ERROR"));
    expect(calls).toBe(65);
  });

  it("is no promise and has no JSON", async () => {
    const { registry } = composing((_input, context) => context);
    const env = buildEnv({ registry, context: {} as OperationContext });
    expect(await env).toBe(env);
    expect(JSON.stringify({ env })).toBe('{"env":{}}');
  });

  it("is typed by the specs it is given", async () => {
    const { registry } = composing(async (_input, context) => {
      const env = buildEnv<EnvOf<[typeof addSpec, typeof countSpec]>>({ registry, context });
      const { data } = await env.math.add({ a: 2, b: 2 });
      return data.toFixed(1);
    });
    expect((await registry.execute("test.run", {})).data).toBe("4.0");
  });
});
