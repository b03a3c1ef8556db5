import type { Waiter } from "../wake/wake.ts";
import type { Closable } from "./closable.ts";

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
  /**
   * Whether the next `poll()` answers from memory. Otherwise it is not called inside a transaction,
   * whose rows may yet be rolled back. Absent: never.
   */
  buffered?(): boolean;
  /** How long to wait for a wake before polling again, in milliseconds; absent: for ever. */
  timeoutMs?(): number | undefined;
  /** Called once, when the sequence ends for whatever reason. */
  onClose?(): void;
}

/** Items handed out in a row before timers and I/O of the process get their turn. */
const IN_A_ROW = 512;

/**
 * Turns "look, and wait for a wake when there is nothing" into an async iterable. It listens from the
 * moment it is made, not from the first `next()`, so nothing in between is missed. Calls of `next()`
 * are answered in their order.
 */
export function polledSequence<T>(source: PolledSource<T>): Sequence<T> {
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let inARow = 0;
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
  /** What is there now, without waiting. */
  const immediate = (): T | undefined => {
    if (ended || (source.buffered?.() !== true && source.waiter.held())) return undefined;
    const item = attempt(() => source.poll());
    if (item !== undefined) inARow += 1;
    return item;
  };
  const afterWaiting = async (): Promise<IteratorResult<T, undefined>> => {
    while (!ended) {
      inARow = 0;
      const held = source.waiter.held();
      const timeoutMs = held ? undefined : attempt(() => source.timeoutMs?.());
      const reason = await source.waiter.wait({ timeoutMs });
      if (reason === "closed") end();
      const item = immediate();
      if (item !== undefined) return { done: false, value: item };
    }
    return { done: true, value: undefined };
  };
  const pull = async (): Promise<IteratorResult<T, undefined>> => {
    if (inARow >= IN_A_ROW) await othersTurn();
    inARow = 0;
    const item = immediate();
    return item === undefined ? await afterWaiting() : { done: false, value: item };
  };
  /** Answers calls of `next()` in their order. */
  const inTurn = (
    answer: () => Promise<IteratorResult<T, undefined>>,
  ): Promise<IteratorResult<T, undefined>> => {
    waiting += 1;
    const result = last.then(answer, answer).finally(() => {
      waiting -= 1;
    });
    last = result;
    return result;
  };

  if (source.signal?.aborted) end();
  else source.signal?.addEventListener("abort", end, { once: true });

  return {
    next: () => {
      if (waiting > 0 || inARow >= IN_A_ROW) return inTurn(pull);
      // a sequence that is behind is read much faster without a queue of promises
      let item: T | undefined;
      try {
        item = immediate();
      } catch (error) {
        return Promise.reject(error);
      }
      if (item === undefined) return inTurn(afterWaiting);
      return Promise.resolve({ done: false, value: item });
    },
    return: async () => {
      end();
      return { done: true, value: undefined };
    },
    close: end,
    onEnd: (callback) => {
      if (ended) callback();
      else endCallbacks.push(callback);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => end(),
  };
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
