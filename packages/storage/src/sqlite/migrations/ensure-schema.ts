import type { Database, Transaction } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { DatabaseKind, Migration } from "./migration.ts";

const HAS_VERSIONS =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_alk_storage_migrations'";
const CREATE_VERSIONS = `CREATE TABLE IF NOT EXISTS _alk_storage_migrations (
  version INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL
)`;
const NEWEST_APPLIED =
  "SELECT version, kind FROM _alk_storage_migrations ORDER BY version DESC LIMIT 1";
const RECORD = `INSERT INTO _alk_storage_migrations (version, kind, name, applied_at)
  VALUES (?, ?, ?, ?)`;

/**
 * Creates or migrates the schema of `client`'s file. All missing steps run in one transaction, so a
 * killed process leaves the old schema or the new one; two processes that open a file at once migrate
 * it once. Costs two reads and no write lock when there is nothing to do.
 *
 * @throws {@link StorageError} `WRONG_DATABASE_KIND`, `UNKNOWN_SCHEMA`, `MIGRATION_FAILED`
 */
export function ensureSchema(
  client: Database,
  kind: DatabaseKind,
  migrations: readonly Migration[],
): void {
  const newest = migrations.at(-1)?.version ?? 0;
  const applied = (): number => requireKnown(client, kind, newest);
  if (applied() === newest) return;
  client.transaction((tx) => {
    const version = applied();
    tx.execute(CREATE_VERSIONS);
    for (const migration of migrations) {
      if (migration.version > version) apply(tx, client.path, kind, migration);
    }
  });
}

/**
 * The newest version in the file, 0 when there is none.
 *
 * @throws {@link StorageError} `WRONG_DATABASE_KIND`
 */
export function appliedVersion(client: Database, kind: DatabaseKind): number {
  if (client.rows(HAS_VERSIONS).length === 0) return 0;
  const row = client.rows(NEWEST_APPLIED)[0];
  if (row === undefined) return 0;
  if (row[1] !== kind) {
    throw new StorageError(
      "WRONG_DATABASE_KIND",
      `"${client.path}" is a ${String(row[1])} database, not a ${kind} database`,
      {
        hint: `Open it with ${row[1] === "system" ? "createSystemDatabase" : "createTenantDatabase"}, or give another path`,
        details: { path: client.path, expected: kind, found: row[1] },
      },
    );
  }
  return Number(row[0]);
}

/**
 * The version of a file that code which knows versions up to `newest` can work with.
 *
 * @throws {@link StorageError} `UNKNOWN_SCHEMA`, `WRONG_DATABASE_KIND`
 */
export function requireKnown(client: Database, kind: DatabaseKind, newest: number): number {
  const version = appliedVersion(client, kind);
  if (version > newest) {
    throw new StorageError(
      "UNKNOWN_SCHEMA",
      `the ${kind} schema of "${client.path}" has version ${version}, this version knows ${newest}`,
      {
        hint: "Upgrade @alkdev/storage; a newer process has already opened this file",
        details: { path: client.path, found: version, newest },
      },
    );
  }
  return version;
}

function apply(tx: Transaction, path: string, kind: DatabaseKind, migration: Migration): void {
  const { version, name, statements } = migration;
  try {
    for (const statement of statements) tx.execute(statement);
    tx.execute(RECORD, [version, kind, name, Math.floor(Date.now() / 1_000)]);
  } catch (error) {
    throw new StorageError(
      "MIGRATION_FAILED",
      `migration ${version} ("${name}") of the ${kind} database "${path}" failed: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
        hint: "Nothing of it was kept; fix the cause and open the file again",
        details: { path, kind, version, name },
      },
    );
  }
}
