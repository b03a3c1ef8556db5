import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { Job } from "./job.ts";
import type { JobContext } from "./running-jobs.ts";
import { defaultWorkerId } from "./worker-id.ts";

/**
 * Does one job. Returning (or resolving) ends it; a value becomes its result (JSON). Throwing tries it
 * again after its backoff, or makes it a dead letter when no attempts are left. A job can be done more
 * than once when the process dies in between: write effects in `context.complete()`, or make them safe
 * to repeat.
 */
export type JobHandler<P> = (job: Job<P>, context: JobContext) => unknown;

/**
 * Does several jobs at once. Returning ends those that the handler has not ended itself with `ack()`,
 * `retry()` or `fail()`; throwing tries those again. Batches have no results.
 */
export type BatchHandler<P> = (jobs: readonly Job<P>[], context: JobContext) => unknown;

/** Options of `queue.work()`. */
export interface WorkOptions {
  /** Handlers that run at a time in this worker, default 1. Raise it for handlers that wait. */
  readonly concurrency?: number;
  /** Gives the handler up to so many jobs at a time, as an array. It never waits for a batch to fill. */
  readonly batchSize?: number;
  /**
   * Most jobs claimed ahead of the handlers, default 500. The worker claims ahead only while its
   * handlers are quick, about 20 ms of work, and gives back what waits longer. 0 never claims ahead.
   */
  readonly prefetch?: number;
  /** Stops the worker like `stop()`. */
  readonly signal?: AbortSignal;
  /** Name of the worker in claims and history, default host, process id and a random part. Must be unique. */
  readonly worker?: string;
  /**
   * Milliseconds that `stop()` waits for running handlers before it aborts their signals, default
   * 30,000. One second later it gives their jobs back and resolves, whatever they do.
   */
  readonly stopTimeoutMs?: number;
}

/** {@link WorkOptions} with every default filled in. */
export interface WorkSettings {
  readonly concurrency: number;
  /** Jobs per call of the handler. */
  readonly batchSize: number;
  /** Whether the handler takes an array. */
  readonly batches: boolean;
  readonly prefetch: number;
  readonly signal: AbortSignal | undefined;
  readonly worker: string;
  readonly stopTimeoutMs: number;
}

/** Checks options and fills in defaults. @throws `INVALID_ARGUMENT` */
export function resolveWorkOptions(handler: unknown, options: WorkOptions): WorkSettings {
  const { concurrency = 1, batchSize, prefetch = 500, stopTimeoutMs = 30_000 } = options;
  const worker = options.worker ?? defaultWorkerId();
  if (typeof handler !== "function") {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `a job handler must be a function, got ${typeof handler}`,
    );
  }
  const count = { min: 1, max: 10_000, integer: true };
  requireNumber(concurrency, "concurrency", count);
  if (batchSize !== undefined) requireNumber(batchSize, "batchSize", count);
  requireNumber(prefetch, "prefetch", { ...count, min: 0 });
  requireNumber(stopTimeoutMs, "stopTimeoutMs", { min: 0, max: 2_147_483_647 });
  requireName(worker, "worker");
  return {
    concurrency,
    batchSize: batchSize ?? 1,
    batches: batchSize !== undefined,
    prefetch,
    signal: options.signal,
    worker,
    stopTimeoutMs,
  };
}
