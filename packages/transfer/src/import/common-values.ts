import type { SqlInput } from "@alkdev/honker";
import type { Field } from "../postgres/copy-text.ts";
import { type Aliased, secondsOf, textOf } from "../postgres/expressions.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { RowRefusal } from "./row-refusal.ts";
import type { RowContext } from "./table-import.ts";
import { isObjectText, jsonText, required, seconds, withMember } from "./values.ts";

/** Where a table's own fields begin: behind those of {@link commonFields}. */
export const FIRST_OWN_FIELD = 6;

/** The fields every table has, behind `org`: id, metadata, data, created_at, updated_at. */
export function commonFields(
  schema: SourceSchema,
  from: Aliased,
): {
  readonly id: string;
  readonly metadata: string;
  readonly data: string;
  readonly created_at: string;
  readonly updated_at: string;
} {
  return {
    id: textOf(schema, from, "id"),
    metadata: textOf(schema, from, "metadata"),
    data: textOf(schema, from, "data"),
    created_at: secondsOf(schema, from, "created_at"),
    updated_at: secondsOf(schema, from, "updated_at"),
  };
}

/** The values of the common columns: id, metadata, created_at, updated_at. */
export function commonValues(
  row: readonly Field[],
  context: RowContext,
): [id: string, metadata: string, createdAt: number, updatedAt: number] {
  const [, id = null, metadata = null, data = null, created = null, updated = null] = row;
  let text = jsonText(metadata ?? "{}", "metadata", context.notes);
  if (!isObjectText(text)) {
    context.changed("METADATA_WRAPPED", "metadata was no JSON object and is under metadata.value");
    text = withMember("{}", "value", text);
  }
  if (data !== null) text = withMember(text, "data", jsonText(data, "data", context.notes));
  const createdAt = seconds(created, "created_at") ?? seconds(updated, "updated_at");
  const at = required(createdAt, "created_at");
  return [required(id, "id"), text, at, seconds(updated, "updated_at") ?? at];
}

/** The values of the common columns, and those of the table. */
export function rowValues(
  row: readonly Field[],
  context: RowContext,
  own: readonly SqlInput[],
): readonly SqlInput[] {
  return [...commonValues(row, context), ...own];
}

/** When a credential expires. `infinity` is never; other infinite times are refused. */
export function expiry(field: Field, context: RowContext): number | null {
  if (field !== "infinity") return seconds(field, "expires_at");
  context.changed("NEVER_EXPIRES", "expires_at was infinity");
  return null;
}

/** A JSON object or array of a column. @throws RowRefusal */
export function jsonColumn(field: Field, column: string, context: RowContext): string | null {
  return field === null ? null : jsonText(field, column, context.notes);
}

/** The attributes of a node or edge. @throws RowRefusal */
export function attributesOf(field: Field, context: RowContext): string {
  const text = jsonText(field ?? "{}", "attributes", context.notes);
  if (isObjectText(text)) return text;
  throw new RowRefusal("MISSING_VALUE", "attributes are no JSON object");
}
