import { eq, getTableColumns } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";
import { fromWire } from "../schema-utils/wire.ts";
import { findRow, requireRow, type WireValues } from "./find-row.ts";
import { type AnyDatabase, type RawRow, splitMetadata } from "./row-fields.ts";
import type { TableDefinition } from "./table-definition.ts";
import { writing } from "./write-errors.ts";

/** What `update` takes. */
export interface RowChange {
  readonly id: string;
  readonly changes: WireValues;
  /** The revision that was read, where the table has them. */
  readonly ifRevision?: number;
}

/** How rows of a table are written; each call happens inside a transaction. */
export interface RowWrites {
  /** Writes a new row and returns its id. */
  create(db: AnyDatabase, values: WireValues): string;
  update(db: AnyDatabase, change: RowChange): void;
  /** False where there is no such row. */
  delete(db: AnyDatabase, id: string): boolean;
}

/** What is done around writes, in their transaction: checks before, events after. */
export interface RowHooks {
  readonly beforeCreate?: (db: AnyDatabase, values: WireValues) => void;
  readonly created?: (db: AnyDatabase, row: RawRow) => void;
  readonly beforeUpdate?: (db: AnyDatabase, row: RawRow, changes: WireValues) => void;
  readonly updated?: (db: AnyDatabase, id: string, changes: WireValues) => void;
  readonly beforeDelete?: (db: AnyDatabase, row: RawRow) => void;
}

/** Writes straight to the table; constraints and triggers hold its rules. */
export function rowWrites(definition: TableDefinition, hooks: RowHooks = {}): RowWrites {
  const { table } = definition;
  return {
    create(db, values) {
      requireOwnMetadata(values);
      hooks.beforeCreate?.(db, values);
      const row = fromWire(table, values as never);
      const { id } = writing(table, "create", () =>
        db
          .insert(table)
          .values(row as never)
          .returning({ id: table.id })
          .get(),
      ) as { id: string };
      hooks.created?.(db, requireRow(db, definition, id));
      return id;
    },
    update(db, { id, changes }) {
      requireOwnMetadata(changes);
      const before = requireRow(db, definition, id);
      hooks.beforeUpdate?.(db, before, changes);
      const set = { ...changes, ...keptMetadata(db, definition, { id, changes }) };
      writing(table, "update", () =>
        db
          .update(table)
          .set(fromWire(table, set as never) as never)
          .where(eq(table.id, id))
          .run(),
      );
      hooks.updated?.(db, id, changes);
    },
    delete(db, id) {
      const row = findRow(db, definition, { id });
      if (row === null) return false;
      hooks.beforeDelete?.(db, row);
      writing(table, "delete", () => db.delete(table).where(eq(table.id, id)).run());
      return true;
    },
  };
}

/** @throws StorageError `INVALID_ARGUMENT` */
function requireOwnMetadata({ metadata }: WireValues): void {
  if (typeof metadata !== "object" || metadata === null) return;
  if (!Object.hasOwn(metadata, "_metagraph")) return;
  throw new StorageError("INVALID_ARGUMENT", "metadata._metagraph is kept by the store", {
    hint: "Leave it out; what is there stays",
  });
}

/** Other metadata does not take away what the store keeps there. */
function keptMetadata(
  db: AnyDatabase,
  { table }: TableDefinition,
  { id, changes }: RowChange,
): { metadata?: unknown } {
  if (changes.metadata === undefined) return {};
  const { metadata } = getTableColumns(table);
  const stored = db
    .select({ metadata: metadata as SQLiteColumn })
    .from(table)
    .where(eq(table.id, id))
    .get();
  return { metadata: { ...changes.metadata, ...splitMetadata(stored?.metadata).internal } };
}
