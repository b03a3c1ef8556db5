import type { Core } from "../core/core.ts";
import { encodePayload } from "../core/json.ts";
import type { SyncCallback, Transaction } from "../core/transaction.ts";
import { HonkerError } from "../errors.ts";
import type { ClaimedJob } from "./job.ts";
import type { Settlement } from "./settlement.ts";

/** What a handler can do besides its work. */
export interface JobContext {
  /**
   * Aborted when the job was cancelled, when its claim was lost, and when the worker has waited long
   * enough for its handlers to stop. Its reason is a {@link HonkerError}.
   */
  readonly signal: AbortSignal;
  /** Reports how far the handler is (JSON), for `queue.get(id).progress`. False when the claim is lost. */
  progress(value: unknown): boolean;
  /**
   * Ends the job in one transaction with what `work` writes: its effects, follow-up jobs and the end
   * of the job are committed together or not at all, so the effect happens exactly once however often
   * the job is tried. What `work` returns becomes the job's result (JSON, or undefined for none).
   *
   * @throws `LEASE_LOST`, with everything rolled back, when the job now belongs to somebody else, and
   * what `work` throws; `ASYNC_TRANSACTION` when it returns a promise
   */
  complete<T = void>(work?: SyncCallback<Transaction, T>): T;
}

/** What a {@link RunningJob} needs of its worker. */
export interface RunningJobHost {
  readonly core: Core;
  readonly settlement: Settlement;
}

/** A job whose handler runs. */
export class RunningJob implements JobContext {
  readonly job: ClaimedJob<unknown>;
  /** The worker has given it up: what the handler still does is ignored. */
  abandoned = false;
  readonly #host: RunningJobHost;
  #controller: AbortController | undefined;
  #completed = false;

  constructor(job: ClaimedJob<unknown>, host: RunningJobHost) {
    this.job = job;
    this.#host = host;
  }

  /** Whether the handler has ended the job in a transaction that is committed. */
  get completed(): boolean {
    return this.#completed;
  }

  get aborted(): boolean {
    return this.#controller?.signal.aborted ?? false;
  }

  get signal(): AbortSignal {
    // most handlers never look at it, and making one is dear
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  // bound, so that a handler may take it apart: (job, { complete }) => …
  readonly progress = (value: unknown): boolean => {
    const text = encodePayload(value, `progress of job ${this.job.id}`);
    return this.#host.settlement.saveProgress(this.job.claim, text);
  };

  readonly complete = <T = void>(work?: SyncCallback<Transaction, T>): T => {
    const { core, settlement } = this.#host;
    return core.transaction((tx) => {
      if (!settlement.ack(this.job.claim)) throw leaseLost(this.job, "complete it");
      tx.afterCommit(() => {
        this.#completed = true;
      });
      const result = work?.(tx) as T;
      if (result !== undefined && !isThenable(result)) {
        settlement.saveResult(this.job.id, encodePayload(result, resultName(this.job)));
      }
      return result;
    });
  };

  abort(reason: HonkerError): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** Names the result of a job in errors. */
export function resultName({ id, queue }: { id: number; queue: string }): string {
  return `result of job ${id} of queue "${queue}"`;
}

/** The claim of `job` is gone. */
export function leaseLost(
  job: { id: number; queue: string; workerId: string; attempts: number },
  action: string,
): HonkerError {
  return new HonkerError(
    "LEASE_LOST",
    `worker "${job.workerId}" no longer holds job ${job.id} of queue "${job.queue}" and cannot ${action}: ` +
      "it was cancelled, ended, or its claim ran out",
    {
      hint: "Raise visibilityTimeoutSeconds when handlers block the event loop for long",
      details: { jobId: job.id, queue: job.queue, workerId: job.workerId, attempt: job.attempts },
    },
  );
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
