import { hoistReferences } from "../schema/hoist-references.ts";
import { pointerTo } from "../schema/json-pointer.ts";
import { schemaError } from "../schema/schema-error.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonSchema,
  mapSubschemas,
} from "../schema/subschemas.ts";
import { checkKeywords, isPlainConstraint } from "./check-keywords.ts";

/** Keyword that {@link enforcedSchema} adds: what it costs to apply the schema, and whether once per key. */
export const COST = "alkdev-cost";

/** Value of {@link COST}. */
export interface Cost {
  readonly steps: number;
  readonly perKey: boolean;
}

/** More of them would take more than half a second to compile; a page of properties has some 50. */
const MOST_SCHEMAS = 1_000;

/** Keywords with schemas that the validator gets, as drafts from 2020 on know them. */
const APPLICATORS: ReadonlySet<string> = new Set([
  "additionalProperties",
  "allOf",
  "anyOf",
  "contains",
  "dependentSchemas",
  "else",
  "if",
  "items",
  "not",
  "oneOf",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/** Keywords that look at every key of a value. */
const PER_KEY: readonly string[] = [
  "additionalProperties",
  "patternProperties",
  "propertyNames",
  "unevaluatedProperties",
  "maxProperties",
  "minProperties",
];

/**
 * What is enforced of a JSON Schema of draft 7 to 2020-12: known keywords with values they can have, in the
 * spelling of 2020-12, references below `$defs`, and the cost of each schema. Annotations, formats among
 * them, and unknown keywords go.
 *
 * @throws OperationsError `INVALID_SCHEMA`
 */
export function enforcedSchema(schema: unknown): JsonSchema {
  const { root, definitions } = hoistReferences(schema, { refer: (name) => `#/$defs/${name}` });
  let count = 0;
  const visit = (inner: unknown, path: string): JsonSchema => {
    count += 1;
    if (count > MOST_SCHEMAS) throw schemaError("", `holds more than ${MOST_SCHEMAS} schemas`);
    if (!isJsonObject(inner)) return inner === true;
    checkKeywords(inner, path);
    const known = inDraft2020(mapSubschemas(inner, path, visit));
    return { ...known, [COST]: costOf(known) };
  };
  const enforced = visit(root, "");
  const $defs = Object.entries(definitions).map(([name, definition]) => [
    name,
    visit(definition, pointerTo("/$defs", name)),
  ]);
  if ($defs.length === 0 || !isJsonObject(enforced)) return enforced;
  return { ...enforced, $defs: Object.fromEntries($defs) };
}

/** `items` as a list and `dependencies` are of earlier drafts. */
function inDraft2020(schema: JsonObject): JsonObject {
  const { items, additionalItems, dependencies, ...rest } = schema;
  const made: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).filter(
      ([keyword]) => isPlainConstraint(keyword) || APPLICATORS.has(keyword),
    ),
  );
  if (Array.isArray(items)) {
    if (items.length > 0) made.prefixItems = items;
    if (additionalItems !== undefined) made.items = additionalItems;
  } else if (items !== undefined) made.items = items;
  if (!isJsonObject(dependencies)) return made;
  const entries = Object.entries(dependencies);
  made.dependentRequired = Object.fromEntries(entries.filter(([, names]) => Array.isArray(names)));
  made.dependentSchemas = Object.fromEntries(entries.filter(([, names]) => !Array.isArray(names)));
  return made;
}

function costOf(schema: JsonObject): Cost {
  const lists = [schema.required, schema.enum, ...Object.values(schema.dependentRequired ?? {})];
  const listed = lists.reduce<number>(
    (sum, list) => sum + (Array.isArray(list) ? list.length : 0),
    0,
  );
  return {
    steps: 1 + Object.keys(schema).length + listed,
    perKey: PER_KEY.some((keyword) => keyword in schema),
  };
}
