import { openBetterSqlite3 } from "../sqlite/better-sqlite3-connection.ts";
import { checkIntegrity, type IntegrityReport } from "./integrity.ts";

/** A file to check. */
export interface CheckTask {
  readonly kind: "check";
  readonly path: string;
  /** Problems reported at most. */
  readonly limit: number;
}

/** Checks a database file, which may be in use, through a connection of its own that cannot write. */
export function checkFile({ path, limit }: CheckTask): IntegrityReport {
  const connection = openBetterSqlite3(path, {
    busyTimeoutMs: 5_000,
    statementCacheSize: 16,
    readonly: true,
  });
  try {
    return checkIntegrity(connection, limit);
  } finally {
    connection.close();
  }
}
