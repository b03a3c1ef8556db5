import { Kind, type TSchema } from "@sinclair/typebox";
import { schemaError } from "./json-schema.ts";

/**
 * Refuses recursion that consumes nothing, as in `{"$defs": {"A": {"$ref": "#/$defs/A"}}}`: a value could
 * be checked against it forever.
 */
export function checkGuarded(parsed: {
  readonly root: TSchema;
  readonly references: readonly TSchema[];
}): void {
  const byId = new Map(parsed.references.map((schema) => [schema.$id, schema]));
  const done = new Set<string>();
  const open = new Set<string>();

  function enter(id: string): void {
    if (done.has(id)) return;
    if (open.has(id))
      throw schemaError("", "refers to itself without a property or item in between");
    open.add(id);
    const schema = byId.get(id);
    if (schema !== undefined) walk(schema);
    open.delete(id);
    done.add(id);
  }

  /** Follows only what applies to the same value. */
  function walk(schema: TSchema): void {
    const kind: unknown = schema[Kind];
    if (kind === "Ref") enter(schema.$ref);
    else if (kind === "Union") schema.anyOf.forEach(walk);
    else if (kind === "Intersect") schema.allOf.forEach(walk);
    else if (kind === "Not") walk(schema.not);
  }

  for (const id of byId.keys()) if (id !== undefined) enter(id);
  walk(parsed.root);
}
