import type { Database } from "@alkdev/honker";

/** What there is to do in a file. */
export interface DueWork {
  /** Whether a job can be claimed now. */
  readonly now: boolean;
  /** When the next one can, or a schedule is due, in milliseconds since 1970; null: never. */
  readonly nextMs: number | null;
}

/** Reads the claim index alone; see docs/architecture/queues.md. A claim ends with its second. */
const NEXT_JOB = `SELECT min(at_ms) FROM (
    SELECT iif(claim_expires_at IS NULL, alk_ready_at_ms, (claim_expires_at + 1) * 1000) AS at_ms
    FROM _honker_live INDEXED BY _honker_live_claim
    WHERE queue IN (SELECT value FROM json_each(?)) AND alk_parked IS NULL
      AND queue NOT IN (SELECT queue FROM _alk_queues WHERE paused_at_ms IS NOT NULL)
  )`;

/** Looks what there is to do in a file, for these queues; takes no write lock. */
export function dueWork(client: Database, queues: readonly string[], nowMs: number): DueWork {
  const jobMs = client.prepare(NEXT_JOB).row([JSON.stringify(queues)])?.[0] as number | null;
  const scheduleSeconds = client.scheduler().soonest();
  const times = [jobMs, scheduleSeconds === null ? null : scheduleSeconds * 1_000];
  const known = times.filter((time) => time !== null);
  return {
    now: jobMs !== null && jobMs <= nowMs,
    nextMs: known.length === 0 ? null : Math.min(...known),
  };
}
