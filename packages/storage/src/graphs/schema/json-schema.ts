import { StorageError } from "../../errors.ts";

/** A JSON Schema as a `schema` column holds it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Keywords that constrain values, by the `type` they belong to. Anything that is neither here nor in
 * {@link ANNOTATIONS} is refused, so that no constraint is ever ignored.
 */
export const KEYWORDS = {
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  boolean: [],
  null: [],
  array: [
    "items",
    "additionalItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
  ],
  object: [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "minProperties",
    "maxProperties",
  ],
} as const;

/** A JSON type by name. */
export type JsonType = keyof typeof KEYWORDS;

/** Keywords that say something to people and nothing to a validator. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentEncoding",
  "contentMediaType",
  "$comment",
  "$schema",
  "$id",
]);

/** Names every object inherits; TypeBox would see the inherited value where the property is missing. */
export const INHERITED_NAMES: ReadonlySet<string> = new Set(
  Object.getOwnPropertyNames(Object.prototype),
);

/** True for objects as JSON knows them: no arrays, dates or class instances. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** True for what JSON can hold without a loss. */
export function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isPlainObject(value) && Object.values(value).every(isJson);
}

/** An `INVALID_SCHEMA` error about one place in a schema, given as a JSON pointer. */
export function schemaError(path: string, problem: string, hint?: string): StorageError {
  return new StorageError("INVALID_SCHEMA", `schema at "${path === "" ? "/" : path}" ${problem}`, {
    details: { path, problem },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A pointer with one more step, escaped as RFC 6901 says. */
export function pointer(path: string, step: string | number): string {
  return `${path}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
