import { type TSchema, Type } from "@sinclair/typebox";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineSpec, OperationRegistry, specToJson, toJsonSchema } from "../src/index.ts";
import { jsonSchema, specFromJson } from "../src/json-schema.ts";
import { validatorOf } from "../src/schema/validator.ts";
import { ada, addSpec, code, countSpec } from "./fixtures.ts";

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a spec as JSON (M39)", () => {
  const spec = defineSpec({
    ...addSpec,
    name: "divide",
    title: "Division",
    tags: ["arithmetic"],
    outputSchema: Type.Void(),
    accessControl: { requiredScopes: ["math:read"], requiredScopesAny: ["a", "b"] },
    errorSchemas: [
      { code: "BY_ZERO", description: "Nothing divides by 0.", httpStatus: 422 },
      {
        code: "TOO_LARGE",
        description: "Too large.",
        schema: Type.Object({ limit: Type.Number() }),
      },
    ],
    _meta: { cost: 1 },
  });

  it("comes back as it was sent, with schemas that check the same", () => {
    const json = overTheWire(specToJson({ ...spec, handler: () => undefined } as typeof spec));
    expect(json).not.toHaveProperty("handler");
    const back = specFromJson(json);
    expect(specToJson(back)).toEqual(json);
    expect(back.accessControl).toEqual(spec.accessControl);
    expect(back._meta).toEqual({ cost: 1 });
    expect(validatorOf(back.inputSchema).check({ a: 1, b: 2 })).toBe(true);
    expect(validatorOf(back.inputSchema).check({ a: 1, b: 2, c: 3 })).toBe(false);
    expect(validatorOf(back.outputSchema).check(null)).toBe(true);
    expect(back.errorSchemas?.map(({ code, httpStatus }) => [code, httpStatus])).toEqual([
      ["BY_ZERO", 422],
      ["TOO_LARGE", undefined],
    ]);
  });

  it("registers and is called as any other", async () => {
    const registry = new OperationRegistry();
    registry.registerSpec(specFromJson(overTheWire(specToJson(addSpec))));
    registry.registerSpec(specFromJson(overTheWire(specToJson(countSpec))));
    registry.registerHandler("math.add", (input) => {
      const { a, b } = input as { a: number; b: number };
      return a + b;
    });
    const { data } = await registry.execute("math.add", { a: 1, b: 2 }, { identity: ada });
    expect(data).toBe(3);
    const wrong = registry.execute("math.add", { a: "1" }, { identity: ada });
    await expect(wrong).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
      details: {
        issues: expect.arrayContaining([
          { path: "/a", message: expect.any(String) },
          { path: "/b", message: "Expected required property" },
        ]),
      },
    });
  });

  it("names the field and the place of a type that JSON has no form for", () => {
    const input = Type.Object({ at: Type.Array(Type.Date()) });
    expect(() => specToJson({ ...spec, inputSchema: input })).toThrow(
      expect.objectContaining({
        code: "INVALID_SCHEMA",
        message: expect.stringContaining('"math.divide"'),
        details: expect.objectContaining({ path: "/inputSchema/properties/at/items" }),
      }),
    );
  });

  it.each([
    ["nothing", undefined],
    ["a text", "spec"],
    ["a spec without access", { ...specToJson(addSpec), accessControl: undefined }],
    [
      "a restriction that is not known here",
      { ...specToJson(addSpec), accessControl: { requiredScopes: [], onlyOnSundays: true } },
    ],
    ["a wildcard", { ...specToJson(addSpec), accessControl: { requiredScopes: ["*"] } }],
    ["a name with a path", { ...specToJson(addSpec), name: "../add" }],
    ["a type of its own", { ...specToJson(addSpec), type: "stream" }],
    ["a megabyte", { ...specToJson(addSpec), _meta: { text: "x".repeat(1_000_000) } }],
    [
      "a status that is no error",
      { ...specToJson(addSpec), errorSchemas: [{ code: "A", description: "", httpStatus: 200 }] },
    ],
  ])("refuses %s", (_what, json) => {
    expect(() => specFromJson(json)).toThrow(code("INVALID_SPEC"));
  });

  it("refuses a schema with its place, and leaves unknown fields out", () => {
    const json = specToJson(spec);
    const errors = [{ code: "A", description: "a", schema: { type: "text" } }];
    expect(() => specFromJson({ ...json, errorSchemas: errors })).toThrow(
      expect.objectContaining({
        code: "INVALID_SCHEMA",
        details: expect.objectContaining({ path: "/errorSchemas/0/schema/type" }),
      }),
    );
    expect(specFromJson({ ...json, handler: "code", newer: 1 })).not.toHaveProperty("newer");
  });
});

