import { HonkerError } from "../errors.ts";
import { Notifications } from "../notify/notifications.ts";
import type { OpenOptions } from "../options.ts";
import { loadHonkerExtension } from "../schema/extension.ts";
import { ensureSchema } from "../schema/schema.ts";
import { openBetterSqlite3 } from "../sqlite/better-sqlite3-connection.ts";
import type {
  Connection,
  Row,
  RunResult,
  SqlInput,
  SqlValue,
  Statement,
} from "../sqlite/connection.ts";
import { objectRows, positionalRows, type QueryOptions } from "../sqlite/query.ts";
import { closedError } from "../sqlite/sqlite-errors.ts";
import { steadyPlan } from "../sqlite/steady-plan.ts";
import { ActiveConsumers } from "../stream/active-consumers.ts";
import { TableChanges } from "../tables/table-changes.ts";
import { RemoteChanges } from "../wake/remote-changes.ts";
import { WakeBus, type WakeHost } from "../wake/wake.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Core, ErrorHandler } from "./core.ts";
import { ControlSql, type PreparedSql, StatementSql } from "./prepared-sql.ts";
import type { Transaction, TransactionOptions } from "./transaction.ts";
import { applyControl, transactionControl } from "./transaction-control.ts";
import { TransactionStack } from "./transaction-stack.ts";

/**
 * SQL through which a statement of the user may write the engine's tables behind our back. Nobody waits for
 * `_alk_storage_*`, the tables of a layer above.
 */
