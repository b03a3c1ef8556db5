import {
  AclGraph,
  CallGraph,
  defineModule,
  edgeErrors,
  graphConfig,
  invalidAttributes,
  Metagraph,
  moduleToDbSchema,
  nodeAttributes,
  nodeErrors,
  SecretGraph,
  StorageError,
  schemaValidator,
  validateEdge,
  validateNode,
} from "@alkdev/storage/graphs";
import { Kind, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const Config = graphConfig();
const CALL = { requestId: "r-1", operationId: "fs.read", status: "pending" };

describe("what does not fit a type (M26)", () => {
  it.each([
    ["a missing attribute", { requestId: "r", status: "pending" }, ["/operationId"]],
    ["an unknown attribute", { ...CALL, statsu: "x" }, ["/statsu"]],
    ["a wrong type", { ...CALL, requestId: 1 }, ["/requestId"]],
    ["a foreign status", { ...CALL, status: "done" }, ["/status"]],
    ["an empty id", { ...CALL, requestId: "" }, ["/requestId"]],
    ["a time without zone", { ...CALL, startedAt: "2026-06-01T03:00:00" }, ["/startedAt"]],
    ["an error without code", { ...CALL, error: { message: "m" } }, ["/error/code"]],
    [
      "several at once",
      { requestId: 1, operationId: 2, status: 3 },
      ["/requestId", "/operationId", "/status"],
    ],
    ["null", null, [""]],
    ["a list", [CALL], [""]],
    ["a text", "call", [""]],
    ["undefined", undefined, [""]],
  ])("refuses %s and lists it by path", (_, data, paths) => {
    expect(validateNode(CallGraph, "CallNode", data)).toBe(false);
    const listed = nodeErrors(CallGraph, "CallNode", data).map(({ path }) => path);
    expect(new Set(listed)).toEqual(
      new Set(paths.length === 1 && paths[0] === "" ? listed : paths),
    );
    expect(listed.length).toBeGreaterThan(0);
  });

  it("never repeats the value in an issue", () => {
    const issues = nodeErrors(SecretGraph, "SecretNode", { name: "n", value: "hunter2" });
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  it("names the literals that a union would take", () => {
    expect(nodeErrors(CallGraph, "CallNode", { ...CALL, status: "x" })).toEqual([
      {
        path: "/status",
        message: 'Expected one of "pending", "running", "completed", "failed", "aborted"',
      },
    ]);
  });

  it("lists at most 1,000 issues of a huge wrong value", () => {
    const scopes = Array.from({ length: 5_000 }, () => 1);
    const principal = { identityType: "account", identityId: "a", scopes };
    expect(nodeErrors(AclGraph, "PrincipalNode", principal)).toHaveLength(1_000);
  });

  it("makes an error of the issues, the first five in words", () => {
    const error = invalidAttributes('node "r-1"', nodeErrors(CallGraph, "CallNode", {}));
    expect(error).toMatchObject({ code: "INVALID_ATTRIBUTES" });
    expect(error.message).toMatch(/node "r-1" .*\/requestId Expected required property/);
    expect(error.details.issues).toHaveLength(3);
  });

  it.each([
    ["CallNodes", /has no node type "CallNodes"/],
    ["call", /It has CallNode/],
    ["CallStatus", /no node type/],
    ["TriggeredEdge", /no node type/],
    ["__proto__", /no node type/],
  ])("throws for the unknown entry %s", (name, message) => {
    expect(() => validateNode(CallGraph, name as "CallNode", CALL)).toThrow(message);
    expect(() => nodeErrors(CallGraph, name as "CallNode", CALL)).toThrow(StorageError);
  });

  it("throws for a node type where an edge type is asked for, also BaseEdge", () => {
    expect(() => validateEdge(CallGraph, "CallNode" as "TriggeredEdge", {})).toThrow(
      /no edge type/,
    );
    expect(() => validateEdge(Metagraph, "BaseEdge" as never, {})).toThrow(/no edge types/);
    expect(() => validateNode(Metagraph, "BaseNode" as never, {})).toThrow(/no node types/);
  });
});

describe("what fits a type (M26)", () => {
  it("takes calls, delegations and free metadata", () => {
    const data: unknown = { ...CALL, metadata: { "hub.trace": [1, null] }, output: null };
    expect(validateNode(CallGraph, "CallNode", data)).toBe(true);
    if (validateNode(CallGraph, "CallNode", data)) expect(data.status).toBe("pending");
    expect(validateEdge(CallGraph, "DependsOnEdge", {})).toBe(true);
    expect(edgeErrors(AclGraph, "DelegatesEdge", { narrowedScopes: ["graphs:*", "*"] })).toEqual(
      [],
    );
  });

  it.each(["", "a::b", ":a", "a:", "a*", "*:a", "a b", "a:*:b"])(
    "refuses the scope %j",
    (scope) => {
      expect(validateEdge(AclGraph, "DelegatesEdge", { narrowedScopes: [scope] })).toBe(false);
    },
  );
});

describe("schemas of the rows (M26)", () => {
  it("hold only the definitions that a type needs, and stand alone", () => {
    const { nodeTypes, edgeTypes } = moduleToDbSchema(CallGraph);
    expect(Object.keys(nodeTypes[0]?.schema.$defs as object)).toEqual([
      "CallStatus",
      "CallError",
      "CallIdentity",
    ]);
    expect(edgeTypes[0]?.schema).not.toHaveProperty("$defs");
    for (const { schema } of [...nodeTypes, ...edgeTypes]) {
      expect(() => new Ajv({ strict: false }).compile(schema)).not.toThrow();
      expect(JSON.stringify(schema).length).toBeLessThan(3_000);
    }
  });

  it("keep recursion, aliases and entries of other Modules", () => {
    // more types than tsc can infer through an import and a recursion
    const entries: TProperties = {
      Config,
      TreeNode: nodeAttributes({
        children: Type.Array(Type.Ref("TreeNode")),
        status: Type.Ref("Status"),
      }),
      Status: CallGraph.Import("CallStatus") as unknown as TSchema,
      SameNode: Type.Ref("TreeNode"),
      ListNode: nodeAttributes({
        list: Type.Recursive((This) => Type.Object({ next: Type.Union([This, Type.Null()]) })),
      }),
    };
    const Trees = defineModule({ name: "trees" }, entries);
    const fits = (entry: string, data: unknown) =>
      validateNode(Trees as never, entry as never, data);
    const leaf = { children: [], status: "running" };
    for (const entry of ["TreeNode", "SameNode"] as const) {
      expect(fits(entry, { children: [leaf], status: "pending" })).toBe(true);
      expect(fits(entry, { children: [{ ...leaf, status: 1 }], status: "pending" })).toBe(false);
    }
    expect(fits("ListNode", { list: { next: { next: null } } })).toBe(true);
    expect(fits("ListNode", { list: { next: { next: 1 } } })).toBe(false);
  });

  it.each<[string, TSchema]>([
    ["a date", Type.Date()],
    ["a bigint", Type.BigInt()],
    ["bytes", Type.Uint8Array()],
    ["undefined", Type.Union([Type.String(), Type.Undefined()])],
    ["a function", Type.Function([], Type.Null())],
    ["a regular expression with flags", Type.RegExp(/a/i)],
    ["a format that nothing checks", Type.String({ format: "e-mail-address" })],
    ["a name that objects inherit", Type.Object({ constructor: Type.String() })],
    ["a reference to nowhere", Type.Ref("Missing")],
    ["itself", Type.Ref("ANode")],
  ])("refuse %s, naming the entry", (_, schema) => {
    const ANode = schema.$ref === "ANode" ? schema : nodeAttributes({ value: schema });
    const module = defineModule({ name: "odd" }, { Config, ANode });
    expect(() => moduleToDbSchema(module)).toThrow(/Module "odd": entry "ANode" cannot be stored/);
  });
});

describe("one truth (M26)", () => {
  /** TypeBox does not ask for a required property whose union or intersection takes anything; ours does. */
  const checked = (type: TSchema): TSchema =>
    type[Kind] !== "Unknown" && admitsUndefined(type) ? Type.Unknown() : type;
  const admitsUndefined = (type: TSchema): boolean =>
    type[Kind] === "Unknown" || (type[Kind] === "Union" && type.anyOf.some(admitsUndefined));
  const scalar = fc.constantFrom<TSchema>(
    Type.String({ minLength: 2, maxLength: 5 }),
    Type.Integer({ minimum: 0, maximum: 9 }),
    Type.Number({ exclusiveMinimum: 1 }),
    Type.Boolean(),
    Type.Null(),
    Type.Unknown(),
    Type.Literal("a"),
    Type.Union([Type.Literal("a"), Type.Literal(1), Type.Null()]),
    Type.Enum({ A: "a", B: "bc" }),
    Type.String({ pattern: "^[a-c]+$" }),
    Type.Ref("Shared"),
  );
  const { schema } = fc.letrec<{ schema: TSchema }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      scalar,
      tie("schema").map((items) => Type.Array(items, { maxItems: 3 })),
      tie("schema").map((value) => Type.Record(Type.String(), value)),
      fc.tuple(tie("schema"), tie("schema")).map((items) => Type.Tuple(items)),
      fc.tuple(tie("schema"), tie("schema")).map((any) => Type.Union(any)),
      fc
        .tuple(tie("schema"), tie("schema"), fc.boolean())
        .map(([a, b, closed]) =>
          Type.Object(
            { a: checked(a), b: Type.Optional(b) },
            closed ? { additionalProperties: false } : {},
          ),
        ),
      fc
        .tuple(tie("schema"), tie("schema"))
        .map(([a, b]) =>
          Type.Intersect([Type.Object({ a: checked(a) }), Type.Object({ b: checked(b) })]),
        ),
    ),
  }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<unknown>("a", "bc", "", "zzzzzz", 0, 1, 2.5, -1, true, false, null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { noNullPrototype: true }),
    ),
  }));

  it.each<[string, Record<string, unknown>]>([
    ["a union with anything", { anyOf: [{ type: "string" }, {}] }],
    ["an intersection of anything", { allOf: [{}, { not: { type: "string" } }] }],
    ["a negation", { not: { type: "string" } }],
    ["a reference to anything", { $ref: "#/$defs/Any" }],
    ["a reference to a reference to anything", { $ref: "#/$defs/Alias" }],
    ["anything", {}],
  ])("a required property that is %s must be there", (_, a) => {
    const type = {
      type: "object",
      properties: { a },
      required: ["a"],
      $defs: { Any: {}, Alias: { $ref: "#/$defs/Any" } },
    };
    const ajv = new Ajv({ strict: false }).compile(type);
    for (const [value, fits] of [
      [{}, false],
      [{ a: null }, true],
      [{ a: 1 }, true],
    ] as const) {
      expect(ajv(value)).toBe(fits);
      expect(schemaValidator(type).check(value)).toBe(fits);
      expect(schemaValidator(type).errors(value)).toHaveLength(fits ? 0 : 1);
    }
    expect(schemaValidator(type).errors({})).toMatchObject([{ path: "/a" }]);
  });

  it("properties of further properties are checked, however deep", () => {
    const further = (schema: object) => ({ type: "object", additionalProperties: schema });
    const type = further(further(further({ type: "integer" })));
    const ajv = new Ajv({ strict: false }).compile(type);
    for (const [value, fits] of [
      [{ a: { b: { c: 1 } } }, true],
      [{ a: { b: { c: "1" } } }, false],
      [{ a: { d: 1 } }, false],
      [{ a: { d: {} }, b: {} }, true],
      [{ a: 1 }, false],
    ] as const) {
      expect(ajv(value)).toBe(fits);
      expect(schemaValidator(type).check(value)).toBe(fits);
      expect(schemaValidator(type).errors(value).length === 0).toBe(fits);
    }
  });

  it("the Module, the stored schema, the interpreter and ajv agree on every value", () => {
    let fitting = 0;
    fc.assert(
      fc.property(schema, fc.array(value, { minLength: 5, maxLength: 20 }), (type, values) => {
        const Shared = Type.Union([Type.String({ maxLength: 2 }), Type.Integer()]);
        const module = Type.Module({ Config, Shared, ANode: Type.Object({ x: type }) });
        const row = moduleToDbSchema(module, { name: "random" }).nodeTypes[0];
        const stored = schemaValidator(JSON.parse(JSON.stringify(row?.schema)));
        const ajv = new Ajv({ strict: false }).compile(row?.schema ?? {});
        const imported = module.Import("ANode");
        for (const x of values) {
          const expected = Value.Check(imported, { x });
          if (expected) fitting += 1;
          expect(stored.check({ x })).toBe(expected);
          expect(ajv({ x })).toBe(expected);
          expect(stored.errors({ x }).length === 0).toBe(expected);
        }
      }),
      { numRuns: 150 },
    );
    expect(fitting).toBeGreaterThan(50);
  });
});
