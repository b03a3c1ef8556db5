import { polledSequence, type Sequence } from "../core/polled-sequence.ts";
import type { Waiter } from "../wake/wake.ts";
import type { Job } from "./job.ts";

/** Options of `claim()` and `claimWaker()`. */
export interface ClaimOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Accepted for upstream's sake and not needed: waiting costs nothing and misses nothing. */
  readonly idlePollS?: number | null;
}

/** An endless sequence of claimed jobs, which waits without polling while there are none. */
export interface ClaimWaker<P = unknown> extends Sequence<Job<P>> {
  /** Upstream's form: the next job, claimed for `workerId`, or `null` when the waker is closed. */
  next(workerId: string, options?: { readonly signal?: AbortSignal }): Promise<Job<P> | null>;
  next(): Promise<IteratorResult<Job<P>, undefined>>;
  // typed without the overload: for await accepts no next() that takes something
  [Symbol.asyncIterator](): Sequence<Job<P>>;
}

/** What a claim sequence does with its queue. */
export interface ClaimSource<P> {
  readonly waiter: Waiter;
  claimOne(workerId: string): Job<P> | null;
  /** Milliseconds until claiming is worth trying again without a wake; absent: for ever. */
  waitMs(): number | undefined;
}

/** Jobs as they come, claimed one at a time when they are asked for. */
export function claimSequence<P>(
  source: ClaimSource<P>,
  workerId: string,
  signal: AbortSignal | undefined,
): ClaimWaker<P> {
  let claimFor = workerId;
  const jobs = polledSequence<Job<P>>({
    waiter: source.waiter,
    signal,
    poll: () => source.claimOne(claimFor) ?? undefined,
    timeoutMs: () => source.waitMs(),
  });

  async function nextFor(
    worker: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Job<P> | null> {
    claimFor = worker;
    if (options.signal?.aborted) return null;
    const end = (): void => jobs.close();
    options.signal?.addEventListener("abort", end, { once: true });
    const result = await jobs.next();
    options.signal?.removeEventListener("abort", end);
    return result.done ? null : result.value;
  }
  function next(worker: string, options?: { signal?: AbortSignal }): Promise<Job<P> | null>;
  function next(): Promise<IteratorResult<Job<P>, undefined>>;
  function next(worker?: string, options?: { signal?: AbortSignal }): Promise<unknown> {
    return typeof worker === "string" ? nextFor(worker, options) : jobs.next();
  }

  const waker: ClaimWaker<P> = {
    next,
    return: () => jobs.return(),
    close: () => jobs.close(),
    onEnd: (callback) => jobs.onEnd(callback),
    [Symbol.asyncIterator]: () => waker,
    [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose](),
  };
  return waker;
}
