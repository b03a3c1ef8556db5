import { isPlainObject, type JsonSchema, pointer } from "../schema/json-schema.ts";

/** A value that its schema says is encrypted. */
export interface EncryptedValue {
  /** Where, as a JSON pointer: `/value`. */
  readonly path: string;
  /** What stands there; it may be malformed. */
  readonly value: unknown;
}

/** The properties that make a schema one of encrypted data, whatever their limits are. */
const FIELDS = ["data", "iv", "keyVersion", "salt"];
const LISTS = ["anyOf", "allOf"];

/**
 * The values in a row's attributes that are encrypted: those that stand where its stored schema has the
 * type of encrypted data, through references, lists, alternatives and open properties.
 *
 * @example
 * ```ts
 * for (const { path, value } of encryptedValues(row.schema, row.attributes)) console.log(path, value);
 * ```
 */
export function encryptedValues(
  schema: JsonSchema,
  attributes: unknown,
): readonly EncryptedValue[] {
  const walk = new Walk(schema);
  walk.visit(schema, attributes, "");
  return [...walk.found].map(([path, value]) => ({ path, value }));
}

/** The attributes with the values at some paths replaced; the rest is shared. */
export function replaceValues(
  attributes: unknown,
  values: ReadonlyMap<string, unknown>,
  path = "",
): unknown {
  if (values.has(path)) return values.get(path);
  if (Array.isArray(attributes)) {
    return attributes.map((item, i) => replaceValues(item, values, pointer(path, i)));
  }
  if (!isPlainObject(attributes)) return attributes;
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      replaceValues(value, values, pointer(path, name)),
    ]),
  );
}

/** True where rows of the schema may hold encrypted values. */
export function mayHoldEncrypted(schema: JsonSchema): boolean {
  if (isEncryptedSchema(schema)) return true;
  return Object.values(schema).some((value) =>
    Array.isArray(value)
      ? value.some((item) => isPlainObject(item) && mayHoldEncrypted(item))
      : isPlainObject(value) && mayHoldEncrypted(value),
  );
}

class Walk {
  readonly found = new Map<string, unknown>();
  readonly #root: JsonSchema;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  visit(schema: unknown, value: unknown, path: string): void {
    if (!isPlainObject(schema) || typeof value !== "object" || value === null) return;
    if (typeof schema.$ref === "string") this.visit(this.#definition(schema.$ref), value, path);
    for (const list of LISTS) {
      for (const part of Array.isArray(schema[list]) ? schema[list] : []) {
        this.visit(part, value, path);
      }
    }
    if (isEncryptedSchema(schema)) this.#take(value, path);
    else if (Array.isArray(value)) this.#items(schema, value, path);
    else this.#properties(schema, value as Readonly<Record<string, unknown>>, path);
  }

  /** Among alternatives there may be other objects; what names no key version needs no key either. */
  #take(value: object, path: string): void {
    if (Object.hasOwn(value, "keyVersion")) this.found.set(path, value);
  }

  #items(schema: JsonSchema, value: readonly unknown[], path: string): void {
    const { items, additionalItems } = schema;
    for (const [i, item] of value.entries()) {
      const one: unknown = Array.isArray(items) ? (items[i] ?? additionalItems) : items;
      this.visit(one, item, pointer(path, i));
    }
  }

  #properties(schema: JsonSchema, value: Readonly<Record<string, unknown>>, path: string): void {
    const properties = isPlainObject(schema.properties) ? schema.properties : {};
    const patterns = isPlainObject(schema.patternProperties) ? schema.patternProperties : {};
    for (const [name, inner] of Object.entries(value)) {
      const at = pointer(path, name);
      const matching = Object.entries(patterns).filter(([pattern]) =>
        new RegExp(pattern).test(name),
      );
      for (const [, pattern] of matching) this.visit(pattern, inner, at);
      if (Object.hasOwn(properties, name)) this.visit(properties[name], inner, at);
      else if (matching.length === 0) this.visit(schema.additionalProperties, inner, at);
    }
  }

  #definition(ref: string): unknown {
    if (ref === "#") return this.#root;
    const name = ref.slice("#/$defs/".length).replaceAll("~1", "/").replaceAll("~0", "~");
    const { $defs } = this.#root;
    return isPlainObject($defs) && Object.hasOwn($defs, name) ? $defs[name] : undefined;
  }
}

function isEncryptedSchema({ type, properties, required }: JsonSchema): boolean {
  if (type !== "object" || !isPlainObject(properties) || !Array.isArray(required)) return false;
  return (
    Object.keys(properties).sort().join() === FIELDS.join() &&
    FIELDS.every((field) => required.includes(field))
  );
}
