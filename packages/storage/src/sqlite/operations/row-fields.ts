import type { Database } from "@alkdev/honker";
import type { HonkerSQLiteDatabase } from "drizzle-honker";
import { getTableColumns, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { toWire } from "../schema-utils/wire.ts";
import type { JsonObject } from "../tables/common.ts";
import type { TableDefinition } from "./table-definition.ts";

/** Any file of this package through Drizzle, its schema aside. */
export type AnyDatabase = HonkerSQLiteDatabase<Record<string, unknown>, Database>;

/** A row as Drizzle reads it. */
export type RawRow = Readonly<Record<string, unknown>>;

/** What is selected for a row: its columns but the hidden ones, and what is computed. */
export function rowFields({
  table,
  row,
  computed,
}: TableDefinition): Readonly<Record<string, SQLiteColumn | SQL>> {
  const columns = getTableColumns(table);
  return Object.fromEntries(
    Object.keys(row.properties).map((key) => [
      key,
      (computed[key]?.sql ?? columns[key]) as SQLiteColumn | SQL,
    ]),
  );
}

/** A row as operations return it: as JSON, without what the store keeps in its metadata. */
export function presentRow({ table, computed }: TableDefinition, row: RawRow): RawRow {
  const columns: Record<string, unknown> = {};
  const others: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    if (Object.hasOwn(computed, key)) others[key] = value;
    else columns[key] = value;
  }
  const wire: Record<string, unknown> = { ...toWire(table, columns), ...others };
  return { ...wire, metadata: splitMetadata(wire.metadata).own };
}

/** Metadata taken apart: what its writers added, and what the store keeps there. */
export function splitMetadata(metadata: unknown): {
  readonly own: JsonObject;
  readonly internal: JsonObject;
} {
  // a row written by other means may hold anything that is JSON
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    return { own: {}, internal: {} };
  }
  const { _metagraph, ...own } = metadata as JsonObject;
  return { own, internal: _metagraph === undefined ? {} : { _metagraph } };
}