describe("TypeBox as plain JSON Schema (M39)", () => {
  it("puts recursive types and Modules below $defs", () => {
    const Tree = Type.Recursive((This) =>
      Type.Object({ value: Type.String(), children: Type.Array(This) }),
    );
    expect(toJsonSchema(Tree)).toMatchObject({ type: "object", $defs: expect.any(Object) });
    const module = Type.Module({
      User: Type.Object({ id: Type.String(), friends: Type.Array(Type.Ref("User")) }),
      Post: Type.Object({ author: Type.Ref("User") }),
    });
    const Post = toJsonSchema(
      Type.Object({ a: module.Import("Post"), b: module.Import("User"), t: Tree }),
    );
    const check = validatorOf(jsonSchema(overTheWire(Post)));
    const user = { id: "a", friends: [{ id: "b", friends: [] }] };
    const tree = { value: "a", children: [{ value: "b", children: [] }] };
    expect(check.check({ a: { author: user }, b: user, t: tree })).toBe(true);
    expect(check.check({ a: { author: {} }, b: user, t: tree })).toBe(false);
    expect(check.check({ a: { author: user }, b: { id: "a", friends: [1] }, t: tree })).toBe(false);
    expect(check.check({ a: { author: user }, b: user, t: { value: "a", children: [{}] } })).toBe(
      false,
    );
  });

  it("spells tuples and records as 2020-12 does", () => {
    expect(toJsonSchema(Type.Tuple([Type.String(), Type.Number()]))).toEqual({
      type: "array",
      prefixItems: [{ type: "string" }, { type: "number" }],
      minItems: 2,
      maxItems: 2,
    });
    expect(toJsonSchema(Type.Record(Type.String(), Type.Number()))).toEqual({
      type: "object",
      additionalProperties: { type: "number" },
    });
  });

  it("keeps JSON Schema that stands inside, with definitions that do not meet", () => {
    const inner = (type: string) => jsonSchema({ $defs: { Id: { type } }, $ref: "#/$defs/Id" });
    const both = Type.Object({ a: inner("string"), b: inner("number") });
    const check = validatorOf(jsonSchema(toJsonSchema(both)));
    expect(check.check({ a: "x", b: 1 })).toBe(true);
    expect(check.check({ a: 1, b: 1 })).toBe(false);
    expect(check.check({ a: "x", b: "x" })).toBe(false);
  });

  it("admits what the TypeBox schema admits, for any schema and value", () => {
    const check = ([schema, value]: [TSchema, unknown]) => {
      const sent = jsonSchema(overTheWire(toJsonSchema(schema)));
      expect(validatorOf(sent).check(value)).toBe(validatorOf(schema).check(value));
    };
    fc.assert(fc.property(fc.tuple(typeBoxSchema(), fc.jsonValue({ maxDepth: 3 })), check), {
      numRuns: 1_500,
    });
    // values close to the schemas: of few names and small numbers
    fc.assert(fc.property(fc.tuple(typeBoxSchema(), nearValue()), check), { numRuns: 1_500 });
  });
});

/** Schemas over the names a, b, c and small numbers. */
function typeBoxSchema(): fc.Arbitrary<TSchema> {
  const { schema } = fc.letrec<{ schema: TSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom<TSchema>(
        Type.String(),
        Type.String({ maxLength: 1 }),
        Type.String({ pattern: "^a" }),
        Type.Number({ minimum: 1 }),
        Type.Integer({ exclusiveMaximum: 3 }),
        Type.Boolean(),
        Type.Null(),
        Type.Literal("a"),
        Type.Literal(1),
        Type.Unknown(),
        Type.Never(),
      ),
      fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => Type.Union([a, b])),
      fc
        .tuple(tie("schema"), fc.boolean())
        .map(([a, u]) => Type.Array(a, { uniqueItems: u, maxItems: 2 })),
      fc.tuple(tie("schema"), tie("schema")).map(([a, b]) => Type.Tuple([a, b])),
      tie("schema").map((a) => Type.Record(Type.String(), a)),
      tie("schema").map((a) => Type.Not(a)),
      fc.tuple(tie("schema"), tie("schema"), fc.boolean()).map(([a, b, additionalProperties]) =>
        // TypeBox does not ask for the key of a property that may be anything
        Type.Object(
          { a: validatorOf(a).check(undefined) ? Type.Optional(a) : a, b: Type.Optional(b) },
          { additionalProperties },
        ),
      ),
    ),
  }));
  return schema;
}

function nearValue(): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>("", "a", "ab", 0, 1, 2, 3, 1.5, true, null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value")),
    ),
  }));
  return value;
}
