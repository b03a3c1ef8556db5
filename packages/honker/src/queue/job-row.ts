import type { SqlValue } from "../sqlite/connection.ts";

/** Columns of `_honker_live` in the order {@link jobRow} reads them. */
export const JOB_COLUMNS: string =
  "id, payload, priority, alk_ready_at_ms, attempts, max_attempts, created_at, expires_at, " +
  "alk_key, alk_backoff, alk_headers, worker_id";

/** A job as it is stored. */
export interface JobRow {
  readonly id: number;
  readonly payload: string;
  readonly priority: number;
  readonly readyAtMs: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly key: string | null;
  readonly backoff: string | null;
  readonly headers: string | null;
  readonly workerId: string | null;
}

/** Reads a row of {@link JOB_COLUMNS}. */
export function jobRow(row: readonly SqlValue[]): JobRow {
  return {
    id: row[0] as number,
    payload: String(row[1]),
    priority: row[2] as number,
    readyAtMs: row[3] as number,
    attempts: row[4] as number,
    maxAttempts: row[5] as number,
    createdAt: row[6] as number,
    expiresAt: row[7] as number | null,
    key: row[8] as string | null,
    backoff: row[9] as string | null,
    headers: row[10] as string | null,
    workerId: row[11] as string | null,
  };
}
