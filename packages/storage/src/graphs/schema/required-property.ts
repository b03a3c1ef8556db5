import { type TSchema, Type } from "@sinclair/typebox";
import { ANNOTATIONS, isPlainObject, type JsonSchema } from "./json-schema.ts";

/**
 * Whether TypeBox would let a required property of this schema be missing: it asks for the key only where
 * it sees that the schema admits `undefined`, and does not see it inside a union, an intersection, a
 * negation or behind a reference.
 *
 * @param whole the schema that all of it stands in, with its `$defs`
 */
export function mayBeAbsent(
  schema: unknown,
  whole: JsonSchema,
  followed: ReadonlySet<string> = new Set(),
): boolean {
  if (!isPlainObject(schema)) return false;
  const admits = (inner: unknown, refs = followed): boolean =>
    isAnything(inner) || mayBeAbsent(inner, whole, refs);
  if (Array.isArray(schema.anyOf)) return schema.anyOf.some((inner) => admits(inner));
  if (Array.isArray(schema.allOf)) return schema.allOf.every((inner) => admits(inner));
  const { $ref } = schema;
  if (typeof $ref === "string" && !followed.has($ref)) {
    return admits(referred($ref, whole), new Set([...followed, $ref]));
  }
  return schema.not !== undefined;
}

/** The same schema, refusing `undefined`. */
export function present(property: TSchema): TSchema {
  return Type.Intersect([property, Type.Not(Type.Undefined())]);
}

/** The name below `$defs` that a reference means. */
export function definitionName(ref: unknown): string | undefined {
  if (typeof ref !== "string" || !ref.startsWith("#/$defs/")) return undefined;
  return ref.slice("#/$defs/".length).replaceAll("~1", "/").replaceAll("~0", "~");
}

/** What a reference means; `#` is the whole, whose definitions are no constraint. */
function referred(ref: string, { $defs, ...rest }: JsonSchema): unknown {
  const name = definitionName(ref);
  if (name === undefined) return rest;
  return isPlainObject($defs) ? $defs[name] : undefined;
}

/** A schema without any constraint. */
function isAnything(schema: unknown): boolean {
  if (schema === true) return true;
  return isPlainObject(schema) && Object.keys(schema).every((keyword) => ANNOTATIONS.has(keyword));
}
