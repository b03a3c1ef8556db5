import { spawnSync } from "node:child_process";
import { type JsonSchema, StorageError, schemaValidator } from "@alkdev/storage/graphs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";

const deep = (levels: number): JsonSchema =>
  levels === 0 ? { type: "string" } : { type: "array", items: deep(levels - 1) };
const cyclic: Record<string, unknown> = { type: "array" };
cyclic.items = cyclic;

describe("stored schemas that are refused (M26)", () => {
  it.each<[string, unknown, RegExp]>([
    ["null", null, /not an object/],
    ["a text", "string", /not an object/],
    ["a list", [], /not an object/],
    [
      "a keyword that is not enforced",
      { type: "object", dependentRequired: {} },
      /dependentRequired/,
    ],
    ["oneOf", { oneOf: [{ type: "string" }] }, /"oneOf", which is not supported/],
    ["if", { type: "string", if: {} }, /\/if/],
    ["a keyword of another type", { type: "integer", minLength: 1 }, /\/minLength/],
    ["a constraint without type", { minLength: 1 }, /"minLength" and no "type"/],
    ["a misspelt type", { type: "strng" }, /no JSON type/],
    ["an inherited name as type", { type: "toString" }, /no JSON type/],
    ["no types", { type: [] }, /empty/],
    ["a type against its constant", { type: "string", const: 1 }, /does not imply/],
    ["a constant that is an object", { const: {} }, /not a text/],
    ["NaN as a constant", { const: Number.NaN }, /not a text/],
    ["an empty anyOf", { anyOf: [] }, /empty/],
    ["anyOf beside a type", { type: "string", anyOf: [{}] }, /does not imply/],
    ["a limit that is text", { type: "number", minimum: "0" }, /out of range/],
    ["code as a limit", { type: "number", minimum: "0); process.exit(1); (0" }, /out of range/],
    ["a negative length", { type: "string", minLength: -1 }, /out of range/],
    ["an infinite limit", { type: "number", maximum: Number.POSITIVE_INFINITY }, /out of range/],
    ["multiples of 0", { type: "number", multipleOf: 0 }, /not above 0/],
    ["a broken pattern", { type: "string", pattern: "(" }, /not a regular expression/],
    ["an unknown format", { type: "string", format: "x', value) || ('" }, /nothing here checks/],
    ["two patterns", { type: "object", patternProperties: { a: {}, b: {} } }, /another pattern/],
    [
      "a pattern beside properties",
      { type: "object", properties: {}, patternProperties: { a: {} } },
      /"properties"/,
    ],
    [
      "a property named __proto__",
      JSON.parse('{"type":"object","properties":{"__proto__":{}}}'),
      /inherits/,
    ],
    ["required that is no list", { type: "object", required: "a" }, /not a list/],
    ["required that holds a number", { type: "object", required: [1] }, /not a name/],
    ["a tuple of open length", { type: "array", items: [{}] }, /tuple/],
    ["a reference to nowhere", { $ref: "#/$defs/A" }, /not defined/],
    ["a reference outside", { $ref: "https://example.com/schema" }, /not defined/],
    ["an inherited name as a reference", { $ref: "#/$defs/constructor", $defs: {} }, /not defined/],
    ["a reference to itself", { $ref: "#" }, /itself/],
    [
      "a cycle of references",
      {
        $ref: "#/$defs/A",
        $defs: {
          A: { $ref: "#/$defs/B" },
          B: { anyOf: [{ $ref: "#/$defs/A" }, { type: "null" }] },
        },
      },
      /itself/,
    ],
    ["definitions that are a list", { $defs: [] }, /\/\$defs/],
    ["65 levels and more", deep(70), /nested deeper/],
    ["a schema that holds itself", cyclic, /not JSON/],
    ["a default that is no JSON", { type: "string", default: () => 1 }, /not JSON/],
  ])("%s", (_, schema, message) => {
    expect(() => schemaValidator(schema as JsonSchema)).toThrow(StorageError);
    expect(() => schemaValidator(schema as JsonSchema)).toThrow(message);
  });
});

