import type { Waiter } from "../wake/wake.ts";

/** An async iterable of a source that never ends by itself; `close()` ends it. */
export interface Sequence<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** Ends the iteration; idempotent. A pending `next()` resolves as done. */
  close(): void;
  next(): Promise<IteratorResult<T, undefined>>;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): Sequence<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where a {@link Sequence} takes its items from. */
export interface PolledSource<T> {
  readonly waiter: Waiter;
  readonly signal?: AbortSignal | undefined;
  /** The next item that is there now. Throwing ends the sequence with that error. */
  poll(): T | undefined;
  /** How long to wait for a wake before polling again, in milliseconds; absent: for ever. */
  timeoutMs?(): number | undefined;
  /** Called once, when the sequence ends for whatever reason. */
  onClose?(): void;
}

/**
 * Turns "look, and wait for a wake when there is nothing" into an async iterable. It listens from the
 * moment it is made, not from the first `next()`, so nothing in between is missed. Calls of `next()`
 * are answered in their order.
 */
export function polledSequence<T>(source: PolledSource<T>): Sequence<T> {
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();

  const end = (): void => {
    if (ended) return;
    ended = true;
    source.waiter.close();
    source.signal?.removeEventListener("abort", end);
    source.onClose?.();
  };
  const pull = async (): Promise<IteratorResult<T, undefined>> => {
    while (!ended) {
      let item: T | undefined;
      try {
        item = source.poll();
      } catch (error) {
        end();
        throw error;
      }
      if (item !== undefined) return { done: false, value: item };
      const reason = await source.waiter.wait({
        signal: source.signal,
        timeoutMs: source.timeoutMs?.(),
      });
      if (reason === "closed" || reason === "aborted") end();
    }
    return { done: true, value: undefined };
  };

  if (source.signal?.aborted) end();
  else source.signal?.addEventListener("abort", end, { once: true });

  return {
    next: () => {
      const result = last.then(pull, pull);
      last = result;
      return result;
    },
    return: async () => {
      end();
      return { done: true, value: undefined };
    },
    close: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => end(),
  };
}
