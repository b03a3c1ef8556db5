import { type Edit, Value } from "@sinclair/typebox/value";
import type { JsonSchema } from "../schema/json-schema.ts";
import { parseSchema } from "../schema/parse-schema.ts";
import { type ChangeKind, type SchemaChange, worstOf } from "./change.ts";
import { compareSchemas } from "./compare-schemas.ts";

/** What changed between two schemas. */
export interface Classification {
  readonly kind: ChangeKind;
  /** Every difference by its place in the data, and what it means. */
  readonly changes: readonly SchemaChange[];
  /** The differences of the schemas as documents, from `Value.Diff`. */
  readonly edits: readonly Edit[];
}

/**
 * Whether data that is valid under `stored` is valid under `current`: `none` where nothing changed,
 * `additive` where all of it is, `breaking` where some may not be. It errs on the side of `breaking`.
 *
 * Additive changes with `dependsOnData` are an exception by name: the stored data decides.
 *
 * @throws StorageError `INVALID_SCHEMA` for schemas that cannot be stored.
 *
 * @example
 * ```ts
 * const { kind, changes } = classifyChange(row.schema, moduleToDbSchema(TaskGraph).nodeTypes[0].schema);
 * for (const { path, message } of changes) console.log(path, message);
 * ```
 */
export function classifyChange(stored: JsonSchema, current: JsonSchema): Classification {
  const edits = Value.Diff(stored, current);
  if (edits.length === 0) return { kind: "none", changes: [], edits };
  const changes = compareSchemas(parseSchema(stored), parseSchema(current));
  const told: readonly SchemaChange[] =
    changes.length > 0
      ? changes
      : [
          {
            kind: "additive",
            rule: "rewritten",
            path: "",
            message: "is written differently and means the same",
          },
        ];
  return { kind: worstOf(told), changes: told, edits };
}
