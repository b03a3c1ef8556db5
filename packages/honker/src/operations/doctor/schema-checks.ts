import { COMPANION_MIGRATIONS } from "../../schema/companion-schema.ts";
import { honkerTablesScript } from "../../schema/honker-schema.ts";
import { openBetterSqlite3 } from "../../sqlite/better-sqlite3-connection.ts";
import type { Connection } from "../../sqlite/connection.ts";
import type { Diagnosis, Examination } from "./finding.ts";

const OBJECTS = `SELECT type, name, tbl_name, sql FROM sqlite_master
  WHERE sql IS NOT NULL AND (name LIKE '\\_honker\\_%' ESCAPE '\\' OR name LIKE '\\_alk\\_%' ESCAPE '\\')`;
const COLUMNS = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)';

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** Compares the engine's tables, columns, indexes and triggers with a fresh database. */
export function schemaDrift({ core }: Examination): Diagnosis[] {
  const fresh = freshSchema();
  try {
    const actual = objectsOf(core.connection);
    const found: Diagnosis[] = [];
    for (const [name, expected] of objectsOf(fresh)) {
      const object = actual.get(name);
      if (object === undefined) found.push(missing(expected, core.connection));
      else if (expected.type === "table") found.push(...columnDrift(core.connection, fresh, name));
      else if (normalized(object.sql) !== normalized(expected.sql))
        found.push(changed(expected, object));
    }
    return found;
  } finally {
    fresh.close();
  }
}

function freshSchema(): Connection {
  const fresh = openBetterSqlite3(":memory:", { busyTimeoutMs: 0, statementCacheSize: 16 });
  fresh.exec(honkerTablesScript());
  for (const { script } of COMPANION_MIGRATIONS) fresh.exec(script);
  return fresh;
}

function objectsOf(connection: Connection): Map<string, SchemaObject> {
  const rows = connection.prepare(OBJECTS).rows([]);
  return new Map(
    rows.map((row) => {
      const [type, name, table, sql] = row.map(String) as [string, string, string, string];
      return [name, { type, name, table, sql }];
    }),
  );
}

function missing(expected: SchemaObject, connection: Connection): Diagnosis {
  const { type, name, table, sql } = expected;
  const on = type === "table" ? "" : ` on ${table}`;
  return {
    code: "SCHEMA_DRIFT",
    severity: "error",
    message: `${type} ${name}${on} is missing`,
    advice: `Run doctor({ fix: true }) to create it, and find out what dropped it${
      type === "table" ? "; its rows are only in a backup" : ""
    }`,
    details: { type, name, table, expected: sql },
    repair: () => connection.exec(sql),
  };
}

function changed(expected: SchemaObject, actual: SchemaObject): Diagnosis {
  return {
    code: "SCHEMA_DRIFT",
    severity: "error",
    message: `${expected.type} ${expected.name} is not the one this version creates`,
    advice: `Drop it and run doctor({ fix: true }), unless a newer version made it`,
    details: { name: expected.name, expected: expected.sql, actual: actual.sql },
  };
}

function columnDrift(connection: Connection, fresh: Connection, table: string): Diagnosis[] {
  const actual = columnsOf(connection, table);
  const found: Diagnosis[] = [];
  for (const [column, expected] of columnsOf(fresh, table)) {
    const declaration = actual.get(column);
    if (declaration === expected) continue;
    const difference =
      declaration === undefined
        ? "is missing"
        : `is declared ${declaration} instead of ${expected}`;
    found.push({
      code: "SCHEMA_DRIFT",
      severity: "error",
      message: `column ${table}.${column} ${difference}`,
      advice: "Restore a backup, or open the file with the version that wrote it",
      details: { table, column, expected, actual: declaration ?? null },
    });
  }
  return found;
}

/** Columns with what decides how they behave, as `TYPE NOT NULL KEY n`. */
function columnsOf(connection: Connection, table: string): Map<string, string> {
  const rows = connection.prepare(COLUMNS).rows([table]);
  return new Map(
    rows.map(([name, type, notNull, key]) => [
      String(name),
      `${type}${notNull === 1 ? " NOT NULL" : ""}${key === 0 ? "" : ` KEY ${key}`}`,
    ]),
  );
}

/** The extension and portable mode lay out the same statement differently. */
function normalized(sql: string): string {
  return sql.replace(/[\s"`]+/g, "").toLowerCase();
}
