import { Kind, type TSchema } from "@sinclair/typebox";
import { hoistReferences } from "./hoist-references.ts";
import { ownValidator } from "./own-validator.ts";
import { schemaError } from "./schema-error.ts";
import { isJsonObject, type JsonObject, mapSubschemas } from "./subschemas.ts";

/** Kinds of values that JSON has no form for. */
const NOT_JSON: ReadonlySet<unknown> = new Set([
  "AsyncIterator",
  "BigInt",
  "Constructor",
  "Date",
  "Function",
  "Iterator",
  "Promise",
  "RegExp",
  "Symbol",
  "Uint8Array",
  "Undefined",
  "Void",
]);

/** Key pattern of TypeBox's records of anything. */
const ANY_KEY = "^(.*)$";

/** Schemas that references can mean, by id. */
type Scope = ReadonlyMap<string, TSchema>;

/**
 * A TypeBox schema as plain JSON Schema 2020-12 that stands alone: references lead below its own `$defs`.
 * It admits the same values, except that `format` is a hint in JSON Schema.
 *
 * @throws OperationsError `INVALID_SCHEMA` for types that JSON has no form for, with their place
 *
 * @example
 * ```ts
 * import { Type } from "@sinclair/typebox";
 *
 * toJsonSchema(Type.Tuple([Type.String()])); // { type: "array", prefixItems: […], minItems: 1, maxItems: 1 }
 * ```
 */
export function toJsonSchema(schema: TSchema): Record<string, unknown> {
  return new Conversion().convert(schema);
}

class Conversion {
  /** Definitions by what they were made of. */
  readonly #names = new Map<TSchema, string>();
  readonly #defs: Record<string, unknown> = {};

  convert(schema: TSchema): Record<string, unknown> {
    if (schema[Kind] === undefined) throw schemaError("", "is no TypeBox schema");
    const root = this.#inlined(this.#visit(schema, new Map(), ""));
    const whole = Object.keys(this.#defs).length === 0 ? root : { ...root, $defs: this.#defs };
    // values such as defaults may be no JSON, and belong to others
    return JSON.parse(JSON.stringify(whole));
  }

  /** A root that is only a reference says little to readers who look for its type. */
  #inlined(root: JsonObject): JsonObject {
    const name = typeof root.$ref === "string" ? root.$ref.slice("#/$defs/".length) : undefined;
    if (name === undefined || Object.keys(root).length > 1) return root;
    const definition = this.#defs[name] as JsonObject;
    if (!JSON.stringify(this.#defs).includes(`"$ref":"${root.$ref}"`)) delete this.#defs[name];
    return definition;
  }

  #visit(schema: TSchema, scope: Scope, path: string): JsonObject {
    const kind: unknown = schema[Kind];
    if (NOT_JSON.has(kind)) {
      throw schemaError(path, `is a ${kind}, which JSON has no form for`, "Send text or a number");
    }
    if (ownValidator(schema) !== undefined || kind === "Unsafe" || kind === undefined) {
      return this.#embed(schema);
    }
    if (kind === "Import") {
      const inner = new Map(Object.entries(schema.$defs as Record<string, TSchema>));
      return this.#refer(schema.$ref, inner, path);
    }
    if (kind === "Ref" || kind === "This") return this.#refer(schema.$ref, scope, path);
    if (schema.$id === undefined) return this.#copy(schema, scope, path);
    return this.#refer(schema.$id, new Map([...scope, [schema.$id, schema]]), path);
  }

  #copy(schema: TSchema, scope: Scope, path: string): JsonObject {
    const copy = mapSubschemas(schema, path, (inner, at) =>
      // { additionalProperties: false }
      isJsonObject(inner) ? this.#visit(inner as unknown as TSchema, scope, at) : inner,
    );
    return inDraft2020(copy);
  }

  /** JSON Schema already. */
  #embed(schema: TSchema): JsonObject {
    const { root, definitions } = hoistReferences(schema, {
      refer: (name) => `#/$defs/${name}`,
      isTaken: (name) => Object.hasOwn(this.#defs, name),
    });
    Object.assign(this.#defs, definitions);
    return root as JsonObject;
  }

  /** Puts what a reference means below `$defs`, once, and refers to it. */
  #refer(id: unknown, scope: Scope, path: string): JsonObject {
    const schema = typeof id === "string" ? scope.get(id) : undefined;
    if (schema === undefined)
      throw schemaError(path, `refers to "${String(id)}", which is nowhere`);
    let name = this.#names.get(schema);
    if (name === undefined) {
      name = this.#freeName(String(id));
      this.#names.set(schema, name);
      this.#defs[name] = {};
      const { $id: _, ...anonymous } = schema;
      this.#defs[name] = this.#visit(anonymous as TSchema, scope, path);
    }
    return { $ref: `#/$defs/${name}` };
  }

  #freeName(id: string): string {
    const base = id.replaceAll(/[^A-Za-z0-9_-]/g, "_");
    let name = base;
    for (let i = 2; Object.hasOwn(this.#defs, name); i += 1) name = `${base}_${i}`;
    return name;
  }
}

/** TypeBox spells tuples as draft 7 does, and records by patterns, which few tools read. */
function inDraft2020(schema: JsonObject): JsonObject {
  const { items, additionalItems, patternProperties, ...rest } = schema;
  const made: Record<string, unknown> = { ...rest };
  if (Array.isArray(items)) made.prefixItems = items;
  else if (items !== undefined) made.items = items;
  if (additionalItems !== undefined && !("maxItems" in schema)) made.items = additionalItems;
  if (isJsonObject(patternProperties) && Object.hasOwn(patternProperties, ANY_KEY)) {
    made.additionalProperties = patternProperties[ANY_KEY];
  } else if (patternProperties !== undefined) made.patternProperties = patternProperties;
  return made;
}
