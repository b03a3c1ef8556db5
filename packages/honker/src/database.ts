import { type Closable, onEnd } from "./core/closable.ts";
import type { Engine } from "./core/engine.ts";
import type { Handle } from "./core/handle.ts";
import type { Sequence } from "./core/polled-sequence.ts";
import type { PreparedSql } from "./core/prepared-sql.ts";
import type { SyncCallback, Transaction, TransactionOptions } from "./core/transaction.ts";
import { type Lock, takeLock } from "./lock/lock.ts";
import { type LockInfo, readLock, readLocks } from "./lock/lock-table.ts";
import { type LockedWork, type WithLockOptions, withLock } from "./lock/with-lock.ts";
import type { ListenOptions, Notification } from "./notify/notifications.ts";
import { type BackupOptions, type BackupResult, backupDatabase } from "./operations/backup.ts";
import { type CheckpointMode, type CheckpointResult, checkpoint } from "./operations/checkpoint.ts";
import { type DoctorOptions, type DoctorReport, examine } from "./operations/doctor/doctor.ts";
import type { IntegrityReport } from "./operations/integrity.ts";
import { type IntegrityOptions, integrityCheck } from "./operations/integrity-check.ts";
import { type PruneOptions, type PruneResult, prune } from "./operations/prune.ts";
import { type DatabaseStats, readStats } from "./operations/stats.ts";
import { UntilClosed } from "./operations/until-closed.ts";
import type { NotificationRetention } from "./options.ts";
import { type Deliver, Outbox, type OutboxOptions } from "./queue/outbox.ts";
import { Queue } from "./queue/queue.ts";
import type { QueueOptions } from "./queue/queue-options.ts";
import { Results, type WaitResultOptions } from "./queue/results.ts";
import {
  type RateLimitOptions,
  type RateLimitResult,
  sweepRateLimits,
  tryRateLimit,
} from "./rate-limit/rate-limit.ts";
import { Scheduler } from "./schedule/scheduler.ts";
import type { Row, RunResult, SqlInput, SqlValue } from "./sqlite/connection.ts";
import { iterateObjects, type QueryOptions } from "./sqlite/query.ts";
import { closedError } from "./sqlite/sqlite-errors.ts";
import { Stream } from "./stream/stream.ts";
import type { StreamOptions } from "./stream/stream-options.ts";
import { type LiveOptions, liveRows } from "./tables/live-rows.ts";
import type { StatementTables } from "./tables/statement-tables.ts";
import type { TableChange } from "./tables/table-changes.ts";

/**
 * An open database file: SQL, notifications, streams, queues, locks and schedules on one connection,
 * so that all of them commit or roll back together. Made by {@link open}.
 */
