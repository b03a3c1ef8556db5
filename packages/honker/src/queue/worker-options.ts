import type { Job } from "./job.ts";
import type { JobContext } from "./running-job.ts";

/**
 * Does one job. Returning (or resolving) ends it; a value becomes its result (JSON). Throwing tries it
 * again after its backoff, or makes it a dead letter when no attempts are left. A job can be done more
 * than once when the process dies in between: write effects in `context.complete()`, or make them safe
 * to repeat.
 */
export type JobHandler<P> = (job: Job<P>, context: JobContext) => unknown;

/** Options of `queue.work()`. */
export interface WorkOptions {
  /** Handlers that run at a time in this worker, default 1. Raise it for handlers that wait. */
  readonly concurrency?: number;
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
