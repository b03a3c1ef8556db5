import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import { decodePayload, encodePayload } from "../core/json.ts";
import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import { closedError } from "../sqlite/sqlite-errors.ts";
import type { JobOutcome } from "./job-history.ts";

/** Options of `waitResult()`. */
export interface WaitResultOptions {
  /** Rejects with its reason when aborted. */
  readonly signal?: AbortSignal;
  /** Rejects with `TIMEOUT` after so many milliseconds; default never. */
  readonly timeoutMs?: number;
}

const SAVE = `INSERT INTO _honker_results (job_id, value, created_at, expires_at)
  VALUES (?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE
  SET value = excluded.value, created_at = excluded.created_at, expires_at = excluded.expires_at`;
const GET = `SELECT value FROM _honker_results
  WHERE job_id = ? AND (expires_at IS NULL OR expires_at > ?)`;
const SWEEP = "DELETE FROM _honker_results WHERE expires_at IS NOT NULL AND expires_at <= ?";
// one statement, so that all of it is one moment: the end of a job and its result are one commit
const STATE = `SELECT
  EXISTS (SELECT 1 FROM _honker_live WHERE id = ?1),
  EXISTS (SELECT 1 FROM _honker_results
    WHERE job_id = ?1 AND (expires_at IS NULL OR expires_at > ?2)),
  (SELECT value FROM _honker_results WHERE job_id = ?1),
  (SELECT queue FROM _honker_dead WHERE id = ?1),
  (SELECT last_error FROM _honker_dead WHERE id = ?1)`;
// the history is kept per queue: one seek for each queue that has any
const LAST_OUTCOME = `WITH RECURSIVE queues(name) AS (
    SELECT min(queue) FROM _alk_job_history
    UNION ALL
    SELECT (SELECT min(queue) FROM _alk_job_history WHERE queue > name) FROM queues
    WHERE name IS NOT NULL)
  SELECT queue, outcome FROM queues JOIN _alk_job_history ON queue = name AND job_id = ?
  ORDER BY entry DESC LIMIT 1`;

/** How long a result is kept unless told otherwise, in seconds: a day. */
const DEFAULT_TTL_SECONDS = 86_400;

/** Results of jobs, for those who wait for them in this or another process (M10). */
export class Results {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** @param ttlSeconds 0 keeps it for ever, as in Honker */
  save(jobId: number, value: unknown, ttlSeconds: number = DEFAULT_TTL_SECONDS): void {
    requireJobId(jobId);
    requireNumber(ttlSeconds, "ttlSeconds", { min: 0, max: 253_402_300_799 });
    const text = encodePayload(value, `result of job ${jobId}`);
    const now = this.#core.nowSeconds();
    const expiresAt = ttlSeconds === 0 ? null : Math.ceil(now + ttlSeconds);
    this.#core.prepare(SAVE).run([jobId, text, now, expiresAt]);
    this.#core.touch(topics.result(jobId));
  }

  get(jobId: number): unknown {
    requireJobId(jobId);
    return resultValue(this.#core.prepare(GET).row([jobId, this.#core.nowSeconds()])?.[0]);
  }

  /** Deletes results whose time is over. Returns how many. */
  sweep(): number {
    return this.#core.prepare(SWEEP).run([this.#core.nowSeconds()]).changes;
  }

  async wait(jobId: number, options: WaitResultOptions = {}): Promise<unknown> {
    requireJobId(jobId);
    const { signal, timeoutMs } = options;
    if (timeoutMs !== undefined) requireNumber(timeoutMs, "timeoutMs", { min: 0 });
    const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    const waiter = this.#core.wake.waiter(topics.result(jobId));
    try {
      for (;;) {
        signal?.throwIfAborted();
        // what an open transaction has written may yet be rolled back
        const ended = waiter.held() ? undefined : this.#ended(jobId);
        if (ended !== undefined) return ended.value;
        const reason = await waiter.wait({ signal, timeoutMs: deadline - performance.now() });
        if (reason === "closed") throw closedError(this.#core.path);
        if (reason === "timeout") throw timedOut(jobId, timeoutMs as number);
      }
    } finally {
      waiter.close();
    }
  }

  /** The result of a job that has ended; undefined while it has not. @throws `JOB_FAILED` */
  #ended(jobId: number): { value: unknown } | undefined {
    const [isLive, hasResult, text, deadIn, error] = this.#core
      .prepare(STATE)
      .row([jobId, this.#core.nowSeconds()]) as SqlValue[];
    if (hasResult === 1) return { value: resultValue(text) };
    if (isLive === 1) return undefined;
    if (deadIn !== null) throw jobFailed(jobId, String(deadIn), String(error));
    const last = this.#core.prepare(LAST_OUTCOME).row([jobId]);
    const outcome = last?.[1] as JobOutcome | undefined;
    if (outcome === "cancelled") throw jobFailed(jobId, String(last?.[0]), "it was cancelled");
    return { value: null };
  }
}

function resultValue(text: SqlValue | undefined): unknown {
  return typeof text === "string" ? decodePayload(text) : null;
}

function requireJobId(jobId: unknown): void {
  requireNumber(jobId, "job id", { min: 1, integer: true });
}

function jobFailed(jobId: number, queue: string, error: string): HonkerError {
  return new HonkerError("JOB_FAILED", `job ${jobId} of queue "${queue}" has no result: ${error}`, {
    details: { jobId, queue, error },
  });
}

function timedOut(jobId: number, timeoutMs: number): HonkerError {
  return new HonkerError("TIMEOUT", `job ${jobId} had no result after ${timeoutMs} ms`, {
    hint: "It may still be waiting or running; wait again, or look at queue.get(id)",
    details: { jobId, timeoutMs },
  });
}
