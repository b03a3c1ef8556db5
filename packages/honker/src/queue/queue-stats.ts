import type { SqlValue } from "../sqlite/connection.ts";
import type { QueueContext } from "./queue-context.ts";
import { waitingJobs } from "./waiting-jobs.ts";

/** One moment of a queue. Counts are jobs. */
export interface QueueCounts {
  /** Waiting: `ready + delayed`. */
  readonly pending: number;
  /** Waiting, and due; those held back by a limit of their key are among them. */
  readonly ready: number;
  /** Waiting for their time. */
  readonly delayed: number;
  /** Claimed by a worker. */
  readonly running: number;
  /** Dead letters. */
  readonly dead: number;
  /** For how many seconds the longest waiting due job has been due; `null` without one. */
  readonly oldestReadySeconds: number | null;
  readonly paused: boolean;
}

const COUNTS = `SELECT
  (SELECT count(*) FROM _honker_live WHERE queue = ?2 AND claim_expires_at IS NOT NULL),
  (SELECT count(*) FROM _honker_dead WHERE queue = ?2),
  EXISTS (SELECT 1 FROM _alk_queues WHERE queue = ?2 AND paused_at_ms IS NOT NULL),
  coalesce(jobs, 0), coalesce(due, 0), first_at_ms
  FROM (SELECT 1) LEFT JOIN (${waitingJobs("queue = ?2")})`;

/** The same over the first jobs that would be claimed. */
const COUNTS_TO = `SELECT
  (SELECT count(*) FROM (SELECT 1 FROM _honker_live
    WHERE queue = ?2 AND claim_expires_at IS NOT NULL LIMIT ?3)),
  (SELECT count(*) FROM (SELECT 1 FROM _honker_dead WHERE queue = ?2 LIMIT ?3)),
  EXISTS (SELECT 1 FROM _alk_queues WHERE queue = ?2 AND paused_at_ms IS NOT NULL),
  count(*), coalesce(sum(alk_ready_at_ms <= ?1), 0), min(alk_ready_at_ms)
  FROM (SELECT alk_ready_at_ms FROM _honker_live WHERE queue = ?2 AND claim_expires_at IS NULL
    ORDER BY claim_expires_at DESC, alk_parked, priority DESC, alk_ready_at_ms, id LIMIT ?3)`;

/** Counts the jobs of a queue: reads an index entry per job, about 10 ms per 100,000. */
export function queueCounts({ core, name }: QueueContext, countTo?: number): QueueCounts {
  const nowMs = core.nowMs();
  const row =
    countTo === undefined
      ? core.prepare(COUNTS).row([nowMs, name])
      : core.prepare(COUNTS_TO).row([nowMs, name, countTo]);
  const [running, dead, paused, pending, ready, firstAtMs] = (row as SqlValue[]).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    pending,
    ready,
    delayed: pending - ready,
    running,
    dead,
    oldestReadySeconds: ready === 0 ? null : (nowMs - firstAtMs) / 1_000,
    paused: paused === 1,
  };
}
