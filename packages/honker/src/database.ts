import { type Closable, onEnd } from "./core/closable.ts";
import type { Engine } from "./core/engine.ts";
import type { Sequence } from "./core/polled-sequence.ts";
import type { SyncCallback, Transaction, TransactionOptions } from "./core/transaction.ts";
import type { ListenOptions, Notification } from "./notify/notifications.ts";
import type { NotificationRetention } from "./options.ts";
import type { BackupProgress, Row, RunResult, SqlInput } from "./sqlite/connection.ts";
import { iterateObjects, type QueryOptions } from "./sqlite/query.ts";
import { closedError } from "./sqlite/sqlite-errors.ts";

/**
 * An open database file: SQL, notifications, streams, queues, locks and schedules on one connection,
 * so that all of them commit or roll back together. Made by {@link open}.
 */
export class Database implements Disposable {
  readonly #engine: Engine;
  readonly #release: () => void;
  readonly #open = new Set<Closable>();
  /** Transactions begun without a callback; closing this handle rolls them back. */
  #begun: Transaction[] = [];
  #closed = false;

  /** @internal Use {@link open}. */
  constructor(engine: Engine, release: () => void) {
    this.#engine = engine;
    this.#release = release;
  }

  /** Absolute path of the file, or `":memory:"`. */
  get path(): string {
    return this.#engine.path;
  }

  /** Whether this handle can be used. */
  get open(): boolean {
    return !this.#closed;
  }

  /** Whether a transaction is open on the connection. */
  get inTransaction(): boolean {
    return this.#engine.inTransaction;
  }

  /** Whether Honker's SQL functions (`honker_enqueue(…)`, `notify(…)`) can be called in SQL. */
  get hasExtension(): boolean {
    return this.#engine.hasExtension;
  }

  /**
   * Rows as objects, columns in select order. BLOBs are Buffers.
   *
   * @throws `DUPLICATE_COLUMN` when two columns have one name, `UNSAFE_INTEGER` rather than round an
   * integer, `INVALID_PARAMETER` for a value SQLite cannot store, `CLOSED`
   */
  query<R extends object = Row>(
    sql: string,
    params: readonly SqlInput[] = [],
    options?: QueryOptions,
  ): R[] {
    return this.#use().query(sql, params, options) as R[];
  }

  /** Runs a statement for its effect. Inside a transaction it joins it; otherwise it commits. */
  execute(sql: string, params: readonly SqlInput[] = []): RunResult {
    return this.#use().execute(sql, params);
  }

  /** Positional rows: every column of a join, also when names are equal. */
  rows(sql: string, params: readonly SqlInput[] = [], options?: QueryOptions): unknown[][] {
    return this.#use().rows(sql, params, options);
  }

  /**
   * Object rows one at a time, for results too large for memory. Until the iteration ends the
   * connection cannot write: `ITERATING`.
   */
  iterate<R extends object = Row>(
    sql: string,
    params: readonly SqlInput[] = [],
    options?: QueryOptions,
  ): IterableIterator<R> {
    const engine = this.#use();
    engine.prepare(sql);
    return iterateObjects(() => engine.prepare(sql), params, options) as IterableIterator<R>;
  }

  /**
   * Runs `work` in a transaction that commits when it returns and rolls back when it throws. Called
   * inside one it is a savepoint. Every call on this database made meanwhile belongs to it.
   *
   * @throws `ASYNC_TRANSACTION` when `work` returns a promise, `BUSY` when another process keeps the
   * write lock for longer than `busyTimeoutMs`
   * @example
   * ```ts
   * db.transaction((tx) => {
   *   tx.execute("INSERT INTO orders (id) VALUES (?)", ["o-1"]);
   *   tx.notify("orders:created", { id: "o-1" });
   * });
   * ```
   */
  transaction<T>(work: SyncCallback<Transaction, T>, options?: TransactionOptions): T;
  /**
   * Begins a transaction that you end yourself with `commit()` or `rollback()` (`using` rolls back).
   * Keep no `await` in between: other code of this process that uses the database joins it.
   */
  transaction(options?: TransactionOptions): Transaction;
  transaction<T>(
    work?: SyncCallback<Transaction, T> | TransactionOptions,
    options?: TransactionOptions,
  ): T | Transaction {
    if (typeof work !== "function") {
      const begun = this.#use().begin(work);
      this.#begun = [...this.#begun.filter((tx) => tx.open), begun];
      return begun;
    }
    return this.#use().transaction(work as (tx: Transaction) => T, options);
  }

  /**
   * Sends `payload` (JSON) to those who listen on `channel` now, here and in other processes, when the
   * surrounding transaction commits. Returns the notification's id.
   *
   * @throws `INVALID_PAYLOAD`
   */
  notify(channel: string, payload: unknown = null): number {
    return this.#use().notifications.notify(channel, payload);
  }

  /** Notifications of `channel` from now on, as an async iterable with `close()`. */
  listen<P = unknown>(channel: string, options?: ListenOptions): Sequence<Notification<P>> {
    return this.#track(this.#use().notifications.listen<P>(channel, options));
  }

  /** Deletes old notifications now; it also happens by itself. Returns how many were deleted. */
  pruneNotifications(retention?: NotificationRetention): number {
    return this.#use().notifications.prune(retention);
  }

  /** Copies the database to `destination` while it is in use. The copy is a whole database file. */
  async backup(
    destination: string,
    onProgress?: (progress: BackupProgress) => void,
  ): Promise<void> {
    await this.#use().connection.backup(destination, onProgress);
  }

  /**
   * Ends this handle's listeners and subscriptions, rolls back an open transaction and, with the last
   * handle of the file in this process, closes the file. Idempotent.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const tx of this.#begun.reverse()) tx[Symbol.dispose]();
    for (const resource of [...this.#open]) resource.close();
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #use(): Engine {
    if (this.#closed) throw closedError(this.#engine.path);
    return this.#engine;
  }

  /** Closes `resource` with this handle, unless it is closed before. */
  #track<T extends Closable>(resource: T): T {
    this.#open.add(resource);
    resource[onEnd](() => this.#open.delete(resource));
    return resource;
  }
}
