import { topics } from "../core/core.ts";
import type { SqlInput } from "../sqlite/connection.ts";
import { type Backoff, backoffDelayMs, type StoredBackoff } from "./backoff.ts";
import type { DeadReason } from "./dead-letter-writer.ts";
import { errorText } from "./error-text.ts";
import type { QueueContext } from "./queue-context.ts";
import { runTime } from "./run-time.ts";

/** What identifies a claim: a job claimed again has another `attempts`, so an old claim matches nothing. */
export interface Claim {
  readonly id: number;
  readonly workerId: string;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly createdAt: number;
  readonly claimedAtMs: number;
  readonly key: string | null;
  /** Stored backoff of the job, JSON. */
  readonly backoff: string | null;
}

const HELD = `id = ?1 AND queue = ?2 AND state = 'processing' AND worker_id = ?3 AND attempts = ?4
  AND claim_expires_at >= ?5`;
const ACK = `DELETE FROM _honker_live WHERE ${HELD}`;
const IS_HELD = `SELECT 1 FROM _honker_live WHERE ${HELD}`;
const PEND = `UPDATE _honker_live SET state = 'pending', worker_id = NULL, claim_expires_at = NULL,
  run_at = ?6, alk_run_at_ms = ?7 WHERE ${HELD}`;
const RELEASE = `UPDATE _honker_live SET state = 'pending', worker_id = NULL, claim_expires_at = NULL,
  attempts = attempts - 1 WHERE ${HELD}`;
const EXTEND = `UPDATE _honker_live SET claim_expires_at = ?6 WHERE ${HELD}`;
const PROGRESS = `UPDATE _honker_live SET alk_progress = ?6 WHERE ${HELD}`;
const ACK_BY_ID = `DELETE FROM _honker_live WHERE id = ?1 AND queue = ?2 AND state = 'processing'
  AND worker_id = ?3 AND claim_expires_at >= ?4 RETURNING attempts, created_at, alk_key`;
const SAVE_RESULT = `INSERT INTO _honker_results (job_id, value, created_at, expires_at)
  VALUES (?1, ?2, ?3, ?4) ON CONFLICT (job_id) DO UPDATE
  SET value = excluded.value, created_at = excluded.created_at, expires_at = excluded.expires_at`;

/**
 * Ends claims. Every method returns false, and changes nothing, when the claim is no longer held:
 * expired, claimed by another worker, cancelled, or ended before. Those that write more than one row
 * belong in a transaction of the caller.
 */
export class Settlement {
  readonly #context: QueueContext;

  constructor(context: QueueContext) {
    this.#context = context;
  }

  /** Whether {@link ack} writes one row only, so that it needs no transaction of its own. */
  get ackIsOneStatement(): boolean {
    return !this.#context.history.enabled;
  }

  /** Runs `work`, which ends many claims, in one transaction. */
  group(work: () => void): void {
    const { core, history } = this.#context;
    core.transaction(() => history.batch(work));
  }

  /** The job is done. `result` is the JSON text kept for those who wait for it. */
  ack(claim: Claim, result?: string): boolean {
    const { core, history } = this.#context;
    if (core.prepare(ACK).run(this.#held(claim)).changes === 0) return false;
    history.record(claim, "completed");
    if (result !== undefined) this.saveResult(claim.id, result);
    this.#ended(claim);
    return true;
  }

  /** Keeps `text` (JSON) for those who wait for the job's result. */
  saveResult(jobId: number, text: string): void {
    const { core, settings } = this.#context;
    const now = core.nowSeconds();
    core.prepare(SAVE_RESULT).run([jobId, text, now, now + settings.resultTtlSeconds]);
  }

  /** Acknowledges by id and worker, without the fence of an attempt. Returns how many were held. */
  ackIds(ids: readonly number[], workerId: string): number {
    const { core, name, history } = this.#context;
    const statement = core.prepare(ACK_BY_ID);
    let count = 0;
    for (const id of ids) {
      const row = statement.rows([id, name, workerId, core.nowSeconds()])[0];
      if (row === undefined) continue;
      count += 1;
      const [attempts, createdAt, key] = row as [number, number, string | null];
      history.record({ id, workerId, attempts, createdAt }, "completed");
      this.#ended({ id, key });
    }
    return count;
  }

  /** Tries the job again after `delayMs`, by default its backoff; without attempts left it is dead. */
  retry(claim: Claim, error: unknown, delayMs?: number): boolean {
    const { core, history } = this.#context;
    if (claim.attempts >= claim.maxAttempts) return this.fail(claim, error, "attempts-exhausted");
    const delay = delayMs ?? this.#backoffMs(claim, error);
    const { runAt, runAtMs } = runTime(core.nowMs() + delay);
    const held = this.#held(claim);
    if (core.prepare(PEND).run([...held, runAt, runAtMs]).changes === 0) return false;
    history.record(claim, "retried", errorText(error));
    core.touch(this.#context.topic);
    return true;
  }

  /** The job is dead. */
  fail(claim: Claim, error: unknown, reason: DeadReason = "failed"): boolean {
    if (!this.isHeld(claim)) return false;
    this.#context.burial.bury(claim, reason, errorText(error));
    if (claim.key !== null) this.#context.core.touch(this.#context.topic);
    return true;
  }

  /** Gives the job back as if it had not been claimed. */
  release(claim: Claim, started: boolean): boolean {
    const { core, history, topic } = this.#context;
    if (core.prepare(RELEASE).run(this.#held(claim)).changes === 0) return false;
    if (started) history.record(claim, "released");
    core.touch(topic);
    return true;
  }

  /** Extends the claim to `seconds` from now. Returns when it ends, or undefined when it is lost. */
  extend(claim: Claim, seconds: number): number | undefined {
    const { core } = this.#context;
    const expiresAt = core.nowSeconds() + seconds;
    const { changes } = core.prepare(EXTEND).run([...this.#held(claim), expiresAt]);
    return changes === 0 ? undefined : expiresAt;
  }

  saveProgress(claim: Claim, text: string): boolean {
    const { changes } = this.#context.core.prepare(PROGRESS).run([...this.#held(claim), text]);
    return changes > 0;
  }

  isHeld(claim: Claim): boolean {
    return this.#context.core.prepare(IS_HELD).row(this.#held(claim)) !== undefined;
  }

  #held(claim: Claim): SqlInput[] {
    const { core, name } = this.#context;
    return [claim.id, name, claim.workerId, claim.attempts, core.nowSeconds()];
  }

  #ended({ id, key }: Pick<Claim, "id" | "key">): void {
    const { core, topic } = this.#context;
    core.touch(topics.result(id));
    // another job of its key may start now
    if (key !== null) core.touch(topic);
  }

  #backoffMs(claim: Claim, error: unknown): number {
    const { core, settings, name } = this.#context;
    const stored =
      claim.backoff === null ? undefined : (JSON.parse(claim.backoff) as StoredBackoff);
    const backoff: Backoff = stored ?? settings.backoff;
    try {
      return backoffDelayMs(backoff, claim.attempts, error);
    } catch (failure) {
      // the job must not get stuck because of it
      core.onError(failure, `backoff of queue "${name}"`);
      return 60_000;
    }
  }
}
