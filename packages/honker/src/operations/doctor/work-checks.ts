import type { Core } from "../../core/core.ts";
import { DeadLetterWriter } from "../../queue/dead-letter-writer.ts";
import { JobHistoryWriter } from "../../queue/job-history.ts";
import { JOB_COLUMNS, jobRow } from "../../queue/job-row.ts";
import { resolveQueueOptions } from "../../queue/queue-options.ts";
import { waitingJobs } from "../../queue/waiting-jobs.ts";
import type { Diagnosis, Examination } from "./finding.ts";

const IS_EXHAUSTED = `attempts >= max_attempts
  AND (state = 'pending' OR (state = 'processing' AND claim_expires_at <= ?))`;
const EXHAUSTED = `SELECT queue, count(*) FROM _honker_live WHERE ${IS_EXHAUSTED} GROUP BY queue`;
const EXHAUSTED_OF = `SELECT ${JOB_COLUMNS} FROM _honker_live
  WHERE queue = ? AND ${IS_EXHAUSTED} ORDER BY id`;
const ORPHANED = `SELECT queue, count(*), min(claim_expires_at) FROM _honker_live
  WHERE state = 'processing' AND claim_expires_at <= ? AND attempts < max_attempts GROUP BY queue`;
const NEGLECTED = `SELECT queue, due, first_at_ms FROM (${waitingJobs()}) WHERE first_at_ms <= ?2`;
const STUCK = `SELECT topic, name, offset, first_unread, lag FROM (
    SELECT topic, name, offset,
      (SELECT created_at FROM _honker_stream s WHERE s.topic = c.topic AND s.offset > c.offset
        ORDER BY s.offset LIMIT 1) AS first_unread,
      (SELECT count(*) FROM _honker_stream s WHERE s.topic = c.topic AND s.offset > c.offset) AS lag
    FROM (SELECT topic, name, offset FROM _honker_stream_consumers
      UNION ALL SELECT topic, name, offset FROM _alk_stream_groups) c)
  WHERE first_unread <= ? ORDER BY topic, name`;
const OVERDUE = `SELECT name, queue, due_at FROM (
    SELECT name, queue, coalesce(alk_next_at, next_fire_at) AS due_at
    FROM _honker_scheduler_tasks WHERE enabled)
  WHERE due_at <= ? ORDER BY name`;

/** Jobs without attempts left: a worker would move them to the dead letters, if there were one. */
export function exhaustedJobs({ core, thresholds }: Examination): Diagnosis[] {
  const limit = core.nowSeconds() - thresholds.claimSeconds;
  return core
    .prepare(EXHAUSTED)
    .rows([limit])
    .map(([queue, jobs]) => ({
      code: "EXHAUSTED_JOBS" as const,
      severity: "warning" as const,
      message: `${jobs} jobs of queue "${queue}" have no attempts left and are not among the dead letters`,
      advice: "Run doctor({ fix: true }) to move them there, then look at the dead letters",
      details: { queue, jobs },
      repair: () => bury(core, String(queue), limit),
    }));
}

/** Claims that expired long ago: their worker died and no other serves the queue. */
export function orphanedClaims({ core, thresholds }: Examination): Diagnosis[] {
  const now = core.nowSeconds();
  return core
    .prepare(ORPHANED)
    .rows([now - thresholds.claimSeconds])
    .map(([queue, jobs, oldest]) => ({
      code: "ORPHANED_CLAIMS" as const,
      severity: "error" as const,
      message: `${jobs} jobs of queue "${queue}" lost their worker up to ${now - Number(oldest)} seconds ago and nobody claimed them again`,
      advice: `Start a worker for queue "${queue}": it claims them again by itself`,
      details: { queue, jobs, oldestExpiry: oldest },
    }));
}

/** Jobs that are due and wait for longer than they should. */
export function neglectedQueues({ core, thresholds }: Examination): Diagnosis[] {
  const now = core.nowSeconds();
  return core
    .prepare(NEGLECTED)
    .rows([core.nowMs(), (now - thresholds.readySeconds) * 1_000])
    .map(
      ([queue, jobs, firstAtMs]) => [queue, jobs, Math.floor(Number(firstAtMs) / 1_000)] as const,
    )
    .map(([queue, jobs, oldest]) => ({
      code: "NEGLECTED_QUEUE" as const,
      severity: "warning" as const,
      message: `${jobs} jobs of queue "${queue}" are due, the oldest for ${now - oldest} seconds`,
      advice: `Start a worker for queue "${queue}", more of them, or resume it if it is paused`,
      details: { queue, jobs, oldestRunAt: oldest },
    }));
}

/** Consumers that hold back the retention of their stream. */
export function stuckConsumers({ core, thresholds }: Examination): Diagnosis[] {
  const now = core.nowSeconds();
  return core
    .prepare(STUCK)
    .rows([now - thresholds.consumerSeconds])
    .map(([stream, consumer, offset, firstUnread, lag]) => ({
      code: "STUCK_CONSUMER" as const,
      severity: "warning" as const,
      message: `consumer "${consumer}" of stream "${stream}" is ${lag} events behind, the first of them ${now - Number(firstUnread)} seconds old`,
      advice: `Start the consumer, look for an event it cannot handle at offset ${Number(offset) + 1} or later, or remove a consumer that is no longer used`,
      details: { stream, consumer, offset, lag, firstUnreadAt: firstUnread },
    }));
}

/** Schedules whose time came and went. */
export function overdueSchedules({ core, thresholds }: Examination): Diagnosis[] {
  const now = core.nowSeconds();
  return core
    .prepare(OVERDUE)
    .rows([now - thresholds.scheduleSeconds])
    .map(([schedule, queue, next]) => ({
      code: "OVERDUE_SCHEDULE" as const,
      severity: "error" as const,
      message: `schedule "${schedule}" was due ${now - Number(next)} seconds ago and nobody fired it`,
      advice: "Run a scheduler in one process at least, or pause the schedule",
      details: { schedule, queue, dueAt: next },
    }));
}

/** As a worker of the queue would, history included. */
function bury(core: Core, queue: string, limit: number): void {
  const history = new JobHistoryWriter(core, queue, resolveQueueOptions({}).history);
  const burial = new DeadLetterWriter(core, history);
  core.transaction(() => {
    for (const row of core.prepare(EXHAUSTED_OF).rows([queue, limit])) {
      burial.bury(jobRow(row), "attempts-exhausted", "max attempts exceeded");
    }
  });
}
