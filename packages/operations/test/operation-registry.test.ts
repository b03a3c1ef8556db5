import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { OperationRegistry, type OperationSpec } from "../src/index.ts";
import { addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";

const add = ({ a, b }: { a: number; b: number }) => a + b;

describe("registering (M39)", () => {
  it.each<[string, Record<string, unknown>]>([
    ["an empty name", { name: "" }],
    ["a name with a dot", { name: "a.b" }],
    ["a name promises look for", { name: "then" }],
    ["a namespace that starts with a digit", { namespace: "1a" }],
    ["no namespace", { namespace: undefined }],
    ["a version that is none", { version: "1" }],
    ["an unknown type", { type: "QUERY" }],
    ["no description", { description: "" }],
    ["a JSON Schema instead of a TypeBox one", { inputSchema: { type: "object" } }],
    ["no output schema", { outputSchema: undefined }],
    ["a schema of an unknown kind", { inputSchema: Type.Unsafe({}) }],
    ["a reference that leads nowhere", { inputSchema: Type.Ref("Nowhere") }],
    ["no access control", { accessControl: undefined }],
    ["no required scopes", { accessControl: {} }],
    ["a scope with a wildcard", { accessControl: { requiredScopes: ["a:*"] } }],
    ["an empty scope", { accessControl: { requiredScopes: [""] } }],
    ["an empty choice", { accessControl: { requiredScopes: [], requiredScopesAny: [] } }],
    ["a type without action", { accessControl: { requiredScopes: [], resourceType: "graph" } }],
    ["an action without type", { accessControl: { requiredScopes: [], resourceAction: "read" } }],
    ["a place without type", { accessControl: { requiredScopes: [], resourceIdFrom: "/id" } }],
    [
      "a place that is no pointer",
      {
        accessControl: {
          requiredScopes: [],
          resourceType: "graph",
          resourceAction: "read",
          resourceIdFrom: "id",
        },
      },
    ],
    [
      "a type with a colon",
      { accessControl: { requiredScopes: [], resourceType: "a:b", resourceAction: "read" } },
    ],
    ["public with scopes", { accessControl: { requiredScopes: ["a"], public: true } }],
    ["public: false", { accessControl: { requiredScopes: [], public: false } }],
    ["an error code in lower case", { errorSchemas: [{ code: "gone", description: "" }] }],
    ["an error code of every call", { errorSchemas: [{ code: "TIMEOUT", description: "" }] }],
    [
      "an error code twice",
      {
        errorSchemas: [
          { code: "GONE", description: "" },
          { code: "GONE", description: "" },
        ],
      },
    ],
    [
      "an error schema that is none",
      { errorSchemas: [{ code: "GONE", description: "", schema: {} }] },
    ],
  ])("refuses %s", (_name, change) => {
    const spec = { ...addSpec, ...change } as unknown as OperationSpec;
    const registry = new OperationRegistry();
    expect(() => registry.registerSpec(spec)).toThrow(code("INVALID_SPEC"));
    expect(() => registry.register({ ...spec, handler: () => 1 })).toThrow(code("INVALID_SPEC"));
    expect(registry.list()).toEqual([]);
  });

  it("lists every problem of a spec at once", () => {
    const spec = { ...addSpec, version: "x", description: "", type: "mut" } as never;
    expect(() => new OperationRegistry().registerSpec(spec)).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ problems: expect.objectContaining({ length: 3 }) }),
      }),
    );
  });

  it.each([null, undefined, "f", {}])("refuses %j as a handler", (handler) => {
    const registry = new OperationRegistry();
    registry.registerSpec(addSpec);
    expect(() => registry.registerHandler("math.add", handler as never)).toThrow(
      code("INVALID_HANDLER"),
    );
  });

  it("refuses a generator that would have to answer once", () => {
    const registry = new OperationRegistry();
    registry.registerSpec(addSpec);
    expect(() => registry.registerHandler("math.add", async function* () {})).toThrow(
      code("INVALID_HANDLER"),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses timeoutMs %s",
    (timeoutMs) => {
      expect(() => new OperationRegistry({ timeoutMs })).toThrow(code("INVALID_ARGUMENT"));
      const registry = new OperationRegistry();
      expect(() => registry.register({ ...addSpec, handler: add }, { timeoutMs })).toThrow(
        code("INVALID_ARGUMENT"),
      );
      expect(registry.get("math.add")).toBeNull();
    },
  );

  it("refuses a handler without its spec", () => {
    expect(() => new OperationRegistry().registerHandler("math.add", add as never)).toThrow(
      code("UNKNOWN_OPERATION"),
    );
  });

  it("refuses what is there already, unless it is to be replaced", async () => {
    const registry = new OperationRegistry();
    registry.register({ ...addSpec, handler: add });
    expect(() => registry.registerSpec(addSpec)).toThrow(code("ALREADY_REGISTERED"));
    expect(() => registry.registerHandler(addSpec, add)).toThrow(code("ALREADY_REGISTERED"));
    expect(() => registry.register({ ...addSpec, handler: add })).toThrow(
      code("ALREADY_REGISTERED"),
    );
    registry.registerHandler(addSpec, () => 42, { replace: true });
    const identity = { id: "ada", scopes: ["math:read"] };
    const { data } = await registry.execute(addSpec, { a: 1, b: 2 }, { identity });
    expect(data).toBe(42);
  });

  it("registers all or nothing", () => {
    const registry = new OperationRegistry();
    registry.register({ ...addSpec, name: "before", handler: add });
    const operations = [
      { ...addSpec, handler: add },
      { ...addSpec, name: "broken", version: "no", handler: add },
    ];
    expect(() => registry.registerAll(operations)).toThrow(code("INVALID_SPEC"));
    expect(registry.list().map(({ name }) => name)).toEqual(["before"]);
    registry.registerAll(operations.slice(0, 1));
    expect(registry.list().map(({ name }) => name)).toEqual(["before", "add"]);
  });

  it("keeps specs and handlers apart", async () => {
    const { registry } = quietRegistry();
    registry.registerSpec(addSpec);
    expect(registry.get("math.add")).toMatchObject({ handler: null });
    await expect(registry.execute("math.add", {})).rejects.toThrow(code("OPERATION_NOT_FOUND"));
    registry.registerHandler("math.add", () => 1);
    expect(registry.get("math.add")?.handler).toBeTypeOf("function");
    expect(registry.unregister("math.add")).toBe(true);
    expect(registry.unregister("math.add")).toBe(false);
    expect(registry.get("math.add")).toBeNull();
    expect(registry.getSpec("math.add")).toBeNull();
  });

  it("lists by namespace, type and tag, in the order of registration", () => {
    const registry = new OperationRegistry();
    registry.registerSpec({ ...addSpec, tags: ["pure"] });
    registry.registerSpec(countSpec);
    registry.registerSpec({ ...addSpec, namespace: "maths" });
    const ids = (...filter: Parameters<OperationRegistry["list"]>) =>
      registry.list(...filter).map(({ namespace, name }) => `${namespace}.${name}`);
    expect(ids()).toEqual(["math.add", "math.count", "maths.add"]);
    expect(ids({ namespace: "math" })).toEqual(["math.add", "math.count"]);
    expect(ids({ type: "subscription" })).toEqual(["math.count"]);
    expect(ids({ tag: "pure", namespace: "maths" })).toEqual([]);
    expect(ids({ tag: "pure" })).toEqual(["math.add"]);
  });

  it("enforces what was registered, not what the spec became", async () => {
    const requiredScopes = ["math:read"];
    const { registry } = quietRegistry();
    registry.register({ ...addSpec, accessControl: { requiredScopes }, handler: add });
    requiredScopes.length = 0;
    const call = { identity: { id: "eve", scopes: [] } };
    await expect(registry.execute("math.add", { a: 1, b: 2 }, call)).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
    expect(Object.isFrozen(registry.getSpec("math.add"))).toBe(true);
    expect(Object.keys(registry.getSpec("math.add") ?? {})).not.toContain("handler");
  });

  it("makes specs that survive JSON", () => {
    const registry = new OperationRegistry();
    registry.register({ ...addSpec, handler: add });
    expect(JSON.parse(JSON.stringify(registry.list()))).toEqual([
      expect.objectContaining({
        namespace: "math",
        inputSchema: {
          type: "object",
          additionalProperties: false,
          required: ["a", "b"],
          properties: { a: { type: "number" }, b: { type: "number" } },
        },
      }),
    ]);
  });
});
