import { decodePayload } from "../core/json.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { QueueContext } from "./queue-context.ts";

/** A waiting or running job as it is now. */
export interface JobSnapshot {
  readonly id: number;
  readonly queue: string;
  readonly payload: unknown;
  readonly state: "pending" | "processing";
  readonly priority: number;
  /** When it may run, in seconds since 1970; fractions are milliseconds. */
  readonly runAt: number;
  readonly workerId: string | null;
  /** Seconds since 1970. */
  readonly claimExpiresAt: number | null;
  /** Attempts begun so far. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970. */
  readonly expiresAt: number | null;
  readonly key: string | null;
  readonly uniqueKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** What its handler last reported with `progress()`; `null` before that. */
  readonly progress: unknown;
}

const COLUMNS = `id, payload, state, priority, alk_ready_at_ms, worker_id, claim_expires_at,
    attempts, max_attempts, created_at, expires_at, alk_key, alk_unique, alk_headers, alk_progress`;
const GET = `SELECT ${COLUMNS} FROM _honker_live WHERE id = ? AND queue = ?`;
// as the claim index has it, so that it is read as far as the limit goes
const LIST = `SELECT ${COLUMNS} FROM _honker_live WHERE queue = ?
  ORDER BY claim_expires_at DESC, alk_parked, priority DESC, alk_ready_at_ms, id LIMIT ?`;

/** Reads one job, or `null` when it is neither waiting nor running. */
export function jobSnapshot({ core, name }: QueueContext, id: number): JobSnapshot | null {
  const row = core.prepare(GET).row([id, name]);
  return row === undefined ? null : snapshotOf(name, row);
}

/** Reads the first jobs of a queue. */
export function jobSnapshots({ core, name }: QueueContext, limit: number): JobSnapshot[] {
  const rows = core.prepare(LIST).rows([name, limit]);
  return rows.map((row) => snapshotOf(name, row));
}

function snapshotOf(name: string, row: readonly SqlValue[]): JobSnapshot {
  return {
    id: row[0] as number,
    queue: name,
    payload: decodePayload(String(row[1])),
    state: row[2] as "pending" | "processing",
    priority: row[3] as number,
    runAt: (row[4] as number) / 1_000,
    workerId: row[5] as string | null,
    claimExpiresAt: row[6] as number | null,
    attempts: row[7] as number,
    maxAttempts: row[8] as number,
    createdAt: row[9] as number,
    expiresAt: row[10] as number | null,
    key: row[11] as string | null,
    uniqueKey: row[12] as string | null,
    headers: (json(row[13]) ?? {}) as Record<string, string>,
    progress: json(row[14]) ?? null,
  };
}

function json(text: SqlValue | undefined): unknown {
  return typeof text === "string" ? JSON.parse(text) : null;
}
