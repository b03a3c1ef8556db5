import { pointerTo } from "./json-pointer.ts";
import { schemaError } from "./schema-error.ts";
import { isJsonObject, type JsonSchema, mapSubschemas, schemaAt } from "./subschemas.ts";

/** A schema taken apart: what it is, and what references in it mean, by name. */
export interface HoistedSchema {
  readonly root: JsonSchema;
  readonly definitions: Readonly<Record<string, JsonSchema>>;
}

/** Options of {@link hoistReferences}. */
export interface HoistOptions {
  /** The reference to the definition of a name: `#/$defs/Tree`. */
  readonly refer: (name: string) => string;
  /** Whether a name is taken. Default: none is. */
  readonly isTaken?: (name: string) => boolean;
}

/** Deeper schemas are refused, so that neither reading nor checking can exhaust the stack. */
const DEEPEST = 64;

/**
 * Takes the definitions out of a JSON Schema, so that it can stand inside something else. Only what is
 * referred to is kept, and references that lead out of the schema are refused, as they would be asked of
 * the network or of whatever surrounds the schema.
 *
 * @throws OperationsError `INVALID_SCHEMA`
 */
export function hoistReferences(schema: unknown, options: HoistOptions): HoistedSchema {
  return new Hoisting(schema, options).hoist();
}

class Hoisting {
  readonly #whole: unknown;
  readonly #options: HoistOptions;
  /** Name of each definition, by its place in the schema. */
  readonly #names = new Map<string, string>();
  readonly #definitions: Record<string, JsonSchema> = {};
  /** Places that are referred to and not visited yet. */
  readonly #pending: string[] = [];

  constructor(whole: unknown, options: HoistOptions) {
    this.#whole = whole;
    this.#options = options;
  }

  hoist(): HoistedSchema {
    const root = this.#visit(this.#whole, "", 0);
    for (let place = this.#pending.pop(); place !== undefined; place = this.#pending.pop()) {
      const name = this.#names.get(place) as string;
      this.#definitions[name] = this.#visit(schemaAt(this.#whole, place), place, 0);
    }
    return { root, definitions: this.#definitions };
  }

  #visit(schema: unknown, path: string, depth: number): JsonSchema {
    if (depth > DEEPEST) throw schemaError(path, `is nested deeper than ${DEEPEST} levels`);
    if (typeof schema === "boolean") return schema;
    if (!isJsonObject(schema)) throw schemaError(path, "is no schema: an object or a boolean");
    // the base of references: one inside would change what they mean
    const { $id: _, $defs: __, definitions: ___, ...rest } = schema;
    if (schema.$id !== undefined && path !== "") {
      throw schemaError(pointerTo(path, "$id"), "stands inside the schema", "Use $defs");
    }
    for (const keyword of ["$dynamicRef", "$recursiveRef"]) {
      if (schema[keyword] !== undefined) {
        throw schemaError(
          pointerTo(path, keyword),
          "is a keyword that is not supported",
          "Use $ref",
        );
      }
    }
    const copy = mapSubschemas(rest, path, (inner, at) => this.#visit(inner, at, depth + 1));
    if (schema.$ref !== undefined) copy.$ref = this.#refer(schema.$ref, pointerTo(path, "$ref"));
    return copy;
  }

  #refer(ref: unknown, path: string): string {
    const pointer = localPointer(ref);
    if (pointer === null || schemaAt(this.#whole, pointer) === undefined) {
      throw schemaError(path, `is ${JSON.stringify(ref)}, which is no schema inside this one`);
    }
    let name = this.#names.get(pointer);
    if (name === undefined) {
      name = this.#freeName(pointer);
      this.#names.set(pointer, name);
      this.#definitions[name] = {};
      this.#pending.push(pointer);
    }
    return this.#options.refer(name);
  }

  #freeName(pointer: string): string {
    const wanted = pointer.slice(pointer.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9_-]/g, "_");
    const taken = (name: string): boolean =>
      Object.hasOwn(this.#definitions, name) || this.#options.isTaken?.(name) === true;
    const base = wanted === "" || wanted === "__proto__" ? "Root" : wanted;
    let name = base;
    for (let i = 2; taken(name); i += 1) name = `${base}_${i}`;
    return name;
  }
}

/** The JSON pointer of a reference within its schema, or `null`. */
function localPointer(ref: unknown): string | null {
  if (typeof ref !== "string" || !/^#(\/|$)/.test(ref)) return null;
  try {
    return decodeURIComponent(ref.slice(1));
  } catch {
    return null;
  }
}
