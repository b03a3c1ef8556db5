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
   * the job is tried. What `work` returns becomes the job's result (JSON, or undefined for none). With
   * a batch, all its jobs.
   *
   * @throws `LEASE_LOST`, with everything rolled back, when the job now belongs to somebody else, and
   * what `work` throws; `ASYNC_TRANSACTION` when it returns a promise
   */
  complete<T = void>(work?: SyncCallback<Transaction, T>): T;
}

/** What {@link RunningJobs} need of their worker. */
export interface RunningJobsHost {
  readonly core: Core;
  readonly settlement: Settlement;
}

/** One call of a handler: a job, or a batch of them. */
export class RunningJobs implements JobContext {
  readonly jobs: readonly ClaimedJob<unknown>[];
  /** The worker has given them up: what the handler still does is ignored. */
  abandoned = false;
  readonly #host: RunningJobsHost;
  #controller: AbortController | undefined;
  #completed = false;

  constructor(jobs: readonly ClaimedJob<unknown>[], host: RunningJobsHost) {
    this.jobs = jobs;
    this.#host = host;
  }

  /** Whether the handler has ended them in a transaction that is committed. */
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
    const text = encodePayload(value, "progress of a job");
    return this.jobs.every(({ claim }) => this.#host.settlement.saveProgress(claim, text));
  };

  readonly complete = <T = void>(work?: SyncCallback<Transaction, T>): T => {
    const { core, settlement } = this.#host;
    return core.transaction((tx) => {
      for (const job of this.jobs) {
        if (!settlement.ack(job.claim) && !this.#endedInBatch(job)) {
          throw leaseLost(job, "complete it");
        }
      }
      tx.afterCommit(() => {
        this.#completed = true;
      });
      const result = work?.(tx) as T;
      const [only, ...others] = this.jobs;
      if (
        only !== undefined &&
        others.length === 0 &&
        result !== undefined &&
        !isThenable(result)
      ) {
        settlement.saveResult(only.id, encodePayload(result, resultName(only)));
      }
      return result;
    });
  };

  abort(reason: HonkerError): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** A batch may be completed after the handler has failed or retried some of its jobs. */
  #endedInBatch(job: ClaimedJob<unknown>): boolean {
    return this.jobs.length > 1 && job.ended;
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
