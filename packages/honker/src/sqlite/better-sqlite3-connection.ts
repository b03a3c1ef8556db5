import BetterSqlite3 from "better-sqlite3";
import type {
  Column,
  Connection,
  CopyOptions,
  IntegerMode,
  Row,
  RunResult,
  SqlInput,
  SqlValue,
  Statement,
} from "./connection.ts";
import { LruCache } from "./lru-cache.ts";
import { type PositionalSql, positional } from "./numbered-parameters.ts";
import { bindable } from "./sql-values.ts";
import { closedError, fromSqliteError } from "./sqlite-errors.ts";

type DriverStatement = BetterSqlite3.Statement<unknown[]>;

/** Options of {@link openBetterSqlite3}. */
export interface ConnectionOptions {
  readonly busyTimeoutMs: number;
  readonly statementCacheSize: number;
  /** Default false. True: the file must exist, and writing throws `READ_ONLY`. */
  readonly readonly?: boolean;
}

/** Opens `path` with better-sqlite3; the only file of the engine that knows that driver. */
export function openBetterSqlite3(path: string, options: ConnectionOptions): Connection {
  let db: BetterSqlite3.Database;
  try {
    db = new BetterSqlite3(path, {
      timeout: options.busyTimeoutMs,
      readonly: options.readonly ?? false,
      fileMustExist: options.readonly ?? false,
    });
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
      const { sql: rewritten, ...parameters } = positional(sql);
      const statement = this.#db.prepare<unknown[]>(rewritten);
      prepared = new PreparedStatement({ path: this.path, sql, ...parameters }, statement);
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

  async backup(destination: string, options: CopyOptions): Promise<void> {
    if (!this.#db.open) throw closedError(this.path);
    try {
      await this.#db.backup(destination, {
        progress: ({ totalPages, remainingPages }) => {
          options.onProgress?.({ totalPages, remainingPages });
          return options.pagesPerStep;
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

interface StatementSource extends Omit<PositionalSql, "sql"> {
  readonly path: string;
  /** As the caller wrote it. */
  readonly sql: string;
}

class PreparedStatement implements Statement {
  readonly sql: string;
  readonly returnsRows: boolean;
  readonly readonly: boolean;
  readonly #path: string;
  readonly #order: readonly number[] | undefined;
  readonly #count: number;
  readonly #statement: DriverStatement;
  #integers: IntegerMode = "number";
  #objects = false;
  #iterating = false;
  #columns: readonly Column[] | undefined;

  constructor(source: StatementSource, statement: DriverStatement) {
    this.#path = source.path;
    this.sql = source.sql;
    this.#order = source.order;
    this.#count = source.count;
    this.#statement = statement;
    this.returnsRows = statement.reader;
    this.readonly = statement.readonly;
    if (statement.reader) statement.raw(true);
  }

  /** Whether an iteration owns the statement; asking better-sqlite3 costs 0.3 µs on every query. */
  get busy(): boolean {
    return this.#iterating;
  }

  columns(): readonly Column[] {
    if (!this.returnsRows) return [];
    this.#columns ??= this.#describe();
    return this.#columns;
  }

  refreshColumns(): readonly Column[] {
    this.#columns = undefined;
    return this.columns();
  }

  run(params: readonly SqlInput[]): RunResult {
    try {
      // better-sqlite3 steps a statement that returns rows once only; read it to the end instead
      if (this.returnsRows) {
        this.#statement.all(...this.#bind(params));
        return { changes: 0, lastInsertRowid: 0 };
      }
      return this.#statement.run(...this.#bind(params));
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
      return this.#statement.get(...this.#bind(params)) as SqlValue[] | undefined;
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
      return this.#statement.all(...this.#bind(params)) as SqlValue[][];
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
      const rows = this.#statement.iterate(...this.#bind(params)) as IterableIterator<SqlValue[]>;
      this.#iterating = true;
      yield* rows;
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    } finally {
      this.#iterating = false;
    }
  }

  objects(params: readonly SqlInput[], integers: IntegerMode = "number"): Row[] {
    if (!this.returnsRows) {
      this.run(params);
      return [];
    }
    this.#expect(integers, true);
    try {
      return this.#statement.all(...this.#bind(params)) as Row[];
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  *iterateObjects(
    params: readonly SqlInput[],
    integers: IntegerMode = "number",
  ): IterableIterator<Row> {
    if (!this.returnsRows) {
      this.run(params);
      return;
    }
    this.#expect(integers, true);
    try {
      const rows = this.#statement.iterate(...this.#bind(params)) as IterableIterator<Row>;
      this.#iterating = true;
      yield* rows;
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    } finally {
      this.#iterating = false;
    }
  }

  #bind(params: readonly SqlInput[]): readonly SqlValue[] {
    const values = bindable(params, this.sql);
    if (this.#order === undefined) return values;
    if (values.length !== this.#count) {
      const which = values.length < this.#count ? "few" : "many";
      throw new RangeError(`Too ${which} parameter values were provided`);
    }
    return this.#order.map((index) => values[index] as SqlValue);
  }

  #describe(): readonly Column[] {
    try {
      return this.#statement.columns().map(({ name, type }) => ({ name, type }));
    } catch (error) {
      throw fromSqliteError(error, { path: this.#path, sql: this.sql });
    }
  }

  #expect(integers: IntegerMode, objects = false): void {
    if (this.#integers !== integers) {
      this.#statement.safeIntegers(integers === "bigint");
      this.#integers = integers;
    }
    if (this.#objects !== objects) {
      this.#statement.raw(!objects);
      this.#objects = objects;
    }
  }
}
