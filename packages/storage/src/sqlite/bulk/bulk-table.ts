import { type Database, HonkerError, type SqlInput, type SqlValue } from "@alkdev/honker";
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";

/** A row that the database refused. */
export interface RefusedRow {
  /** Its place in the rows that were given. */
  readonly index: number;
  /** A `HonkerError` with the code `CONSTRAINT`. */
  readonly error: HonkerError;
}

/** The rows of one table as SQLite stores them: positional, JSON as text, times in seconds. */
export interface BulkTable {
  readonly name: string;
  /** The names of the columns, in the order of the values of a row. */
  readonly columns: readonly string[];
  /**
   * Inserts rows as they are given, in few statements. No defaults, no events, no check of attributes
   * against their type: constraints and triggers alone. Join it with what must commit with it.
   *
   * @returns the rows that a constraint refused; the others are in
   * @throws `HonkerError` for anything but a constraint
   */
  insert(rows: readonly (readonly SqlInput[])[]): RefusedRow[];
  /** Up to `limit` rows in the order of their ids, behind the id `after`; "" for the first ones. */
  page(after: string, limit: number): SqlValue[][];
}

/** Parameters per statement: few statements, and far below SQLite's limit of 32,766. */
const PARAMETERS = 400;

/**
 * Direct access to the rows of a table, for moving much data in or out. Everyday writes go through the
 * graph store, the functions of accounts and organizations, or Drizzle.
 *
 * @param table a Drizzle table of this package
 * @example
 * ```ts
 * const bulk = bulkTable(client, nodes);
 * const refused = client.transaction(() => bulk.insert(rows));
 * ```
 */
export function bulkTable(client: Database, table: SQLiteTable): BulkTable {
  const name = getTableName(table);
  const columns = Object.values(getTableColumns(table)).map((column) => column.name);
  const quoted = columns.map((column) => `"${column}"`).join(", ");
  const places = `(${columns.map(() => "?").join(", ")})`;
  const insertSql = (rows: number): string =>
    `INSERT INTO "${name}" (${quoted}) VALUES ${Array(rows).fill(places).join(", ")}`;
  const many = Math.max(1, Math.floor(PARAMETERS / columns.length));
  const insertMany = client.prepare(insertSql(many));
  const insertOne = client.prepare(insertSql(1));
  const select = client.prepare(
    `SELECT ${quoted} FROM "${name}" WHERE "id" > ? ORDER BY "id" LIMIT ?`,
  );

  const oneByOne = (rows: readonly (readonly SqlInput[])[], from: number, to: number) => {
    const refused: RefusedRow[] = [];
    for (let index = from; index < to; index++) {
      try {
        insertOne.run(rows[index]);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.push({ index, error });
      }
    }
    return refused;
  };

  return {
    name,
    columns,
    insert(rows) {
      const refused: RefusedRow[] = [];
      let from = 0;
      for (; rows.length - from >= many; from += many) {
        const to = from + many;
        try {
          insertMany.run(rows.slice(from, to).flat());
        } catch (error) {
          if (!isRefusal(error)) throw error;
          // the statement undid itself; one of its rows is to blame
          refused.push(...oneByOne(rows, from, to));
        }
      }
      refused.push(...oneByOne(rows, from, rows.length));
      return refused;
    },
    page: (after, limit) => select.rows([after, limit]),
  };
}

function isRefusal(error: unknown): error is HonkerError {
  return error instanceof HonkerError && error.code === "CONSTRAINT";
}
