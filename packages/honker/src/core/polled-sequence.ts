import type { Waiter } from "../wake/wake.ts";
import { type Closable, onEnd } from "./closable.ts";

/** An async iterable of a source that never ends by itself; `close()` ends it. */
export interface Sequence<T>
  extends AsyncIterableIterator<T, undefined>,
    AsyncDisposable,
    Closable {
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
  const endCallbacks: (() => void)[] = [];

  const end = (): void => {
    if (ended) return;
    ended = true;
    source.waiter.close();
    source.signal?.removeEventListener("abort", end);
    source.onClose?.();
    for (const callback of endCallbacks) callback();
  };
  const attempt = <R>(work: () => R): R => {
    try {
      return work();
    } catch (error) {
      end();
      throw error;
    }
  };
  const pull = async (): Promise<IteratorResult<T, undefined>> => {
    while (!ended) {
      let timeoutMs: number | undefined;
      // inside somebody's transaction the rows may yet be rolled back
      if (!source.waiter.held()) {
        const item = attempt(() => source.poll());
        if (item !== undefined) return { done: false, value: item };
        timeoutMs = attempt(() => source.timeoutMs?.());
      }
      const reason = await source.waiter.wait({ timeoutMs });
      if (reason === "closed") end();
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
    [onEnd]: (callback) => {
      if (ended) callback();
      else endCallbacks.push(callback);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => end(),
  };
}
