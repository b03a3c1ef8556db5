import { hoistReferences } from "../schema/hoist-references.ts";
import { pointerTo } from "../schema/json-pointer.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonSchema,
  mapSubschemas,
} from "../schema/subschemas.ts";
import type { BoundedRegExps } from "./bounded-regexp.ts";
import { checkKeywords } from "./check-keywords.ts";

/** A schema of known keywords, in the spelling of 2020-12; each `$ref` is the name of a definition. */
export interface EnforcedSchema {
  readonly root: JsonSchema;
  readonly definitions: Readonly<Record<string, JsonSchema>>;
}

/**
 * Checks a JSON Schema of draft 7 to 2020-12, and takes its definitions apart.
 *
 * @throws OperationsError `INVALID_SCHEMA`
 */
export function enforcedSchema(schema: unknown, regExps: BoundedRegExps): EnforcedSchema {
  const { root, definitions } = hoistReferences(schema, { refer: (name) => name });
  const visit = (inner: unknown, path: string): JsonSchema => {
    if (!isJsonObject(inner)) return inner === true;
    checkKeywords(inner, path, regExps);
    return inDraft2020(mapSubschemas(inner, path, visit));
  };
  const named = Object.entries(definitions).map(
    ([name, definition]) => [name, visit(definition, pointerTo("/$defs", name))] as const,
  );
  return { root: visit(root, ""), definitions: Object.fromEntries(named) };
}

/** `items` as a list and `dependencies` are of earlier drafts. */
function inDraft2020(schema: JsonObject): JsonObject {
  const { items, additionalItems, dependencies, ...rest } = schema;
  const made: Record<string, unknown> = { ...rest };
  if (Array.isArray(items)) {
    made.prefixItems = items;
    if (additionalItems !== undefined) made.items = additionalItems;
  } else if (items !== undefined) made.items = items;
  if (!isJsonObject(dependencies)) return made;
  const entries = Object.entries(dependencies);
  const lists = entries.filter(([, names]) => Array.isArray(names));
  const schemas = entries.filter(([, names]) => !Array.isArray(names));
  made.dependentRequired = { ...Object.fromEntries(lists), ...(rest.dependentRequired ?? {}) };
  made.dependentSchemas = { ...Object.fromEntries(schemas), ...(rest.dependentSchemas ?? {}) };
  return made;
}
