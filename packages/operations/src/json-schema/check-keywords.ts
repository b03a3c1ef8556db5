import { pointerTo } from "../schema/json-pointer.ts";
import { schemaError } from "../schema/schema-error.ts";
import {
  isJsonObject,
  type JsonObject,
  SCHEMA_LISTS,
  SCHEMAS_BY_NAME,
} from "../schema/subschemas.ts";
import type { BoundedRegExps } from "./bounded-regexp.ts";

interface Rule {
  /** What the value must be. */
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const COUNT: Rule = { expected: "a count", fits: isCount };
const NUMBER: Rule = { expected: "a number", fits: isNumber };
const NAMES: Rule = { expected: "a list of names", fits: isNames };

/** Keywords whose values are no schemas. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ["type", { expected: "a type of JSON or a list of them", fits: isType }],
  ["enum", { expected: "a list of values", fits: isFilledList }],
  ["const", { expected: "a value", fits: () => true }],
  ["multipleOf", { expected: "a number above 0", fits: (value) => isNumber(value) && value > 0 }],
  ["maximum", NUMBER],
  ["exclusiveMaximum", NUMBER],
  ["minimum", NUMBER],
  ["exclusiveMinimum", NUMBER],
  ["maxLength", COUNT],
  ["minLength", COUNT],
  ["maxItems", COUNT],
  ["minItems", COUNT],
  ["maxContains", COUNT],
  ["minContains", COUNT],
  ["maxProperties", COUNT],
  ["minProperties", COUNT],
  ["uniqueItems", { expected: "true or false", fits: (value) => typeof value === "boolean" }],
  ["required", NAMES],
  ["dependentRequired", { expected: "lists of names", fits: isListsOfNames }],
  ["pattern", { expected: "a regular expression", fits: (value) => typeof value === "string" }],
  ["$ref", { expected: "a reference", fits: (value) => typeof value === "string" }],
]);

const TYPES: ReadonlySet<unknown> = new Set([
  "array",
  "boolean",
  "integer",
  "null",
  "number",
  "object",
  "string",
]);

/**
 * Refuses values that a keyword of a schema cannot have. What stands in schemas inside is not looked at.
 *
 * @throws OperationsError `INVALID_SCHEMA`
 */
export function checkKeywords(schema: JsonObject, path: string, regExps: BoundedRegExps): void {
  for (const [keyword, value] of Object.entries(schema)) {
    const at = pointerTo(path, keyword);
    const rule = RULES.get(keyword);
    if (rule !== undefined && !rule.fits(value)) throw schemaError(at, `is not ${rule.expected}`);
    if (SCHEMA_LISTS.has(keyword) && !isFilledList(value)) {
      throw schemaError(at, "is not a list of schemas");
    }
    if (SCHEMAS_BY_NAME.has(keyword) && !isJsonObject(value)) {
      throw schemaError(at, "does not hold schemas by name");
    }
    if (keyword === "pattern") requireBounded(value as string, at, regExps);
    if (keyword !== "patternProperties") continue;
    for (const pattern of Object.keys(value as JsonObject)) {
      requireBounded(pattern, pointerTo(at, pattern), regExps);
    }
  }
}

function requireBounded(pattern: string, path: string, regExps: BoundedRegExps): void {
  try {
    regExps.of(pattern);
  } catch (error) {
    throw schemaError(
      path,
      `is a regular expression that cannot be matched in bounded time: ${(error as Error).message}`,
      "Do without look-around, back-references and counts above 1,000",
    );
  }
}

function isType(value: unknown): boolean {
  if (!Array.isArray(value)) return TYPES.has(value);
  return value.length > 0 && value.every((type) => TYPES.has(type));
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFilledList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

function isListsOfNames(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every(isNames);
}
