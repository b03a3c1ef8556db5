import { type TSchema, Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { jsonSchema } from "../src/json-schema.ts";
import { validatorOf } from "../src/schema/validator.ts";
import { code } from "./fixtures.ts";

const fits = (schema: unknown, value: unknown) => validatorOf(jsonSchema(schema)).check(value);
const issues = (schema: unknown, value: unknown) => validatorOf(jsonSchema(schema)).issues(value);
const place = (path: string) =>
  expect.objectContaining({ code: "INVALID_SCHEMA", details: expect.objectContaining({ path }) });

/** What a bounded check may take on a busy machine. */
const BOUND_MS = 10_000;

function elapsed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

describe("JSON Schema as a spec's schema (M39)", () => {
  it("checks the keywords of 2020-12", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, pattern: "^[a-z]+$" },
        pair: { prefixItems: [{ type: "string" }, { type: "integer" }], items: false },
        tags: { type: "array", items: { enum: ["a", "b"] }, uniqueItems: true },
        kind: { oneOf: [{ const: "x" }, { const: null }] },
      },
      required: ["name"],
      dependentRequired: { pair: ["tags"] },
      unevaluatedProperties: false,
    };
    expect(fits(schema, { name: "a", pair: ["a", 1], tags: ["a", "b"], kind: null })).toBe(true);
    for (const wrong of [
      {},
      { name: "" },
      { name: "A" },
      { name: "a", pair: ["a", 1] },
      { name: "a", tags: ["a", "a"] },
      { name: "a", tags: [], pair: ["a", 1, 2] },
      { name: "a", kind: "y" },
      { name: "a", other: 1 },
      [],
      null,
      undefined,
    ]) {
      expect(fits(schema, wrong), JSON.stringify(wrong)).toBe(false);
    }
    expect(fits({ type: "number" }, Number.NaN)).toBe(false);
    expect(fits({ type: "integer" }, 2 ** 53)).toBe(true);
    expect(fits(true, undefined)).toBe(true);
    expect(fits(false, null)).toBe(false);
  });

  it("reads tuples, dependencies and definitions as draft 7 spells them", () => {
    const schema = {
      $schema: "http://json-schema.org/draft-07/schema#",
      $id: "https://example.com/order.json",
      definitions: { id: { type: "integer" } },
      type: "object",
      properties: {
        pair: { items: [{ type: "string" }, { $ref: "#/definitions/id" }], additionalItems: false },
        other: { $ref: "#/properties/pair/items/1" },
      },
      dependencies: { pair: ["other"], other: { required: ["pair"] } },
    };
    expect(fits(schema, { pair: ["a", 1], other: 1 })).toBe(true);
    expect(fits(schema, { pair: ["a", 1] })).toBe(false);
    expect(fits(schema, { other: 1 })).toBe(false);
    expect(fits(schema, { pair: ["a", 1, 2], other: 1 })).toBe(false);
    expect(fits(schema, { pair: ["a", 1], other: "1" })).toBe(false);
  });

  it("knows which items and properties were looked at", () => {
    const first = { prefixItems: [true], contains: { type: "string" } };
    const rest = { ...first, unevaluatedItems: { type: "number" } };
    expect(fits(rest, [null, "contained", 1])).toBe(true);
    expect(fits(rest, [null, "contained", true])).toBe(false);
    expect(fits({ allOf: [first], unevaluatedItems: false }, [null, "contained"])).toBe(true);
    expect(fits({ not: { not: first }, unevaluatedItems: false }, ["a"])).toBe(false);
    const failed = { oneOf: [true, { items: { multipleOf: 1 } }], unevaluatedItems: false };
    expect(fits(failed, [1.5])).toBe(false);
    expect(fits({ prefixItems: [true], contains: true }, [])).toBe(false);
    const either = {
      anyOf: [{ properties: { a: true } }, { properties: { b: { type: "string" } } }],
      unevaluatedProperties: false,
    };
    expect(fits(either, { a: 1, b: "x" })).toBe(true);
    expect(fits(either, { a: 1, b: 2 })).toBe(false);
    const nested = {
      allOf: [{ unevaluatedProperties: { type: "string" } }],
      unevaluatedProperties: false,
    };
    expect(fits(nested, { a: "x" })).toBe(true);
  });

  it("tells patterns of one schema apart", () => {
    const schema = {
      properties: { a: { type: "string", pattern: "^a$" }, b: { type: "string", pattern: "^b$" } },
      patternProperties: { "^x": { type: "integer" }, "^y": { type: "boolean" } },
    };
    expect(fits(schema, { a: "a", b: "b", x1: 1, y1: true })).toBe(true);
    for (const wrong of [{ a: "b" }, { b: "a" }, { x1: true }, { y1: 1 }]) {
      expect(fits(schema, wrong)).toBe(false);
    }
  });

  it("names each place as a JSON pointer, and never the value", () => {
    const schema = {
      type: "object",
      properties: {
        "a/b": { type: "array", items: { type: "string" } },
        kind: { enum: ["x", "y"] },
        either: { anyOf: [{ type: "string" }, { type: "number" }] },
      },
      required: ["name"],
      additionalProperties: false,
    };
    const found = issues(schema, { "a/b": ["secret", 7], kind: "secret", either: null, "~": 1 });
    expect(found).toEqual(
      expect.arrayContaining([
        { path: "/name", message: "Expected required property" },
        { path: "/~0", message: "Unexpected property" },
        { path: "/a~1b/1", message: "Expected string" },
        { path: "/kind", message: 'Expected one of "x", "y"' },
        { path: "/either", message: "Expected union value" },
      ]),
    );
    expect(found).toHaveLength(5);
    expect(JSON.stringify(found)).not.toContain("secret");
  });

  it("stands inside TypeBox schemas, also in copies of it", () => {
    const inner = jsonSchema({
      type: "object",
      required: ["id"],
      properties: { id: { type: "string" } },
    });
    const outer = Type.Object({ items: Type.Array(inner), last: Type.Optional(inner) });
    expect(validatorOf(outer).check({ items: [{ id: "a" }], last: { id: "b" } })).toBe(true);
    expect(validatorOf(outer).issues({ items: [{ id: 1 }, {}], last: { id: 2 } })).toEqual([
      { path: "/items/0/id", message: "Expected string" },
      { path: "/items/1/id", message: "Expected required property" },
      { path: "/last/id", message: "Expected string" },
    ]);
  });

  it("is what it was when it was read", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const made: TSchema = jsonSchema(schema);
    schema.properties.a.type = "number";
    expect(JSON.parse(JSON.stringify(made))).toEqual({
      type: "object",
      properties: { a: { type: "string" } },
    });
    expect(validatorOf(made).check({ a: "text" })).toBe(true);
  });

  it("takes names that objects inherit for names", () => {
    const schema = { type: "object", required: ["toString", "constructor"] };
    expect(fits(schema, {})).toBe(false);
    expect(fits(schema, JSON.parse('{"toString":1,"constructor":2}'))).toBe(true);
    const proto = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
    );
    expect(fits(proto, {})).toBe(false);
    expect(fits(proto, JSON.parse('{"__proto__":"a"}'))).toBe(true);
    expect(({} as Record<string, unknown>).type).toBeUndefined();
  });

  it("ignores what is no constraint: formats, annotations, keywords of its validator", () => {
    const schema = {
      type: "string",
      format: "email",
      nullable: true,
      $async: true,
      discriminator: { propertyName: "x" },
      "alkdev-cost": { steps: -1e9 },
      "x-anything": { $ref: "https://example.com" },
    };
    expect(fits(schema, "no address")).toBe(true);
    expect(fits(schema, null)).toBe(false);
  });

  it.each([
    ["", "text"],
    ["", null],
    ["", undefined],
    ["/properties/a", { properties: { a: 1 } }],
    ["/type", { type: "text" }],
    ["/type", { type: [] }],
    ["/minimum", { minimum: "1" }],
    ["/maxLength", { maxLength: -1 }],
    ["/multipleOf", { multipleOf: 0 }],
    ["/required", { required: "a" }],
    ["/enum", { enum: [] }],
    ["/anyOf", { anyOf: [] }],
    ["/properties", { properties: [] }],
    ["/$ref", { $ref: "https://example.com/schema.json" }],
    ["/$ref", { $ref: "file.json#/a" }],
    ["/$ref", { $ref: "#/$defs/missing" }],
    ["/$ref", { $ref: "#/enum/0", enum: [{ type: "string" }] }],
    ["/$ref", { $ref: "#/__proto__" }],
    ["/$ref", { $ref: "#/%E0%A4%A" }],
    ["/$dynamicRef", { $dynamicRef: "#a" }],
    ["/properties/a/$id", { properties: { a: { $id: "b" } } }],
    ["/properties/a~1b/pattern", { properties: { "a/b": { pattern: "(?=a)" } } }],
    ["/pattern", { pattern: "(" }],
    ["/pattern", { pattern: "((a{100}){100}){100}" }],
    ["/pattern", { pattern: "\\1(a)" }],
    ["/patternProperties/(?!a)", { patternProperties: { "(?!a)": true } }],
  ])("refuses, at %j, %j", (path, schema) => {
    expect(() => jsonSchema(schema)).toThrow(place(path));
  });

  it("refuses schemas that are too large, too deep, or no JSON", () => {
    let deep: unknown = { type: "string" };
    for (let i = 0; i < 70; i += 1) deep = { not: deep };
    expect(() => jsonSchema(deep)).toThrow(code("INVALID_SCHEMA"));
    let deepest: unknown = {};
    for (let i = 0; i < 100_000; i += 1) deepest = { not: deepest };
    expect(() => jsonSchema(deepest)).toThrow(code("INVALID_SCHEMA"));
    expect(() => jsonSchema({ description: "x".repeat(200_000) })).toThrow(code("INVALID_SCHEMA"));
    const cyclic: Record<string, unknown> = {};
    cyclic.not = cyclic;
    expect(() => jsonSchema(cyclic)).toThrow(code("INVALID_SCHEMA"));
    const patterns = Array.from({ length: 200 }, (_, i) => [`^(x{50})${i}`, true]);
    const automata = { patternProperties: Object.fromEntries(patterns) };
    expect(() => jsonSchema(automata)).toThrow(code("INVALID_SCHEMA"));
    expect(() => jsonSchema({ const: 1n })).toThrow(code("INVALID_SCHEMA"));
  });

  it("reads long chains of definitions", () => {
    const $defs: Record<string, unknown> = { d2000: { type: "string" } };
    for (let i = 0; i < 2_000; i += 1) $defs[`d${i}`] = { $ref: `#/$defs/d${i + 1}` };
    const schema = jsonSchema({
      $defs,
      type: "object",
      properties: { a: { $ref: "#/$defs/d1990" } },
    });
    expect(validatorOf(schema).check({ a: "x" })).toBe(true);
    expect(validatorOf(schema).check({ a: 1 })).toBe(false);
  });
});

