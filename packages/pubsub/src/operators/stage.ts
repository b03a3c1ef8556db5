import type { Subscription } from "../subscription.ts";

/** Turns one async iterable into another; what the operators make and {@link pipe} strings together. */
export type Operator<A, B> = (source: AsyncIterable<A>) => Subscription<B>;

/** The end of a sequence. */
export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** What a {@link stage} does for each `next()`. */
export interface StageSteps<B> {
  /** The next result. `done` ends the stage; so does throwing. Never called twice at once. */
  next(): Promise<IteratorResult<B, undefined>>;
  /** Lets go of the sources. Called once, however the stage ends. */
  cancel(): unknown;
}

/**
 * The common part of all operators. The source is taken when the operator is applied, so an early
 * event is not missed, and it is cancelled however the stage ends, also when nobody ever called
 * `next()` or a `next()` is still waiting (which an async generator would not do).
 */
export function stage<B>(steps: StageSteps<B>): Subscription<B> {
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();

  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await steps.cancel();
  };
  const pull = async (): Promise<IteratorResult<B, undefined>> => {
    if (ended) return DONE;
    let result: IteratorResult<B, undefined>;
    try {
      result = await steps.next();
    } catch (error) {
      await end().catch(() => undefined); // the first error is the one to report
      throw error;
    }
    if (result.done) await end();
    return ended ? DONE : result;
  };

  return {
    next() {
      const result = last.then(pull, pull);
      last = result;
      return result;
    },
    async return() {
      await end();
      return DONE;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Starts a source and says how to cancel it. */
export function start<A>(source: AsyncIterable<A>): {
  next(): Promise<IteratorResult<A, unknown>>;
  cancel(): Promise<unknown>;
} {
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: async () => iterator.next(),
    cancel: async () => iterator.return?.(),
  };
}
