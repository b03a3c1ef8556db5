import type { JsonObject } from "../tables/common.ts";
import { isSameJson } from "./json-value.ts";
import { joinMetadata, nextInternal, type StoredRow } from "./rows.ts";

/** The columns that a write to a row sets. */
export interface ChangedRow {
  readonly metadata: string;
  readonly attributes: string;
}

/** What a row becomes. */
export interface NextRow {
  readonly attributes: JsonObject;
  /** Undefined: what is there. */
  readonly metadata?: JsonObject | undefined;
}

/** What to write for a row to become `next`, or null where it is so already. */
export function changedRow(
  row: StoredRow,
  next: NextRow,
  kind: "nodeType" | "edgeType",
): ChangedRow | null {
  const metadata = next.metadata ?? row.metadata;
  if (isSameJson(next.attributes, row.attributes) && isSameJson(metadata, row.metadata)) {
    return null;
  }
  return {
    metadata: joinMetadata(metadata, nextInternal(row, kind)),
    attributes: JSON.stringify(next.attributes),
  };
}
