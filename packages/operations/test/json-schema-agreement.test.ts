import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonSchema } from "../src/json-schema.ts";
import { validatorOf } from "../src/schema/validator.ts";

describe("agreement with ajv (M39)", () => {
  it("says of any value what ajv says", () => {
    fc.assert(
      fc.property(
        randomSchema().filter(isForAjv),
        fc.array(nearValue(), { maxLength: 12 }),
        (schema, values) => {
          const ours = validatorOf(jsonSchema(schema));
          const theirs = new Ajv2020({ strict: false, ownProperties: true }).compile(schema);
          for (const value of values) {
            expect(ours.check(value), JSON.stringify(value)).toBe(theirs(value));
            expect(ours.issues(value).length > 0, JSON.stringify(value)).toBe(!theirs(value));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** ajv 8 counts items of branches of "oneOf" that failed as evaluated, and `[]` as containing something. */
function isForAjv(schema: unknown): boolean {
  const text = JSON.stringify(schema);
  return (
    !text.includes("unevaluatedItems") &&
    !(text.includes("contains") && text.includes("prefixItems"))
  );
}

/** Schemas of every keyword, over the names a, b, c and small numbers. */
function randomSchema(): fc.Arbitrary<Record<string, unknown> | boolean> {
  const name = fc.constantFrom("a", "b", "c");
  const count = fc.nat({ max: 3 });
  const number = fc.integer({ min: -1, max: 3 });
  const { schema } = fc.letrec<{ schema: Record<string, unknown> | boolean }>((tie) => {
    const some = tie("schema");
    const list = fc.array(some, { minLength: 1, maxLength: 3 });
    const byName = fc.dictionary(name, some, { maxKeys: 3, noNullPrototype: true });
    return {
      schema: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.boolean(),
        fc
          .record(
            {
              type: fc.constantFrom("string", "number", "integer", "object", "array", [
                "null",
                "boolean",
              ]),
              enum: fc.array(nearValue(), { minLength: 1, maxLength: 3 }),
              const: nearValue(),
              minimum: number,
              exclusiveMinimum: number,
              maximum: number,
              exclusiveMaximum: number,
              multipleOf: fc.constantFrom(1, 2, 0.5),
              minLength: count,
              maxLength: count,
              pattern: fc.constantFrom("^a", "b$", "^[ab]{1,2}$"),
            },
            { requiredKeys: [] },
          )
          .map((keywords) => Object.fromEntries(Object.entries(keywords).slice(0, 2))),
        fc.record(
          {
            properties: byName,
            patternProperties: fc.dictionary(fc.constantFrom("^a", "^[bc]"), some, {
              maxKeys: 2,
              noNullPrototype: true,
            }),
            additionalProperties: some,
            propertyNames: some,
            required: fc.uniqueArray(name, { maxLength: 2 }),
            dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), {
              noNullPrototype: true,
            }),
            dependentSchemas: byName,
            minProperties: count,
            maxProperties: count,
            unevaluatedProperties: some,
          },
          { requiredKeys: [] },
        ),
        fc.record(
          {
            prefixItems: list,
            items: some,
            contains: some,
            uniqueItems: fc.boolean(),
            minItems: count,
            maxItems: count,
            unevaluatedItems: some,
          },
          { requiredKeys: [] },
        ),
        fc.record({ contains: some, minContains: count, maxContains: count }),
        fc.record(
          {
            ...each(["allOf", "anyOf", "oneOf"], list),
            ...each(["not", "if", "then", "else"], some),
            properties: byName,
            unevaluatedProperties: some,
            unevaluatedItems: some,
          },
          { requiredKeys: [] },
        ),
      ),
    };
  });
  return fc
    .tuple(schema, schema, fc.boolean())
    .map(([root, shared, refers]) =>
      refers && typeof root === "object"
        ? { $defs: { shared }, allOf: [root, { properties: { a: { $ref: "#/$defs/shared" } } }] }
        : root,
    );
}

function nearValue(): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 2 },
      fc.constantFrom<unknown>("", "a", "ab", 0, 1, 2, 3, 1.5, true, null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
  }));
  return value;
}

function each<Value>(keywords: readonly string[], value: Value): Record<string, Value> {
  return Object.fromEntries(keywords.map((keyword) => [keyword, value]));
}
