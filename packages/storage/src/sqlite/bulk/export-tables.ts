import type { Database, SqlValue } from "@alkdev/honker";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { systemSchema, tenantSchema } from "../schema.ts";
import { createSelectSchema } from "../schema-utils/table-schemas.ts";

/** A table as it leaves the database. */
export interface ExportedTable {
  readonly name: string;
  /** JSON Schema of one row. */
  readonly schema: Readonly<Record<string, unknown>>;
  /**
   * The rows, each the text of a JSON object in one line: moments as ISO 8601, bytes as base64, JSON as it
   * is stored, digit for digit. Until the iteration ends the connection cannot write.
   */
  rows(): IterableIterator<string>;
}

/** What is not exported, and why. */
const LEFT: Readonly<Record<string, string>> = {
  _alk_storage_state: "keys and state of this installation",
  _alk_migrations: "versions of the schema",
  _alk_storage_migrations: "versions of the schema",
  _alk_used_challenges: "challenges that were answered",
  _alk_rate_events: "counts of rate limits",
  _honker_rate_limits: "counts of rate limits",
};
/** Columns of the engine that hold JSON. */
const JSON_COLUMNS = new Set([
  ...["payload", "value", "headers", "alk_headers", "alk_backoff", "event"],
  ...["terms", "quota", "previous", "operation", "scopes", "resources"],
]);

const TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`;

/**
 * Every table of a file, the engine's included, for taking the data elsewhere. Tables of this package have
 * the names of their properties, others those of their columns.
 *
 * @example
 * ```ts
 * const { tables } = exportTables(copy);
 * for (const { name, rows } of tables) for (const line of rows()) console.log(name, line);
 * ```
 */
export function exportTables(client: Database): {
  readonly tables: readonly ExportedTable[];
  /** Tables that are of no use elsewhere, or secret. */
  readonly left: readonly { readonly table: string; readonly reason: string }[];
} {
  const known = knownTables();
  const names = client.rows(TABLES).map(([name]) => String(name));
  return {
    tables: names
      .filter((name) => LEFT[name] === undefined)
      .map((name) => exportedTable(client, name, known.get(name))),
    left: names.flatMap((table) => {
      const reason = LEFT[table];
      return reason === undefined ? [] : [{ table, reason }];
    }),
  };
}

interface ExportedColumn {
  readonly name: string;
  readonly property: string;
  readonly text: (value: SqlValue) => string;
}

function exportedTable(
  client: Database,
  name: string,
  table: SQLiteTable | undefined,
): ExportedTable {
  const columns = table === undefined ? plainColumns(client, name) : typedColumns(table);
  const selected = columns.map((column) => quoted(column.name)).join(", ");
  const keys = columns.map(({ property }) => `${JSON.stringify(property)}:`);
  return {
    name,
    schema: table === undefined ? plainSchema(columns) : wireSchema(table),
    *rows() {
      const statement = client.prepare(`SELECT ${selected} FROM ${quoted(name)}`);
      for (const row of statement.iterate([], "bigint")) {
        const members = columns.map(
          ({ text }, index) => `${keys[index]}${text(row[index] ?? null)}`,
        );
        yield `{${members.join(",")}}`;
      }
    },
  };
}

function knownTables(): ReadonlyMap<string, SQLiteTable> {
  const tables = Object.values({ ...systemSchema, ...tenantSchema }).filter((entry) =>
    is(entry, SQLiteTable),
  );
  return new Map(tables.map((table) => [getTableName(table), table]));
}

function typedColumns(table: SQLiteTable): ExportedColumn[] {
  return Object.entries(getTableColumns(table)).map(([property, column]) => ({
    name: column.name,
    property,
    text: TEXTS[column.dataType] ?? plainText,
  }));
}

/** How values of a kind of column are written. */
const TEXTS: Readonly<Record<string, (value: SqlValue) => string>> = {
  // constraints let nothing but JSON in
  json: (value) => (typeof value === "string" ? inOneLine(value) : plainText(value)),
  date: (value) => {
    const date = new Date(Number(value) * 1_000);
    const isDate = typeof value === "bigint" && !Number.isNaN(date.getTime());
    return isDate ? JSON.stringify(date.toISOString()) : plainText(value);
  },
  boolean: (value) => (value === null ? "null" : String(value === 1n)),
};

function plainColumns(client: Database, name: string): ExportedColumn[] {
  return client
    .prepare(`SELECT * FROM ${quoted(name)}`)
    .columns()
    .map((column) => ({
      name: column.name,
      property: column.name,
      text: JSON_COLUMNS.has(column.name) ? jsonText : plainText,
    }));
}

/** JSON as it is stored; anything else as a text. */
function jsonText(value: SqlValue): string {
  return typeof value === "string" && isJsonText(value) ? inOneLine(value) : plainText(value);
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Line breaks of JSON stand between its tokens, never in a string. */
function inOneLine(json: string): string {
  return json.replaceAll(/[\r\n]/g, " ");
}

function plainText(value: SqlValue): string {
  if (typeof value === "bigint") {
    const isExact = Number.isSafeInteger(Number(value));
    return isExact ? String(value) : `"${value}"`;
  }
  return JSON.stringify(Buffer.isBuffer(value) ? value.toString("base64") : value);
}

function wireSchema(table: SQLiteTable): Readonly<Record<string, unknown>> {
  const schema = createSelectSchema(table, undefined, { wire: true });
  // without the symbols that TypeBox keeps in it
  return JSON.parse(JSON.stringify(schema));
}

function plainSchema(columns: readonly ExportedColumn[]): Readonly<Record<string, unknown>> {
  const properties = columns.map(({ property, text }) => [
    property,
    text === jsonText ? {} : { type: ["string", "number", "null"] },
  ]);
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    required: columns.map(({ property }) => property),
    additionalProperties: false,
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