describe("stored schemas (M26)", () => {
  it.each<[JsonSchema, unknown[], unknown[]]>([
    [{}, [null, 1, {}], []],
    [{ title: "anything" }, [null, 1], []],
    [{ type: ["string", "null"], minLength: 1 }, ["a", null], ["", 1]],
    [{ enum: ["a", 1, null, true] }, ["a", 1, null, true], ["b", 2, false]],
    [{ enum: ["a"] }, ["a"], ["b"]],
    [{ type: "string", const: "a" }, ["a"], ["b"]],
    [{ const: null }, [null], [0]],
    [{ not: {} }, [], [null, 1]],
    [{ not: { type: "string" } }, [1], ["a"]],
    [{ type: "object", required: ["a"] }, [{ a: 1 }, { a: null, b: 1 }], [{}, [], null]],
    [{ type: "object", additionalProperties: { type: "integer" } }, [{ a: 1 }, {}], [{ a: "x" }]],
    [{ type: "object", properties: { a: false } }, [{}, { b: 1 }], [{ a: 1 }]],
    [
      { type: "object", minProperties: 1, maxProperties: 2 },
      [{ a: 1 }],
      [{}, { a: 1, b: 1, c: 1 }],
    ],
    [
      {
        type: "object",
        patternProperties: { "^x": { type: "integer" } },
        additionalProperties: false,
      },
      [{ xa: 1 }],
      [{ ya: 1 }, { xa: "1" }],
    ],
    [
      {
        type: "array",
        items: [{ type: "string" }, {}],
        additionalItems: false,
        minItems: 2,
        maxItems: 2,
      },
      [["a", 1]],
      [["a"], [1, 1], ["a", 1, 2]],
    ],
    [
      { type: "array", uniqueItems: true },
      [
        [1, 2],
        [{ a: 1 }, { a: 2 }],
      ],
      [
        [1, 1],
        [{ a: 1 }, { a: 1 }],
      ],
    ],
    [{ type: "array", contains: { type: "null" } }, [[null, 1]], [[1]]],
    [{ type: "number", multipleOf: 0.5 }, [1.5], [1.2]],
    [{ type: "string", pattern: "^[^'\"`\\\\/]*$" }, ["a"], ["'", "\\", "/"]],
    [
      { type: "object", properties: { "it's \\ `${x}`": { const: "'); throw 1; ('" } } },
      [{}],
      [{ "it's \\ `${x}`": 1 }],
    ],
    [
      { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false },
      [{ next: { next: {} } }],
      [{ next: { n: 1 } }],
    ],
    [{ $ref: "#/$defs/a~1b c", $defs: { "a/b c": { type: "integer" } } }, [1], ["a"]],
    [
      {
        allOf: [
          { type: "object", properties: { a: { type: "string" } } },
          { type: "object", properties: { b: {} } },
        ],
        unevaluatedProperties: false,
      },
      [{ a: "x", b: 1 }, {}],
      [{ a: 1 }, { c: 1 }],
    ],
    [{ anyOf: [{ type: "string" }, { type: "object", properties: {} }] }, ["a", {}], [1]],
  ])("%j takes what it should and nothing else", (schema, fitting, wrong) => {
    const validator = schemaValidator(JSON.parse(JSON.stringify(schema)));
    for (const value of fitting) {
      expect(validator.errors(value)).toEqual([]);
      expect(validator.check(value)).toBe(true);
    }
    for (const value of wrong) {
      expect(validator.check(value)).toBe(false);
      expect(validator.errors(value)).not.toEqual([]);
    }
    if ("unevaluatedProperties" in schema || schema.$ref?.toString().includes(" ")) return;
    const ajv = new Ajv({ strict: false }).compile(schema);
    expect(fitting.map((value) => ajv(value))).toEqual(fitting.map(() => true));
    expect(wrong.map((value) => ajv(value))).toEqual(wrong.map(() => false));
  });

  it("is compiled once, however often it is read from the database", () => {
    const text = JSON.stringify({ type: "string", maxLength: 77 });
    const schema = JSON.parse(text);
    expect(schemaValidator(schema)).toBe(schemaValidator(schema));
    expect(schemaValidator(JSON.parse(text))).toBe(schemaValidator(schema));
  });

  it("refuses a value nested too deeply to be checked, and does not break", () => {
    const validator = schemaValidator({ type: "object", properties: { next: { $ref: "#" } } });
    let value: unknown = {};
    for (let i = 0; i < 200_000; i += 1) value = { next: value };
    expect(validator.check(value)).toBe(false);
    expect(validator.errors(value)).toEqual([{ path: "", message: "Nested too deeply" }]);
    expect(validator.check({ next: {} })).toBe(true);
  });

  it("is interpreted where code generation is not allowed", () => {
    const script = `
      const { schemaValidator, validateNode, CallGraph } = await import("@alkdev/storage/graphs");
      let generates = true;
      try { new Function("return 1"); } catch { generates = false; }
      const { check, errors } = schemaValidator({ type: "object", properties: { a: { $ref: "#/$defs/A" } }, $defs: { A: { type: "integer" } } });
      const call = { requestId: "r", operationId: "o", status: "pending" };
      console.log(JSON.stringify([generates, check({ a: 1 }), check({ a: "1" }), errors({ a: "1" }), validateNode(CallGraph, "CallNode", call), validateNode(CallGraph, "CallNode", {})]));
    `;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        "--disallow-code-generation-from-strings",
        "--conditions=@alkdev/source",
        "--input-type=module",
        "-e",
        script,
      ],
      { encoding: "utf8", cwd: import.meta.dirname },
    );
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([
      false,
      true,
      false,
      [{ path: "/a", message: "Expected integer" }],
      true,
      false,
    ]);
  });
});
