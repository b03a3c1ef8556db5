import { TransferError } from "../errors.ts";
import type { Source } from "./source.ts";

/** The tables of a schema that the import can read, and their columns. */
export class SourceSchema {
  readonly name: string;
  readonly #tables: ReadonlyMap<string, ReadonlyMap<string, string>>;

  constructor(name: string, tables: ReadonlyMap<string, ReadonlyMap<string, string>>) {
    this.name = name;
    this.#tables = tables;
  }

  tables(): string[] {
    return [...this.#tables.keys()];
  }

  has(table: string, column?: string): boolean {
    const columns = this.#tables.get(table);
    return columns !== undefined && (column === undefined || columns.has(column));
  }

  /** Columns in the order of the table. */
  columns(table: string): string[] {
    return [...(this.#tables.get(table)?.keys() ?? [])];
  }

  /** Name of the column's type: `uuid`, `timestamptz`, `_text` for an array of texts, an enum's own. */
  typeOf(table: string, column: string): string | undefined {
    return this.#tables.get(table)?.get(column);
  }

  /** The table's name for SQL. */
  qualified(table: string): string {
    return `${identifier(this.name)}.${identifier(table)}`;
  }
}

const COLUMNS = `SELECT c.relname, a.attname, coalesce(bt.typname, t.typname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type bt ON bt.oid = t.typbasetype
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  ORDER BY c.relname, a.attnum`;

/**
 * Reads what tables a schema has.
 *
 * @throws {@link TransferError} `SOURCE_SHAPE` when it has none of a hub
 */
export async function readSchema(source: Source, name: string): Promise<SourceSchema> {
  const tables = new Map<string, Map<string, string>>();
  for (const [table, column, type] of await source.rows(COLUMNS, [name])) {
    const columns = tables.get(table as string) ?? new Map<string, string>();
    columns.set(column as string, type as string);
    tables.set(table as string, columns);
  }
  const schema = new SourceSchema(name, tables);
  for (const table of ["accounts", "organizations"]) {
    if (schema.has(table, "id")) continue;
    throw new TransferError(
      "SOURCE_SHAPE",
      `schema "${name}" has no table "${table}" with a column "id"`,
      {
        hint: "Give the schema of the hub; see docs/guide/import.md for the tables that are read",
        details: { schema: name, tables: schema.tables() },
      },
    );
  }
  return schema;
}

/** A name for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
