import { HonkerError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { COMPANION_MIGRATIONS } from "./companion-schema.ts";
import { HONKER_TABLES, honkerTablesScript } from "./honker-schema.ts";

const SCHEMA_TEXT = `SELECT group_concat(sql, ';') FROM sqlite_master
  WHERE name LIKE '\\_honker\\_%' ESCAPE '\\' OR name LIKE '\\_alk\\_%' ESCAPE '\\'`;

const CREATE_VERSIONS = `CREATE TABLE IF NOT EXISTS _alk_migrations (
  version INTEGER PRIMARY KEY,
  applied_at INTEGER NOT NULL
)`;

const NEWEST = COMPANION_MIGRATIONS.at(-1)?.version ?? 0;

/** Schema texts already found good in this process, so that reopening a tenant costs one query. */
const verified = new Set<string>();

/**
 * Creates or migrates the engine's tables and refuses a file whose tables are not the known ones.
 * All in one transaction: a killed process leaves the old schema or the new one.
 *
 * @throws {@link HonkerError} `UNKNOWN_SCHEMA`, naming what differs
 */
export function ensureSchema(connection: Connection, hasExtension: boolean): void {
  const before = schemaText(connection);
  if (before !== null && (verified.has(before) || isCurrent(connection))) {
    verified.add(before);
    return;
  }
  connection.exec("BEGIN IMMEDIATE");
  try {
    if (hasExtension) connection.prepare("SELECT honker_bootstrap()").row([]);
    else connection.exec(honkerTablesScript());
    verifyHonkerTables(connection);
    migrateCompanions(connection);
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.inTransaction) connection.exec("ROLLBACK");
    throw error;
  }
  const after = schemaText(connection);
  if (after !== null) verified.add(after);
}

/** Looks without the write lock, which another process may hold for long. */
function isCurrent(connection: Connection): boolean {
  const known = connection
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_alk_migrations'")
    .row([]);
  if (known === undefined || appliedVersion(connection) !== NEWEST) return false;
  verifyHonkerTables(connection);
  return true;
}

function appliedVersion(connection: Connection): number {
  const row = connection.prepare("SELECT coalesce(max(version), 0) FROM _alk_migrations").row([]);
  return Number(row?.[0]);
}

function schemaText(connection: Connection): string | null {
  return (connection.prepare(SCHEMA_TEXT).row([])?.[0] ?? null) as string | null;
}

function verifyHonkerTables(connection: Connection): void {
  for (const [table, shape] of Object.entries(HONKER_TABLES)) {
    const columns = tableColumns(connection, table);
    for (const [name, declaration] of Object.entries(shape.columns)) {
      const type = columns.get(name)?.type;
      const expected = declaration.split(" ", 1)[0];
      if (type === expected) continue;
      const found = type === undefined ? "is missing" : `is ${type}`;
      throw unknownSchema(
        connection.path,
        `column ${table}.${name} should be ${expected}, ${found}`,
      );
    }
    for (const [name, column] of columns) {
      if (name in shape.columns || column.optional) continue;
      throw unknownSchema(
        connection.path,
        `column ${table}.${name} is not known and has no default`,
      );
    }
  }
}

interface ColumnInfo {
  readonly type: string;
  /** Whether an INSERT that does not name the column succeeds. */
  readonly optional: boolean;
}

function tableColumns(connection: Connection, table: string): Map<string, ColumnInfo> {
  const rows = connection
    .prepare(`SELECT name, type, "notnull", dflt_value FROM pragma_table_info('${table}')`)
    .rows([]);
  return new Map(
    rows.map(([name, type, notNull, fallback]) => [
      String(name),
      { type: String(type), optional: notNull === 0 || fallback !== null },
    ]),
  );
}

function migrateCompanions(connection: Connection): void {
  connection.exec(CREATE_VERSIONS);
  const current = appliedVersion(connection);
  if (current > NEWEST) {
    throw unknownSchema(
      connection.path,
      `its engine tables have version ${current}, this version knows ${NEWEST}`,
      "Upgrade @alkdev/honker; a newer process has already opened this file",
    );
  }
  for (const { version, script } of COMPANION_MIGRATIONS) {
    if (version <= current) continue;
    connection.exec(script);
    connection
      .prepare("INSERT INTO _alk_migrations (version, applied_at) VALUES (?, unixepoch())")
      .run([version]);
  }
}

function unknownSchema(path: string, difference: string, hint?: string): HonkerError {
  return new HonkerError(
    "UNKNOWN_SCHEMA",
    `"${path}" has an engine schema this version does not know: ${difference}`,
    {
      hint: hint ?? "Use the version of @alkdev/honker that wrote the file, or restore a backup",
      details: { path, difference },
    },
  );
}
