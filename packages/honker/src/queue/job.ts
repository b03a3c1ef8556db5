import type { Handle } from "../core/handle.ts";
import { requireNumber } from "../core/names.ts";
import { requireTransaction } from "../core/require-transaction.ts";
import type { Transaction } from "../core/transaction.ts";
import type { ClaimedRow } from "./claims.ts";
import type { Settlement } from "./settlement.ts";

/** A claimed job. Its methods return false, and change nothing, once the claim is lost or ended. */
export interface Job<P = unknown> {
  /** Unique in the file, over all queues; never used again. */
  readonly id: number;
  readonly queue: string;
  readonly payload: P;
  /** Upstream's field: a claimed job is being processed. */
  readonly state: "processing";
  readonly priority: number;
  /** Number of this attempt, from 1. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** When it was allowed to run, in seconds since 1970; fractions are milliseconds. */
  readonly runAt: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Seconds since 1970; `null`: never. */
  readonly expiresAt: number | null;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly workerId: string;
  /** When the claim ends unless it is renewed, in seconds since 1970. */
  readonly claimExpiresAt: number;
  /** The job is done: it is removed. */
  ack(): boolean;
  /** As {@link ack}, in `tx`: its effects and the end of the job commit together. @throws `TRANSACTION_STATE` */
  ackTx(tx: Transaction): boolean;
  /**
   * Tries the job again after `delaySeconds`, by default the backoff of the job or queue. Without
   * attempts left it becomes a dead letter with `error`.
   */
  retry(delaySeconds?: number | null, error?: unknown): boolean;
  /** Makes the job a dead letter now, whatever attempts are left. */
  fail(error?: unknown): boolean;
  /** Renews the claim for `extendSeconds` from now, by default the queue's visibility timeout. */
  heartbeat(extendSeconds?: number): boolean;
}

/** A {@link Job} of a queue handle. */
export class ClaimedJob<P> implements Job<P> {
  readonly id: number;
  readonly queue: string;
  readonly payload: P;
  readonly state = "processing" as const;
  readonly priority: number;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly runAt: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly key: string | null;
  readonly workerId: string;
  readonly #row: ClaimedRow;
  readonly #settlement: Settlement;
  readonly #handle: Handle;
  readonly #visibilitySeconds: number;
  #claimExpiresAt: number;
  #ended = false;

  constructor(row: ClaimedRow, payload: P, owner: JobOwner) {
    this.id = row.id;
    this.queue = owner.name;
    this.payload = payload;
    this.priority = row.priority;
    this.attempts = row.attempts;
    this.maxAttempts = row.maxAttempts;
    this.runAt = row.readyAtMs / 1_000;
    this.createdAt = row.createdAt;
    this.expiresAt = row.expiresAt;
    this.key = row.key;
    this.workerId = row.workerId;
    this.#row = row;
    this.#settlement = owner.settlement;
    this.#handle = owner.handle;
    this.#visibilitySeconds = owner.visibilitySeconds;
    this.#claimExpiresAt = row.claimExpiresAt;
  }

  get claimExpiresAt(): number {
    return this.#claimExpiresAt;
  }

  get headers(): Readonly<Record<string, string>> {
    const { headers } = this.#row;
    return headers === null ? {} : (JSON.parse(headers) as Record<string, string>);
  }

  /** Whether a call on this object ended the job, if only in a transaction that was rolled back. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The claim behind the job, for the worker that settles many at once. */
  get claim(): ClaimedRow {
    return this.#row;
  }

  ack(): boolean {
    const core = this.#handle.use();
    const ack = (): boolean => this.#settlement.ack(this.#row);
    return this.#end(this.#settlement.ackIsOneStatement ? ack() : core.transaction(ack));
  }

  ackTx(tx: Transaction): boolean {
    requireTransaction(this.#handle.use(), tx, "ackTx");
    return this.#end(this.#settlement.ack(this.#row));
  }

  retry(delaySeconds?: number | null, error: unknown = "retried"): boolean {
    const core = this.#handle.use();
    if (delaySeconds != null) {
      requireNumber(delaySeconds, "delaySeconds", { min: 0, max: 31_622_400 });
    }
    const delayMs = delaySeconds == null ? undefined : delaySeconds * 1_000;
    return this.#end(core.transaction(() => this.#settlement.retry(this.#row, error, delayMs)));
  }

  fail(error: unknown = "failed"): boolean {
    const core = this.#handle.use();
    return this.#end(core.transaction(() => this.#settlement.fail(this.#row, error)));
  }

  heartbeat(extendSeconds: number = this.#visibilitySeconds): boolean {
    this.#handle.use();
    requireNumber(extendSeconds, "extendSeconds", { min: 1, max: 2_147_483_647, integer: true });
    const expiresAt = this.#settlement.extend(this.#row, extendSeconds);
    if (expiresAt === undefined) return false;
    this.#claimExpiresAt = expiresAt;
    return true;
  }

  #end(ended: boolean): boolean {
    if (ended) this.#ended = true;
    return ended;
  }
}

/** What a job needs of its queue. */
export interface JobOwner {
  readonly name: string;
  readonly handle: Handle;
  readonly settlement: Settlement;
  readonly visibilitySeconds: number;
}