describe("a check takes bounded time, whatever the schema (M39)", () => {
  it("matches regular expressions that would backtrack for ever", () => {
    const schema = { type: "string", pattern: "^(a+)+$" };
    expect(elapsed(() => expect(fits(schema, `${"a".repeat(100_000)}b`)).toBe(false))).toBeLessThan(
      BOUND_MS,
    );
  });

  it("gives up on schemas that multiply", () => {
    const $defs: Record<string, unknown> = { d40: { type: "string" } };
    for (let i = 0; i < 40; i += 1) {
      const next = { $ref: `#/$defs/d${i + 1}` };
      $defs[`d${i}`] = i % 2 === 0 ? { allOf: [next, next] } : { anyOf: [next, next] };
    }
    const schema = { $defs, $ref: "#/$defs/d0" };
    const both = () => {
      // what fits and what does not multiply in different places
      expect(fits(schema, 1)).toBe(false);
      expect(issues(schema, "text")).toEqual([{ path: "", message: "Takes too long to check" }]);
    };
    expect(elapsed(both)).toBeLessThan(BOUND_MS);
  });

  it("gives up on values that multiply in a recursive schema", () => {
    const self = { properties: { x: { $ref: "#" } }, additionalProperties: false };
    const schema = { type: "object", anyOf: [self, { ...self, required: ["x"] }] };
    let value: unknown = { wrong: 1 };
    for (let i = 0; i < 60; i += 1) value = { x: value };
    expect(elapsed(() => expect(fits(schema, value)).toBe(false))).toBeLessThan(BOUND_MS);
  });

  it("gives up on recursion that consumes nothing", () => {
    expect(issues({ $ref: "#" }, 1)).toHaveLength(1);
    const round = {
      $defs: { a: { not: { $ref: "#/$defs/b" } }, b: { not: { $ref: "#/$defs/a" } } },
    };
    expect(fits({ ...round, $ref: "#/$defs/a" }, 1)).toBe(false);
  });

  it("compares the items of long arrays in linear time", () => {
    const items = Array.from({ length: 100_000 }, (_, i) => ({ a: i, b: [i] }));
    const schema = { type: "array", uniqueItems: true };
    const both = () => {
      expect(fits(schema, items)).toBe(true);
      expect(fits(schema, [...items, { b: [7], a: 7 }])).toBe(false);
    };
    expect(elapsed(both)).toBeLessThan(BOUND_MS);
    expect(fits(schema, [1, "1", true, null, [1], { a: 1 }])).toBe(true);
    expect(fits(schema, [0, -0])).toBe(false);
  });

  it("lists a hundred issues of a million, and long strings under many patterns are given up", () => {
    const found = issues({ type: "array", items: { type: "string" } }, Array(1_000_000).fill(1));
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(100);
    expect(issues({ type: "array", items: { type: "string" } }, Array(1_000).fill(1))).toHaveLength(
      100,
    );
    const many = { allOf: Array.from({ length: 300 }, (_, i) => ({ pattern: `^(x+)+${i}$` })) };
    const long = "x".repeat(1_000_000);
    expect(elapsed(() => expect(fits(many, long)).toBe(false))).toBeLessThan(BOUND_MS);
  });

  it("survives values nested deeper than the stack", () => {
    const schema = { type: "array", items: { $ref: "#" } };
    let value: unknown = [];
    for (let i = 0; i < 100_000; i += 1) value = [value];
    expect(issues(schema, value)).toHaveLength(1);
  });
});
