import BetterSqlite3 from "better-sqlite3";
import type {
  BackupProgress,
  Connection,
  IntegerMode,
  RunResult,
  SqlInput,
  SqlValue,
  Statement,
} from "./connection.ts";
import { LruCache } from "./lru-cache.ts";
import { closedError, fromSqliteError } from "./sqlite-errors.ts";
import { bindable } from "./sql-values.ts";

type DriverStatement = BetterSqlite3.Statement<unknown[]>;

/** Options of {@link openBetterSqlite3}. */
export interface ConnectionOptions {
  readonly busyTimeoutMs: number;
  readonly statementCacheSize: number;
}

/** Opens `path` with better-sqlite3; the only file of the engine that knows that driver. */
export function openBetterSqlite3(path: string, options: ConnectionOptions): Connection {
  let db: BetterSqlite3.Database;
  try {
    db = new BetterSqlite3(path, { timeout: options.busyTimeoutMs });
  } catch (error) {
    throw fromSqliteError(error, { path });
  }
  return new BetterSqlite3Connection(path, db, options.statementCacheSize);
}

class BetterSqlite3Connection implements Connection {
  readonly path: string;
  readonly #db: BetterSqlite3.Database;
  readonly #statements: LruCache<string, PreparedStatement>;
  #dataVersion: DriverStatement | undefined;

  constructor(path: string, db: BetterSqlite3.Database, cacheSize: number) {
    this.path = path;
    this.#db = db;
    this.#statements = new LruCache(cacheSize);
  }

  get open(): boolean {
    return this.#db.open;
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  prepare(sql: string): Statement {
    const cached = this.#statements.get(sql);
    // an iterator still being read owns its statement; everybody else gets another one
    if (cached !== undefined && !cached.busy) return cached;
    if (!this.#db.open) throw closedError(this.path);
    let prepared: PreparedStatement;
    try {
      prepared = new PreparedStatement(this.path, sql, this.#db.prepare(sql));
    } catch (error) {
      throw fromSqliteError(error, { path: this.path, sql });
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }

  exec(script: string): void {
    if (!this.#db.open) throw closedError(this.path);
    try {
      this.#db.exec(script);
    } catch (error) {
      throw fromSqliteError(error, { path: this.path, sql: script });
    }
  }

  dataVersion(): number {
    this.#dataVersion ??= this.#db.prepare("PRAGMA data_version").pluck();
    return this.#dataVersion.get() as number;
  }

  loadExtension(file: string): void {
    this.#db.loadExtension(file);
  }

  async backup(
    destination: string,
    onProgress?: (progress: BackupProgress) => void,
  ): Promise<void> {
    if (!this.#db.open) throw closedError(this.path);
    try {
      await this.#db.backup(destination, {
        progress: ({ totalPages, remainingPages }) => {
          onProgress?.({ totalPages, remainingPages });
          return 1_000;
        },
      });
    } catch (error) {
      throw fromSqliteError(error, { path: destination });
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

class PreparedStatement implements Statement {
  readonly sql: string;
  readonly returnsRows: boolean;
  readonly readonly: boolean;
  readonly #path: string;
  readonly #statement: DriverStatement;
  #integers: IntegerMode = "number";
  #names: readonly string[] | undefined;
  #types: readonly (string | null)[] | undefined;

  constructor(path: string, sql: string, statement: DriverStatement) {
    this.#path = path;
    this.sql = sql;
    this.#statement = statement;
    this.returnsRows = statement.reader;
    this.readonly = statement.readonly;
    if (statement.reader) statement.raw(true);
  }

  get busy(): boolean {
    return this.#statement.busy;
  }

  columnNames(): readonly string[] {
    if (!this.returnsRows) return [];
    this.#names ??= this.#statement.columns().map((column) => column.name);
    return this.#names;
  }

  columnTypes(): readonly (string | null)[] {
    if (!this.returnsRows) return [];
    this.#types ??= this.#statement.columns().map((column) => column.type);
    return this.#types;
  }

  run(params: readonly SqlInput[]): RunResult {
    try {
      // better-sqlite3 steps a statement that returns rows once only; read it to the end instead
      if (this.returnsRows) {
        this.#statement.all(...bindable(params, this.sql));
        return { changes: 0, lastInsertRowid: 0 };
      }
      return this.#statement.run(...bindable(params, this.sql));
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  row(params: readonly SqlInput[], integers: IntegerMode = "number"): SqlValue[] | undefined {
    if (!this.returnsRows) {
      this.run(params);
      return undefined;
    }
    this.#expect(integers);
    try {
      return this.#statement.get(...bindable(params, this.sql)) as SqlValue[] | undefined;
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  rows(params: readonly SqlInput[], integers: IntegerMode = "number"): SqlValue[][] {
    if (!this.returnsRows) {
      this.run(params);
      return [];
    }
    this.#expect(integers);
    try {
      return this.#statement.all(...bindable(params, this.sql)) as SqlValue[][];
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  *iterate(
    params: readonly SqlInput[],
    integers: IntegerMode = "number",
  ): IterableIterator<SqlValue[]> {
    if (!this.returnsRows) {
      this.run(params);
      return;
    }
    this.#expect(integers);
    try {
      yield* this.#statement.iterate(
        ...bindable(params, this.sql),
      ) as IterableIterator<SqlValue[]>;
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  #expect(integers: IntegerMode): void {
    if (this.#integers === integers) return;
    this.#statement.safeIntegers(integers === "bigint");
    this.#integers = integers;
  }
}
