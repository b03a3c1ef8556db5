import { type Database, HonkerError, type OpenOptions, open } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";

const HAS_STATE =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_alk_storage_state'";
const OWNER = "SELECT value FROM _alk_storage_state WHERE key = 'org_id'";
const SET_OWNER = `INSERT INTO _alk_storage_state (key, value) VALUES ('org_id', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
/** Only the last connection of a file may end write-ahead logging, so being able to proves it unused. */
const LEAVE_WAL = "PRAGMA journal_mode = DELETE";

/** The organisation a tenant's file says it belongs to; `null` when it says nothing. */
export function readOwner(client: Database): string | null {
  if (client.rows(HAS_STATE).length === 0) return null;
  const row = client.rows(OWNER)[0];
  return row === undefined ? null : String(row[0]);
}

/**
 * Refuses a file that is not the one of `orgId`'s tenant.
 *
 * @throws {@link StorageError} `TENANT_FILE`
 */
export function requireOwner(client: Database, orgId: string): void {
  const owner = readOwner(client);
  if (owner === orgId) return;
  throw unusableFile(
    orgId,
    client.path,
    owner === null ? "belongs to no organisation" : `belongs to organisation "${owner}"`,
  );
}

/** The error of a tenant's file that is not what it should be. */
export function unusableFile(orgId: string, path: string, what: string): StorageError {
  return new StorageError("TENANT_FILE", `the file "${path}" of tenant "${orgId}" ${what}`, {
    hint: "Restore it from a backup, or import an export",
    details: { orgId, path },
  });
}

/** Writes into a file which organisation it belongs to. */
export function writeOwner(client: Database, orgId: string): void {
  client.execute(SET_OWNER, [orgId]);
}

/**
 * Opens a tenant's file as the engine does; what is wrong with the file is said in the words of tenants.
 *
 * @throws {@link StorageError} `TENANT_FILE`, `UNKNOWN_SCHEMA`
 */
export function openTenantFile(orgId: string, path: string, options: OpenOptions): Database {
  try {
    return open(path, options);
  } catch (error) {
    throw fileError(error, orgId, path);
  }
}

/** `error` of the engine about the file of a tenant, with the tenant's name. */
export function fileError(error: unknown, orgId: string, path: string): unknown {
  if (!(error instanceof HonkerError)) return error;
  const details = { orgId, path };
  if (error.code === "UNKNOWN_SCHEMA") {
    return new StorageError(
      "UNKNOWN_SCHEMA",
      `the file of tenant "${orgId}" was written by a newer version: ${error.message}`,
      { cause: error, details },
    );
  }
  if (error.code !== "NOT_A_DATABASE" && error.code !== "BACKUP_INVALID") return error;
  return new StorageError(
    "TENANT_FILE",
    `the file of tenant "${orgId}" is damaged: ${error.message}`,
    { cause: error, details },
  );
}

/**
 * Brings a file that nobody uses into one piece, with nothing beside it; false when somebody, here or in
 * another process, has it open.
 */
export function closedInOnePiece(path: string, options: OpenOptions): boolean {
  let client: Database;
  try {
    // a clock of its own: the engine refuses to share a connection that has another
    const clock = options.clock ?? { now: () => Date.now() };
    client = open(path, { ...options, busyTimeoutMs: 0, clock: { now: () => clock.now() } });
  } catch (error) {
    if (isInUse(error)) return false;
    throw error;
  }
  try {
    return client.rows(LEAVE_WAL)[0]?.[0] === "delete";
  } catch (error) {
    if (isInUse(error)) return false;
    throw error;
  } finally {
    client.close();
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof HonkerError && (error.code === "BUSY" || error.code === "OPEN_CONFLICT");
}
