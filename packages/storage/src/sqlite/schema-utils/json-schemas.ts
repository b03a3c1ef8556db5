import { Kind, type TSchema, type TUnsafe, Type, TypeRegistry } from "@sinclair/typebox";

const JSON_KIND = "AlkdevJson";
const JSON_OBJECT_KIND = "AlkdevJsonObject";

TypeRegistry.Set(JSON_KIND, (_schema, value) => value !== null && isJson(value));
TypeRegistry.Set(JSON_OBJECT_KIND, (_schema, value) => isPlainObject(value) && isJson(value));

/**
 * Any JSON value but a bare `null`, which a column stores as SQL NULL. Checked to the bottom: no Date, bigint,
 * NaN, Map, class instance or cycle anywhere, as it would not come back as it went in.
 */
export function jsonValueSchema<T>(): TUnsafe<T> {
  return Type.Unsafe<T>(custom(JSON_KIND, { not: { type: "null" } }));
}

/** A JSON object, checked to the bottom like {@link jsonValueSchema}. */
export function jsonObjectSchema<T>(): TUnsafe<T> {
  return Type.Unsafe<T>(custom(JSON_OBJECT_KIND, { type: "object" }));
}

/** Whether JSON gives the value back unchanged; properties that are `undefined` are left out, as by JSON. */
export function isJson(value: unknown): boolean {
  try {
    return isJsonBelow(value, new Set());
  } catch (error) {
    // tens of thousands of levels, which JSON.stringify would not survive either
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** `plain` is what JSON Schema sees of it. */
function custom(kind: string, plain: Readonly<Record<string, unknown>>): TSchema {
  return { ...plain, [Kind]: kind } as unknown as TSchema;
}

function isJsonBelow(value: unknown, ancestors: Set<object>): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || ancestors.has(value)) return false;
  ancestors.add(value);
  const fits = Array.isArray(value)
    ? value.every((item) => isJsonBelow(item, ancestors))
    : isPlainObject(value) &&
      Object.values(value).every((item) => item === undefined || isJsonBelow(item, ancestors));
  ancestors.delete(value);
  return fits;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