export class Database implements Disposable {
  readonly #engine: Engine;
  readonly #release: () => void;
  readonly #open = new Set<Closable>();
  readonly #handle: Handle = {
    use: () => this.#use(),
    track: (resource) => this.#track(resource),
  };
  /** Transactions begun without a callback; closing this handle rolls them back. */
  #begun: Transaction[] = [];
  #scheduler: Scheduler | undefined;
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
   * Prepares `sql` to be run many times. Statements are cached by text, so preparing again is cheap.
   *
   * @throws `SQL_ERROR` for a mistake in the SQL, `CLOSED`
   * @example
   * ```ts
   * const byId = db.prepare("SELECT name FROM users WHERE id = ?");
   * const name = byId.row([42])?.[0];
   * ```
   */
  prepare(sql: string): PreparedSql {
    return this.#use().preparedSql(sql, (text) => this.#use().prepareAsIs(text));
  }

  /**
   * The rows of a query, now and again after each commit, here or in another process, that changed
   * them. A reader slower than the commits gets the newest rows only.
   *
   * @throws `SQL_ERROR`, `CLOSED`
   * @example
   * ```ts
   * for await (const rows of db.live("SELECT name FROM users ORDER BY name")) render(rows);
   * ```
   */
  live(
    sql: string,
    params: readonly SqlInput[] = [],
    options?: LiveOptions,
  ): Sequence<SqlValue[][]> {
    const engine = this.#use();
    return this.#track(liveRows(engine, engine.tables, { sql, params }, options));
  }

  /** The tables that running `sql` reads and writes, also through views, triggers and foreign keys. */
  tablesOf(sql: string, params: readonly SqlInput[] = []): StatementTables {
    return this.#use().tables.tablesOf(sql, params);
  }

  /**
   * Calls `listener` right after every commit of this process with the names of the tables it wrote,
   * also through triggers and foreign keys. It must not throw. Returns a function that ends it.
   */
  onCommit(listener: (change: TableChange) => void): () => void {
    return this.#use().tables.listen(listener);
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
    engine.prepareAsIs(sql);
    return iterateObjects(() => engine.prepareAsIs(sql), params, options) as IterableIterator<R>;
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
   * Calls `hook` once after the open transaction has committed, and not at all when it is rolled back;
   * at once when no transaction is open. What it throws in the first case goes to `onError`.
   */
  afterCommit(hook: () => void): void {
    const tx = this.#use().currentTransaction;
    if (tx === undefined) hook();
    else tx.afterCommit(hook);
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

  /**
   * A durable stream of events with payloads of type `T`. It need not be created first; calling this
   * twice gives two handles of one stream.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const calls = db.stream<{ type: string; requestId: string }>("call-protocol");
   * calls.publish({ type: "call.requested", requestId: "req-1" });
   * for await (const event of calls.subscribe("dashboard")) render(event.payload);
   * ```
   */
  stream<T = unknown>(name: string, options: StreamOptions<T> = {}): Stream<T> {
    const engine = this.#use();
    return new Stream(this.#handle, engine.consumers, { name, options });
  }

  /**
   * A work queue of jobs with payloads of type `I`; with a `schema` that transforms, workers get `O`.
   * It need not be created first; calling this twice gives two handles of one queue.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const rotations = db.queue<{ keyVersion: number }>("key-rotation");
   * rotations.enqueue({ keyVersion: 2 }, { priority: 3 });
   * const worker = rotations.work(async (job) => rotateKeys(job.payload));
   * ```
   */
  queue<I = unknown, O = I>(name: string, options: QueueOptions<I, O> = {}): Queue<I, O> {
    return new Queue(this.#handle, name, options);
  }

  /**
   * An outbox: messages written in a transaction and handed to `deliver` after it has committed, with
   * retries and dead letters. Nothing is delivered here until `outbox.work()` is called; another
   * process may do it.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   */
  outbox<I = unknown, O = I>(
    name: string,
    deliver: Deliver<O>,
    options: OutboxOptions<I, O> = {},
  ): Outbox<I, O> {
    return new Outbox(this.#handle, name, { ...options, deliver });
  }

  /**
   * Keeps `value` (JSON) as the result of a job, in the surrounding transaction if there is one. A
   * worker does it with what its handler returns.
   *
   * @param ttlSeconds how long it is kept, default a day; 0 keeps it for ever
   * @throws `INVALID_PAYLOAD`, `INVALID_ARGUMENT`
   */
  saveResult(jobId: number, value: unknown, ttlSeconds?: number): void {
    new Results(this.#use()).save(jobId, value, ttlSeconds);
  }

  /** The result of a job; `null` when there is none. */
  getResult<R = unknown>(jobId: number): R | null {
    return new Results(this.#use()).get(jobId) as R | null;
  }

  /**
   * Waits until a job has ended, here or in another process, and gives its result: `null` when it
   * ended without one, or long ago.
   *
   * @throws `JOB_FAILED` when it is a dead letter or was cancelled, `TIMEOUT`, the reason of
   * `options.signal`, `CLOSED`
   */
  async waitResult<R = unknown>(jobId: number, options?: WaitResultOptions): Promise<R | null> {
    return (await new Results(this.#use()).wait(jobId, options)) as R | null;
  }

  /** Deletes results whose time is over; workers do it too. Returns how many. */
  sweepResults(): number {
    return new Results(this.#use()).sweep();
  }

  /**
   * Takes the lock `name` for `ttlSeconds`, or returns `null` when somebody else holds it. Inside a
   * transaction it is taken when that commits. An owner who already holds it takes it over: the new
   * {@link Lock} is valid, the earlier one is lost. So give every holder an owner of its own.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * const lock = db.tryLock("scheduler-leader", "hub-instance-1", 30);
   * if (lock !== null) setInterval(() => lock.heartbeat(), 10_000);
   * ```
   */
  tryLock(name: string, owner: string, ttlSeconds: number): Lock | null {
    return takeLock(this.#handle, name, { owner, ttlSeconds, takeOver: true });
  }

  /**
   * Waits for the lock `name`, runs `work` while renewing the lock, and releases it. The signal that
   * `work` gets is aborted when the lock is lost or `options.signal` is aborted.
   *
   * @throws `LOCK_HELD` with who and until when, after `waitMs`; `LEASE_LOST` when the lock was lost
   * while `work` ran; the reason of `options.signal`; whatever `work` throws; `TRANSACTION_STATE`
   * @example
   * ```ts
   * await db.withLock("reindex", { waitMs: 0 }, async (lock, signal) => {
   *   for (const page of pages) {
   *     signal.throwIfAborted();
   *     db.transaction((tx) => {
   *       lock.assertHeld(tx);
   *       index(page);
   *     });
   *   }
   * });
   * ```
   */
  withLock<T>(name: string, options: WithLockOptions, work: LockedWork<T>): Promise<T> {
    return withLock(this.#handle, { ...options, name }, work);
  }

  /** Who holds the lock `name`, and until when; `null` when it is free. */
  lock(name: string): LockInfo | null {
    return readLock(this.#use(), name);
  }

  /** Every lock that is held now, by name. */
  locks(): LockInfo[] {
    return readLocks(this.#use());
  }

  /**
   * The schedules of this file: at each slot of a cron expression, a job in a queue.
   *
   * @example
   * ```ts
   * const scheduler = db.scheduler();
   * scheduler.add("retention-cleanup", "0 3 * * *", { queue: "maintenance" });
   * scheduler.start();
   * ```
   */
  scheduler(): Scheduler {
    this.#use();
    this.#scheduler ??= new Scheduler(this.#handle);
    return this.#scheduler;
  }

  /**
   * Takes one from the limit `name`: at most `limit` per window of `perSeconds`, windows beginning at
   * multiples of it, as Honker counts. Inside a transaction it is given back when that rolls back.
   *
   * @throws `INVALID_ARGUMENT`, `CLOSED`
   */
  tryRateLimit(name: string, limit: number, perSeconds: number): boolean;
  /**
   * Takes `cost` from the limit `name`, by default never more than `limit` in any `perSeconds`, and says
   * how much is left and how long to wait.
   *
   * @example
   * ```ts
   * const { allowed, retryAfterMs } = db.tryRateLimit(`login:${ip}`, { limit: 5, perSeconds: 60 });
   * if (!allowed) response.setHeader("retry-after", Math.ceil(retryAfterMs / 1_000));
   * ```
   */
  tryRateLimit(name: string, options: RateLimitOptions): RateLimitResult;
  tryRateLimit(
    name: string,
    limit: number | RateLimitOptions,
    perSeconds?: number,
  ): boolean | RateLimitResult {
    if (typeof limit === "object") return tryRateLimit(this.#use(), name, limit);
    const options = { limit, perSeconds: perSeconds as number, algorithm: "fixed" } as const;
    return tryRateLimit(this.#use(), name, options).allowed;
  }

  /**
   * Deletes windows that began more than `olderThanSeconds` ago. Those used through this library go away
   * by themselves; this is for rows of Honker's own function. Returns how many rows were deleted.
   */
  sweepRateLimits(olderThanSeconds: number): number {
    return sweepRateLimits(this.#use(), olderThanSeconds);
  }

  /** Deletes old notifications now; it also happens by itself. Returns how many were deleted. */
  pruneNotifications(retention?: NotificationRetention): number {
    return this.#use().notifications.prune(retention);
  }

  /**
   * Copies the database to `destination` while it is in use: the database of this moment, however much
   * is written meanwhile. The copy is verified by opening it, and gets its name only then; a killed
   * backup leaves no file of that name. Files from 4 MiB on are copied in a thread of their own.
   *
   * @throws `FILE_EXISTS`, `CANNOT_OPEN` when the folder is missing, `BACKUP_INVALID`, `DISK_FULL`,
   * `OPEN_CONFLICT` when a file to overwrite is open, `CLOSED`
   * @example
   * ```ts
   * const { bytes, sha256 } = await db.backup("./backups/monday.db");
   * ```
   */
  backup(destination: string, options: BackupOptions = {}): Promise<BackupResult> {
    return this.#untilClosed(options.signal, (engine, signal) =>
      backupDatabase(engine, destination, { ...options, signal }),
    );
  }

  /**
   * Checks every page, index and foreign key of the file, without keeping writers out. Files from
   * 4 MiB on are checked in a thread of their own. What an open transaction wrote is not seen.
   */
  integrityCheck(options: IntegrityOptions = {}): Promise<IntegrityReport> {
    return this.#untilClosed(options.signal, (engine, signal) =>
      integrityCheck(engine, { ...options, signal }),
    );
  }

  /** Queue depths, lags, dead letters, locks, schedules and file sizes, of one moment. */
  stats(): DatabaseStats {
    return readStats(this.#use());
  }

  /**
   * Deletes everything whose time is over: notifications, results, history, unique keys, message ids,
   * rate limits, expired locks and, where told to, dead letters and events. Most of it also goes by
   * itself while the parts are used; call this once a day for what nobody uses any more.
   *
   * @throws `INVALID_ARGUMENT`, `BUSY`, `CLOSED`
   * @example
   * ```ts
   * db.prune({ deadLetterSeconds: 30 * 86_400, streams: { audit: { maxAgeSeconds: 90 * 86_400 } } });
   * ```
   */
  prune(options: PruneOptions = {}): PruneResult {
    const engine = this.#use();
    return prune(engine, engine.notifications, options);
  }

  /**
   * Moves the write-ahead log into the database file. It also happens by itself; call it with
   * `"truncate"` before you copy or archive the files of a closed database.
   *
   * @throws `TRANSACTION_STATE` inside a transaction
   */
  checkpoint(mode: CheckpointMode = "passive"): CheckpointResult {
    return checkpoint(this.#use(), mode);
  }

  /**
   * Examines the database: damage, drifted schema, lost claims, stuck consumers, overdue schedules, a
   * log that does not shrink, clocks that disagree. Every finding says what to do.
   *
   * @example
   * ```ts
   * const { healthy, findings } = await db.doctor();
   * if (!healthy) for (const { message, advice } of findings) process.stderr.write(`${message}. ${advice}\n`);
   * ```
   */
  async doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
    const { signal } = options;
    const integrity =
      options.integrity === false
        ? undefined
        : await this.integrityCheck(signal === undefined ? {} : { signal });
    return examine(this.#use(), options, integrity);
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

  /** Runs work that takes time; closing this handle ends it with `CLOSED`. */
  async #untilClosed<T>(
    signal: AbortSignal | undefined,
    work: (engine: Engine, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const engine = this.#use();
    const untilClosed = this.#track(new UntilClosed(() => closedError(engine.path)));
    return await untilClosed.run((either) => work(engine, either), signal);
  }

  /** Closes `resource` with this handle, unless it is closed before. */
  #track<T extends Closable>(resource: T): T {
    this.#open.add(resource);
    resource[onEnd](() => this.#open.delete(resource));
    return resource;
  }
}
