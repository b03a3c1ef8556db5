import { pointerTo, stepsOf } from "./json-pointer.ts";

/** A JSON Schema: an object of keywords, `true` for anything, `false` for nothing. */
export type JsonSchema = boolean | JsonObject;

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Makes something of a schema inside another. */
type SchemaVisitor = (schema: unknown, path: string) => unknown;

/** Keywords that hold one schema, of all drafts; `items` may hold a list, too. */
const ONE: ReadonlySet<string> = new Set([
  "additionalItems",
  "additionalProperties",
  "contains",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Keywords that hold a list of schemas. */
export const SCHEMA_LISTS: ReadonlySet<string> = new Set([
  "allOf",
  "anyOf",
  "oneOf",
  "prefixItems",
]);

/** Keywords that hold schemas by name; `dependencies` lists of names, too. */
export const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "dependencies",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** Whether a value is an object of JSON: no list, not `null`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy of a schema in which each schema directly inside is what `visit` made of it. */
export function mapSubschemas(
  schema: JsonObject,
  path: string,
  visit: SchemaVisitor,
): Record<string, unknown> {
  const entries = Object.entries(schema).map(([keyword, value]) => {
    const at = pointerTo(path, keyword);
    const form = formOf(keyword, value);
    if (form === "one") return [keyword, visit(value, at)];
    if (form === "list" && Array.isArray(value)) {
      return [keyword, value.map((item, i) => visit(item, pointerTo(at, i)))];
    }
    if (form !== "byName" || !isJsonObject(value)) return [keyword, value];
    const named = Object.entries(value).map(([name, item]) => [
      name,
      Array.isArray(item) ? item : visit(item, pointerTo(at, name)),
    ]);
    return [keyword, Object.fromEntries(named)];
  });
  return Object.fromEntries(entries);
}

/** The schema that a JSON pointer leads to; `undefined` where it leads to something else or nowhere. */
export function schemaAt(whole: unknown, pointer: string): unknown {
  let current = whole;
  const steps = [...stepsOf(pointer)];
  for (let keyword = steps.shift(); keyword !== undefined; keyword = steps.shift()) {
    current = own(current, keyword);
    const form = formOf(keyword, current);
    if (form === undefined) return undefined;
    if (form !== "one") current = own(current, steps.shift());
  }
  return current;
}

function formOf(keyword: string, value: unknown): "one" | "list" | "byName" | undefined {
  if (keyword === "items" && Array.isArray(value)) return "list";
  if (ONE.has(keyword)) return "one";
  if (SCHEMA_LISTS.has(keyword)) return "list";
  return SCHEMAS_BY_NAME.has(keyword) ? "byName" : undefined;
}

function own(value: unknown, key: string | undefined): unknown {
  if (typeof value !== "object" || value === null || key === undefined) return undefined;
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}
