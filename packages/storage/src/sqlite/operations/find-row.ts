import { and, eq, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";
import { type AnyDatabase, presentRow, type RawRow, rowFields } from "./row-fields.ts";
import type { TableDefinition } from "./table-definition.ts";

/** Values by property name, as they travel. */
export type WireValues = Readonly<Record<string, unknown>>;

/** A query by the columns of a unique key. */
interface KeyQuery {
  get(values: Record<string, unknown>): unknown;
}

/** Building the SQL of a query costs more than running it, so each is prepared once per database. */
const prepared = new WeakMap<AnyDatabase, Map<string, KeyQuery>>();

/** The row with these values of a unique key, as it travels, or null. */
export function findRow(
  db: AnyDatabase,
  definition: TableDefinition,
  key: WireValues,
): RawRow | null {
  const row = keyQuery(db, definition, Object.keys(key)).get({ ...key }) as RawRow | undefined;
  return row === undefined ? null : presentRow(definition, row);
}

/** The row of an id, as it travels. @throws StorageError `NOT_FOUND` */
export function requireRow(db: AnyDatabase, definition: TableDefinition, id: string): RawRow {
  const row = findRow(db, definition, { id });
  if (row !== null) return row;
  throw new StorageError("NOT_FOUND", `${definition.name} has no row "${id}"`, {
    details: { table: definition.name, id },
  });
}

function keyQuery(
  db: AnyDatabase,
  definition: TableDefinition,
  names: readonly string[],
): KeyQuery {
  let queries = prepared.get(db);
  if (queries === undefined) {
    queries = new Map();
    prepared.set(db, queries);
  }
  const name = `${definition.name} ${names.join(" ")}`;
  let query = queries.get(name);
  if (query === undefined) {
    const fields = rowFields(definition);
    const conditions = names.map((column) =>
      eq(fields[column] as SQLiteColumn, sql.placeholder(column)),
    );
    query = db
      .select({ ...fields })
      .from(definition.table)
      .where(and(...conditions))
      .prepare();
    queries.set(name, query);
  }
  return query;
}
