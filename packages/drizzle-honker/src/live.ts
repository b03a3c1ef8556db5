import type { Sequence } from "@alkdev/honker";

/** Options of `db.live()`. */
export interface LiveQueryOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Values of the query's placeholders. */
  readonly placeholderValues?: Record<string, unknown>;
}

/** The results of a query, now and after each change of them. */
export interface LiveResults<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** Ends the iteration; idempotent. A pending `next()` resolves as done. */
  close(): void;
  next(): Promise<IteratorResult<T, undefined>>;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): LiveResults<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes results of the rows that `rows` gives. */
export function liveResults<Rows, T>(rows: Sequence<Rows>, map: (rows: Rows) => T): LiveResults<T> {
  return {
    async next() {
      const result = await rows.next();
      if (result.done === true) return result;
      return { done: false, value: map(result.value) };
    },
    async return() {
      await rows.return();
      return { done: true, value: undefined };
    },
    close: () => rows.close(),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => rows.close(),
  };
}
