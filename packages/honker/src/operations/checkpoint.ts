import type { Core } from "../core/core.ts";
import { HonkerError } from "../errors.ts";

/**
 * How far to go: `"passive"` moves what it can without waiting, `"full"` waits for other processes,
 * `"restart"` also for readers, `"truncate"` then empties the log file.
 * See https://www.sqlite.org/pragma.html#pragma_wal_checkpoint.
 */
export type CheckpointMode = "passive" | "full" | "restart" | "truncate";

/** What a checkpoint did. */
export interface CheckpointResult {
  /** False when a reader or writer kept it from finishing; harmless, try again later. */
  readonly complete: boolean;
  /** Pages in the write-ahead log. */
  readonly logPages: number;
  /** Pages of it that are in the database file now. */
  readonly checkpointedPages: number;
}

const STATEMENTS: Readonly<Record<CheckpointMode, string>> = {
  passive: "PRAGMA wal_checkpoint(PASSIVE)",
  full: "PRAGMA wal_checkpoint(FULL)",
  restart: "PRAGMA wal_checkpoint(RESTART)",
  truncate: "PRAGMA wal_checkpoint(TRUNCATE)",
};

/** Moves the write-ahead log into the database file. */
export function checkpoint(core: Core, mode: CheckpointMode): CheckpointResult {
  const sql = Object.hasOwn(STATEMENTS, mode) ? STATEMENTS[mode] : undefined;
  if (sql === undefined) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `the mode of a checkpoint must be one of ${Object.keys(STATEMENTS).join(", ")}, got ${String(mode)}`,
    );
  }
  if (core.connection.inTransaction) {
    throw new HonkerError("TRANSACTION_STATE", "cannot checkpoint inside a transaction", {
      hint: "Commit or roll back first",
    });
  }
  const [busy, logPages, checkpointedPages] = core.prepare(sql).row([]) ?? [];
  // a database in memory has no log and answers -1
  return {
    complete: busy === 0,
    logPages: Math.max(0, Number(logPages)),
    checkpointedPages: Math.max(0, Number(checkpointedPages)),
  };
}
