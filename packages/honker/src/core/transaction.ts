import type { Row, RunResult, SqlInput } from "../sqlite/connection.ts";
import type { QueryOptions } from "../sqlite/query.ts";

/** When SQLite takes the write lock; see https://www.sqlite.org/lang_transaction.html. */
export type TransactionBehavior = "deferred" | "immediate" | "exclusive";

/** Options of `transaction()`. */
export interface TransactionOptions {
  /**
   * Default `"immediate"`: the write lock is taken at the start, so a transaction that reads and then
   * writes cannot fail half-way with SQLITE_BUSY. `"deferred"` for read-only work. Ignored in a nested
   * transaction, which is a savepoint.
   */
  readonly behavior?: TransactionBehavior;
}

/**
 * An open transaction, or a savepoint inside one. All calls run on the database's only connection;
 * calls on the outer `Database` made meanwhile join it.
 */
export interface Transaction extends Disposable {
  /** Whether this handle can still be used. */
  readonly open: boolean;
  /** Nesting: 0 for the outermost transaction, 1 for a savepoint in it, and so on. */
  readonly depth: number;
  /** Object rows. @throws `DUPLICATE_COLUMN`, `UNSAFE_INTEGER`, `INVALID_PARAMETER` */
  query<R extends object = Row>(
    sql: string,
    params?: readonly SqlInput[],
    options?: QueryOptions,
  ): R[];
  execute(sql: string, params?: readonly SqlInput[]): RunResult;
  /** Positional rows, which keep columns of equal names apart. */
  rows(sql: string, params?: readonly SqlInput[], options?: QueryOptions): unknown[][];
  /** Adds a notification that listeners get when the outermost transaction commits. Returns its id. */
  notify(channel: string, payload?: unknown): number;
  /** Runs `work` in a savepoint: undone alone when it throws. */
  transaction<T>(work: SyncCallback<Transaction, T>): T;
  /** Calls `hook` once after the outermost commit; not at all when this part is rolled back. */
  afterCommit(hook: () => void): void;
  commit(): void;
  rollback(): void;
}

/**
 * A callback that must not return a promise: the transaction ends when the callback returns, so what
 * an async function does after its first `await` would not be part of it. A type error here, and
 * `ASYNC_TRANSACTION` with everything rolled back at run time.
 */
export type SyncCallback<A, T> = (
  argument: A,
) => T extends PromiseLike<unknown>
  ? "a transaction callback must not be async: do async work first, then write its result"
  : T;
