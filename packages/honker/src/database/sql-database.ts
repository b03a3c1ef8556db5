import type { Sequence } from "../core/polled-sequence.ts";
import type { PreparedSql } from "../core/prepared-sql.ts";
import type { SyncCallback, Transaction, TransactionOptions } from "../core/transaction.ts";
import type { Row, RunResult, SqlInput, SqlValue } from "../sqlite/connection.ts";
import { iterateObjects, type QueryOptions } from "../sqlite/query.ts";
import { type LiveOptions, liveRows } from "../tables/live-rows.ts";
import type { StatementTables } from "../tables/statement-tables.ts";
import type { TableChange } from "../tables/table-changes.ts";
import { OpenHandle } from "./open-handle.ts";

/** SQL, transactions and live queries of a {@link Database}. */
export class SqlDatabase extends OpenHandle {
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
    return this.use().query(sql, params, options) as R[];
  }

  /** Runs a statement for its effect. Inside a transaction it joins it; otherwise it commits. */
  execute(sql: string, params: readonly SqlInput[] = []): RunResult {
    return this.use().execute(sql, params);
  }

  /** Positional rows: every column of a join, also when names are equal. */
  rows(sql: string, params: readonly SqlInput[] = [], options?: QueryOptions): unknown[][] {
    return this.use().rows(sql, params, options);
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
    return this.use().preparedSql(sql, (text) => this.use().prepareAsIs(text));
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
    const engine = this.use();
    return this.track(liveRows(engine, engine.tables, { sql, params }, options));
  }

  /** The tables that running `sql` reads and writes, also through views, triggers and foreign keys. */
  tablesOf(sql: string, params: readonly SqlInput[] = []): StatementTables {
    return this.use().tables.tablesOf(sql, params);
  }

  /**
   * Calls `listener` right after every commit of this process with the names of the tables it wrote,
   * also through triggers and foreign keys. It must not throw. Returns a function that ends it.
   */
  onCommit(listener: (change: TableChange) => void): () => void {
    const listening = this.track(this.use().tables.listen(listener));
    return () => listening.close();
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
    const engine = this.use();
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
      return this.trackTransaction(this.use().begin(work));
    }
    return this.use().transaction(work as (tx: Transaction) => T, options);
  }

  /**
   * Calls `hook` once after the open transaction has committed, and not at all when it is rolled back;
   * at once when no transaction is open. What it throws in the first case goes to `onError`.
   */
  afterCommit(hook: () => void): void {
    const tx = this.use().currentTransaction;
    if (tx === undefined) hook();
    else tx.afterCommit(hook);
  }
}