const ENGINE_SQL = /honker_|_alk_(?!storage_)|\bnotify\s*\(/i;
/** Functions of the extension write, also where they are called in a SELECT. */
const ENGINE_FUNCTION = /\b(?:honker_\w+|notify)["`\]]?\s*\(/i;

/**
 * One open file: its connection, its transaction stack and its waiters. Several {@link Database}
 * handles of one process may share it; it closes with the last.
 */
export class Engine implements Core {
  readonly path: string;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly wake: WakeBus;
  readonly onError: ErrorHandler;
  readonly hasExtension: boolean;
  readonly notifications: Notifications;
  /** Stream consumers with a live subscription in this process. */
  readonly consumers: ActiveConsumers = new ActiveConsumers();
  readonly tables: TableChanges;
  readonly #stack: TransactionStack;
  readonly #remote: RemoteChanges | undefined;
  #waitingBuses = 0;
  #closed = false;

  constructor(path: string, options: OpenOptions) {
    this.path = path;
    this.clock = options.clock ?? systemClock;
    this.onError = options.onError ?? warn;
    this.connection = openBetterSqlite3(path, {
      busyTimeoutMs: options.busyTimeoutMs ?? 5_000,
      statementCacheSize: options.statementCacheSize ?? 500,
    });
    try {
      // first, so that a file that is no database is told from an extension that does not load
      whileBusy(options.busyTimeoutMs ?? 5_000, () => configure(this.connection, options));
      this.hasExtension = loadHonkerExtension(this.connection, options.extension ?? "auto");
      whileBusy(options.busyTimeoutMs ?? 5_000, () => {
        ensureSchema(this.connection, this.hasExtension);
      });
    } catch (error) {
      this.connection.close();
      throw error;
    }
    const host: WakeHost = {
      busy: () => this.connection.inTransaction,
      onWaiting: (waiting) => this.#onWaiting(waiting),
    };
    this.wake = new WakeBus(host);
    if (path !== ":memory:") {
      const wakeAll = (): void => this.#wakeTopic(EVERYTHING);
      this.#remote = new RemoteChanges(this.connection, wakeAll, wakeAll);
    }
    this.tables = new TableChanges(this.connection);
    this.#stack = new TransactionStack(this.connection, {
      query: (sql, params, queryOptions) => this.query(sql, params, queryOptions),
      execute: (sql, params) => this.execute(sql, params),
      rows: (sql, params, queryOptions) => this.rows(sql, params, queryOptions),
      notify: (channel, payload) => this.notifications.notify(channel, payload),
      committed: (touched) => this.#committed(touched),
      idle: () => {
        this.wake.release();
        this.notifications.release();
      },
      onError: this.onError,
    });
    this.notifications = new Notifications(this, host, options.notifications);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get inTransaction(): boolean {
    return this.#stack.active;
  }

  /** The innermost open transaction. */
  get currentTransaction(): Transaction | undefined {
    return this.#stack.current;
  }

  prepare(sql: string): Statement {
    return this.prepareAsIs(steadyPlan(sql));
  }

  prepareAsIs(sql: string): Statement {
    if (this.#closed) throw closedError(this.path);
    return this.connection.prepare(sql);
  }

  nowMs(): number {
    return this.clock.now();
  }

  nowSeconds(): number {
    return Math.floor(this.clock.now() / 1_000);
  }

  transaction<T>(work: (tx: Transaction) => T, options?: TransactionOptions): T {
    if (this.#closed) throw closedError(this.path);
    return this.#stack.run(work, options);
  }

  owns(tx: Transaction): boolean {
    return this.#stack.owns(tx);
  }

  begin(options?: TransactionOptions): Transaction {
    if (this.#closed) throw closedError(this.path);
    return this.#stack.begin(options);
  }

  touch(topic: string): void {
    if (!this.#stack.touch(topic)) this.#committed([topic]);
  }

  /** A statement of the user, prepared for many runs. */
  preparedSql(sql: string, prepare: (sql: string) => Statement): PreparedSql {
    const control = transactionControl(sql);
    if (control !== undefined) {
      return new ControlSql(sql, () => {
        if (this.#closed) throw closedError(this.path);
        applyControl(control, this.#stack);
      });
    }
    const engineSql = ENGINE_SQL.test(sql);
    return new StatementSql(sql, {
      prepare,
      ran: (statement, params) => {
        if (engineSql && writesEngine(sql, statement)) this.touch(EVERYTHING);
        if (this.tables.tracked && !statement.readonly) this.#touchTables(sql, params);
      },
    });
  }

  query(sql: string, params: readonly SqlInput[] = [], options?: QueryOptions): Row[] {
    return this.#user(sql, params, (statement) => objectRows(statement, params, options)) ?? [];
  }

  rows(sql: string, params: readonly SqlInput[] = [], options?: QueryOptions): SqlValue[][] {
    return this.#user(sql, params, (statement) => positionalRows(statement, params, options)) ?? [];
  }

  execute(sql: string, params: readonly SqlInput[] = []): RunResult {
    return (
      this.#user(sql, params, (statement) => statement.run(params)) ?? {
        changes: 0,
        lastInsertRowid: 0,
      }
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#stack.abandonAll();
    this.#closed = true;
    this.wake.close();
    this.notifications.close();
    this.#remote?.stop();
    this.connection.close();
  }

  /** Runs a statement of the user; `undefined` where it only began or ended a transaction. */
  #user<T>(
    sql: string,
    params: readonly SqlInput[],
    run: (statement: Statement) => T,
  ): T | undefined {
    const control = transactionControl(sql);
    if (control !== undefined) {
      if (this.#closed) throw closedError(this.path);
      applyControl(control, this.#stack);
      return undefined;
    }
    const statement = this.prepareAsIs(sql);
    const result = run(statement);
    if (ENGINE_SQL.test(sql) && writesEngine(sql, statement)) this.touch(EVERYTHING);
    if (this.tables.tracked && !statement.readonly) this.#touchTables(sql, params);
    return result;
  }

  #touchTables(sql: string, params: readonly SqlInput[]): void {
    const topics = this.tables.topicsOf(sql, params);
    if (!this.#stack.active) this.#committed(topics);
    else for (const topic of topics) this.#stack.touch(topic);
  }

  #committed(touched: Iterable<string>): void {
    for (const topic of touched) {
      this.#wakeTopic(topic);
    }
    this.tables.committed(touched);
  }

  #wakeTopic(topic: string): void {
    if (topic !== EVERYTHING) {
      this.wake.wake(topic);
      this.notifications.wake(topic);
      return;
    }
    this.wake.wakeAll();
    this.notifications.wakeNew();
  }

  /** There are two buses, so that one of them being empty is not the end of waiting. */
  #onWaiting(waiting: boolean): void {
    this.#waitingBuses += waiting ? 1 : -1;
    if (this.#waitingBuses === 0) this.#remote?.stop();
    else this.#remote?.start();
  }
}

/** Touched when it is not known what was written. */
const EVERYTHING = "*";

/** Whether SQL about the engine's tables may have written them; reading them must wake nobody. */
function writesEngine(sql: string, statement: Statement): boolean {
  return !statement.readonly || ENGINE_FUNCTION.test(sql);
}

function configure(connection: Connection, options: OpenOptions): void {
  const mode = connection.prepare("PRAGMA journal_mode = WAL").row([])?.[0];
  if (mode !== "wal" && connection.path !== ":memory:") {
    throw new HonkerError(
      "CANNOT_OPEN",
      `"${connection.path}" cannot use write-ahead logging (journal mode stays "${mode}")`,
      {
        hint: "Put the file on a local disk: network file systems lack the shared memory it needs",
      },
    );
  }
  connection.exec(`
    PRAGMA synchronous = ${options.durability === "full" ? "FULL" : "NORMAL"};
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -${options.cacheSizeKiB ?? 16_384};
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 4000;
  `);
}

/** The switch to WAL does not wait for other connections by itself, so a first open in two processes is tried again. */
function whileBusy(timeoutMs: number, work: () => void): void {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      const busy = error instanceof HonkerError && error.code === "BUSY";
      if (!busy || performance.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "HonkerWarning" });
}
