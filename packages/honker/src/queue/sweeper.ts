import { JOB_COLUMNS, jobRow } from "./job-row.ts";
import { KeyLimits } from "./key-limits.ts";
import type { QueueContext } from "./queue-context.ts";

const EXPIRED_CLAIMS = `SELECT ${JOB_COLUMNS} FROM _honker_live
  WHERE queue = ? AND state = 'processing' AND claim_expires_at < ?
  ORDER BY claim_expires_at LIMIT 500`;
const RECLAIM = `UPDATE _honker_live SET state = 'pending', worker_id = NULL, claim_expires_at = NULL
  WHERE id = ?`;
const EXPIRED_JOBS = `SELECT ${JOB_COLUMNS} FROM _honker_live
  WHERE queue = ? AND state = 'pending' AND expires_at IS NOT NULL AND expires_at <= ?
  ORDER BY expires_at LIMIT 500`;
const CLOSE_WINDOWS = `DELETE FROM _alk_unique_windows WHERE (queue, unique_key) IN (
  SELECT queue, unique_key FROM _alk_unique_windows WHERE queue = ? AND until_ms <= ? LIMIT 500)`;
const DROP_RESULTS = `DELETE FROM _honker_results WHERE job_id IN (
  SELECT job_id FROM _honker_results WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT 500)`;
// alk_key > '': so that the index of parked jobs is used, not that of all jobs
const WORK_TO_DO = `SELECT
  EXISTS (SELECT 1 FROM _honker_live WHERE queue = ?1 AND state = 'processing' AND claim_expires_at < ?2)
  OR EXISTS (SELECT 1 FROM _honker_live
    WHERE queue = ?1 AND state = 'pending' AND expires_at IS NOT NULL AND expires_at <= ?2)
  OR EXISTS (SELECT 1 FROM _alk_unique_windows WHERE queue = ?1 AND until_ms <= ?2 * 1000)
  OR EXISTS (SELECT 1 FROM _honker_results WHERE expires_at IS NOT NULL AND expires_at <= ?2)
  OR EXISTS (SELECT 1 FROM _honker_live WHERE queue = ?1 AND alk_key > '' AND alk_parked IS NOT NULL)`;

/** How often claiming sweeps, in milliseconds: not before every claim, which made Honker's cost grow. */
const SWEEP_EVERY_MS = 5_000;
/** Batches of 500 that one sweep does at most; the next one goes on. */
const MOST_BATCHES = 20;

/** Moves what nobody will claim any more out of the way. */
export class Sweeper {
  readonly #context: QueueContext;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: QueueContext) {
    this.#context = context;
  }

  sweepWhenDue(): void {
    const { core } = this.#context;
    const nowMs = core.nowMs();
    // the absolute value: a clock set back must not stop sweeping
    if (Math.abs(nowMs - this.#sweptAtMs) < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    this.sweep();
  }

  /**
   * Gives jobs of expired claims back or, without attempts left, to the dead letters; moves expired
   * jobs to the dead letters; drops old results and unique windows. Returns how many jobs moved.
   */
  sweep(): number {
    const { core, name } = this.#context;
    const due = core.prepare(WORK_TO_DO).row([name, core.nowSeconds()])?.[0];
    if (due !== 1) return 0;
    let moved = 0;
    for (let i = 0; i < MOST_BATCHES; i++) {
      const batch = core.transaction(() => this.#sweepBatch());
      moved += batch;
      if (batch === 0) break;
    }
    return moved;
  }

  /** Gives back what is held by claims that ran out. Call it in a transaction. Returns how many. */
  reclaim(): number {
    const { core, name, burial, history, topic } = this.#context;
    const rows = core.prepare(EXPIRED_CLAIMS).rows([name, core.nowSeconds()]).map(jobRow);
    for (const row of rows) {
      if (row.attempts >= row.maxAttempts) {
        burial.bury(row, "attempts-exhausted", "max attempts exceeded");
      } else {
        history.record(row, "lost", "claim expired");
        core.prepare(RECLAIM).run([row.id]);
      }
    }
    if (rows.length > 0) core.touch(topic);
    return rows.length;
  }

  #sweepBatch(): number {
    const { core, name, burial } = this.#context;
    const now = core.nowSeconds();
    const reclaimed = this.reclaim();
    const expired = core.prepare(EXPIRED_JOBS).rows([name, now]).map(jobRow);
    for (const row of expired) burial.bury(row, "expired", "expired");
    core.prepare(CLOSE_WINDOWS).run([name, now * 1_000]);
    core.prepare(DROP_RESULTS).run([now]);
    KeyLimits.unparkFree(this.#context);
    return reclaimed + expired.length;
  }
}
