import type { QueueContext } from "./queue-context.ts";

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
  (SELECT count(*) FROM _honker_live WHERE queue = ?1 AND state = 'pending'),
  (SELECT count(*) FROM _honker_live WHERE queue = ?1 AND state = 'pending' AND run_at > ?2
    AND alk_ready_at_ms > ?3),
  (SELECT count(*) FROM _honker_live WHERE queue = ?1 AND state = 'processing'),
  (SELECT count(*) FROM _honker_dead WHERE queue = ?1),
  (SELECT min(run_at) FROM _honker_live WHERE queue = ?1 AND state = 'pending'),
  EXISTS (SELECT 1 FROM _alk_queues WHERE queue = ?1 AND paused_at_ms IS NOT NULL)`;

/** Counts the jobs of a queue: reads an index entry per job, about 10 ms per 100,000. */
export function queueCounts({ core, name }: QueueContext): QueueCounts {
  const nowMs = core.nowMs();
  const row = core.prepare(COUNTS).row([name, core.nowSeconds(), nowMs]) as (number | null)[];
  const [pending, delayed, running, dead, oldest, paused] = row.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const waitedMs = nowMs - oldest * 1_000;
  return {
    pending,
    ready: pending - delayed,
    delayed,
    running,
    dead,
    oldestReadySeconds: pending === 0 || waitedMs < 0 ? null : waitedMs / 1_000,
    paused: paused === 1,
  };
}
