import { Kind, type TSchema } from "@sinclair/typebox";
import { isPlainObject, type JsonSchema, pointer, schemaError } from "./json-schema.ts";

/** Kinds of values that JSON has no form for. */
const NOT_JSON: ReadonlySet<string> = new Set([
  "AsyncIterator",
  "BigInt",
  "Constructor",
  "Date",
  "Function",
  "Iterator",
  "Promise",
  "Symbol",
  "Uint8Array",
  "Undefined",
  "Void",
]);

/** Kinds whose keywords are JSON Schema already. */
const JSON_KINDS: ReadonlySet<string> = new Set([
  "Any",
  "Array",
  "Boolean",
  "Integer",
  "Intersect",
  "Literal",
  "Never",
  "Not",
  "Null",
  "Number",
  "Object",
  "Record",
  "String",
  "TemplateLiteral",
  "Tuple",
  "Union",
  "Unknown",
  "Unsafe",
]);

/** Keywords that hold one schema, a list of them, or schemas by name. */
const ONE = ["items", "additionalProperties", "unevaluatedProperties", "contains", "not"];
const LIST = ["items", "allOf", "anyOf"];
const BY_NAME = ["properties", "patternProperties"];

/** The schemas that a reference can mean, inside one Module. */
type Definitions = ReadonlyMap<string, TSchema>;

/** Where a definition comes from: the same name may mean different things in an imported Module. */
interface Definition {
  readonly name: string;
  readonly schema: TSchema;
}

/**
 * A Module's entry as JSON Schema that stands alone: the entry itself at the root, and below `$defs` only
 * what it reaches through references, which become `#/$defs/…`.
 *
 * @throws StorageError `INVALID_SCHEMA` for types that JSON has no form for, with their place.
 */
export function projectSchema(entry: string, definitions: Definitions): JsonSchema {
  return new Projection().project(entry, definitions);
}

class Projection {
  readonly #placed: Definition[] = [];
  readonly #defs: Record<string, unknown> = {};

  project(entry: string, definitions: Definitions): JsonSchema {
    const schema = definitions.get(entry);
    if (schema === undefined) throw schemaError("", `has no entry "${entry}"`);
    const root = this.#visit(schema, definitions, "");
    if (Object.keys(this.#defs).length === 0) return root;
    return { ...root, $defs: this.#defs };
  }

  #visit(schema: TSchema, scope: Definitions, path: string): JsonSchema {
    const kind: unknown = schema[Kind];
    if (kind === "Ref" || kind === "This") return this.#reference(schema, scope, path);
    if (kind === "Import") return this.#import(schema, path);
    if (typeof kind !== "string") throw schemaError(path, "is not a TypeBox type");
    if (NOT_JSON.has(kind)) {
      throw schemaError(
        path,
        `is a ${kind}, which JSON has no form for`,
        "Store it as text or number",
      );
    }
    if (!JSON_KINDS.has(kind)) {
      throw schemaError(path, `is of kind "${kind}", which cannot be stored as JSON Schema`);
    }
    if (kind === "Unsafe" || typeof schema.$id !== "string" || path === "") {
      return this.#copy(schema, scope, path);
    }
    // Type.Recursive: its own definition, which `This` inside it refers to
    return this.#refer({ name: schema.$id, schema }, scope, path);
  }

  #copy(schema: TSchema, scope: Definitions, path: string): JsonSchema {
    const raw = schema[Kind] === "Unsafe";
    const inner = withItself(schema, scope);
    const copy: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (keyword === "$id" || value === undefined) continue;
      copy[keyword] = raw ? value : this.#keyword(keyword, value, { scope: inner, path });
    }
    return copy;
  }

  #keyword(
    keyword: string,
    value: unknown,
    { scope, path }: { readonly scope: Definitions; readonly path: string },
  ): unknown {
    const at = pointer(path, keyword);
    if (LIST.includes(keyword) && Array.isArray(value)) {
      return value.map((schema, i) => this.#visit(schema, scope, pointer(at, i)));
    }
    if (ONE.includes(keyword) && isPlainObject(value)) {
      return this.#visit(value as unknown as TSchema, scope, at);
    }
    if (BY_NAME.includes(keyword) && isPlainObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, schema]) => [
          name,
          this.#visit(schema as TSchema, scope, pointer(at, name)),
        ]),
      );
    }
    return value;
  }

  #reference(ref: TSchema, scope: Definitions, path: string): JsonSchema {
    const name: unknown = ref.$ref;
    const schema = typeof name === "string" ? scope.get(name) : undefined;
    if (typeof name !== "string" || schema === undefined) {
      throw schemaError(path, `refers to "${String(name)}", which the Module does not define`);
    }
    return this.#refer({ name, schema }, scope, path);
  }

  /** An entry of another Module: its references mean that Module's definitions. */
  #import(schema: TSchema, path: string): JsonSchema {
    const scope = new Map(Object.entries(schema.$defs as Record<string, TSchema>));
    return this.#reference(schema, scope, path);
  }

  /** Puts a definition below `$defs`, once, and refers to it. */
  #refer(definition: Definition, scope: Definitions, path: string): JsonSchema {
    const known = this.#placed.find(({ schema }) => schema === definition.schema);
    if (known !== undefined) return { $ref: `#/$defs/${known.name}` };
    const name = this.#freeName(definition.name);
    this.#placed.push({ name, schema: definition.schema });
    const { $id: _, ...anonymous } = definition.schema;
    const inner = withItself(definition.schema, scope);
    this.#defs[name] = this.#visit(anonymous as unknown as TSchema, inner, path);
    return { $ref: `#/$defs/${name}` };
  }

  #freeName(wanted: string): string {
    const taken = (name: string): boolean => this.#placed.some((placed) => placed.name === name);
    let name = wanted;
    for (let i = 2; taken(name); i += 1) name = `${wanted}_${i}`;
    return name;
  }
}

/** `This` of a recursive type refers to the type's own `$id`. */
function withItself(schema: TSchema, scope: Definitions): Definitions {
  const id = schema.$id;
  if (typeof id !== "string" || scope.has(id)) return scope;
  return new Map([...scope, [id, schema]]);
}
