import type {
  Column,
  IntegerMode,
  Row,
  RunResult,
  SqlInput,
  SqlValue,
  Statement,
} from "../sqlite/connection.ts";
import { objectRows } from "../sqlite/query.ts";
import { mayBeRounded, refuseRounded } from "../sqlite/sql-values.ts";

/**
 * One SQL text, to be run many times. It follows the rules of the database it comes from: it joins an
 * open transaction, BEGIN and COMMIT go through the transaction stack, and after `close()` it throws
 * `CLOSED`.
 */
export interface PreparedSql {
  readonly sql: string;
  /** Whether running it returns rows: SELECT, RETURNING, PRAGMA. */
  readonly returnsRows: boolean;
  /** The result columns in select order. */
  columns(): readonly Column[];
  /** Runs it for its effect. */
  run(params?: readonly SqlInput[]): RunResult;
  /** The first row, or `undefined`. @throws `UNSAFE_INTEGER` */
  row(params?: readonly SqlInput[], integers?: IntegerMode): SqlValue[] | undefined;
  /** All rows. @throws `UNSAFE_INTEGER` */
  rows(params?: readonly SqlInput[], integers?: IntegerMode): SqlValue[][];
  /** All rows as objects. @throws `DUPLICATE_COLUMN`, `UNSAFE_INTEGER` */
  objects(params?: readonly SqlInput[]): Row[];
  /** Rows one at a time; until the iteration ends the connection cannot write. */
  iterate(params?: readonly SqlInput[], integers?: IntegerMode): IterableIterator<SqlValue[]>;
}

/** What a {@link PreparedSql} asks of its database. */
export interface PreparedSqlHost {
  /** The statement to run. @throws `CLOSED` */
  prepare(sql: string): Statement;
  /** Called after each run of a statement that may have written. */
  ran(statement: Statement, params: readonly SqlInput[]): void;
}

const LAST_WRITE = "SELECT changes(), last_insert_rowid()";
const NO_PARAMS: readonly SqlInput[] = [];

/** A statement that reads or writes. */
export class StatementSql implements PreparedSql {
  readonly sql: string;
  readonly returnsRows: boolean;
  readonly #host: PreparedSqlHost;

  constructor(sql: string, host: PreparedSqlHost) {
    this.sql = sql;
    this.#host = host;
    this.returnsRows = host.prepare(sql).returnsRows;
  }

  columns(): readonly Column[] {
    return this.#host.prepare(this.sql).refreshColumns();
  }

  run(params: readonly SqlInput[] = NO_PARAMS): RunResult {
    const statement = this.#host.prepare(this.sql);
    try {
      const result = statement.run(params);
      return statement.returnsRows && !statement.readonly ? this.#lastWrite() : result;
    } finally {
      this.#host.ran(statement, params);
    }
  }

  row(params: readonly SqlInput[] = NO_PARAMS, integers?: IntegerMode): SqlValue[] | undefined {
    const statement = this.#host.prepare(this.sql);
    try {
      const row = statement.row(params, integers);
      if (row !== undefined) checkIntegers(statement, row);
      return row;
    } finally {
      this.#host.ran(statement, params);
    }
  }

  rows(params: readonly SqlInput[] = NO_PARAMS, integers?: IntegerMode): SqlValue[][] {
    const statement = this.#host.prepare(this.sql);
    try {
      const rows = statement.rows(params, integers);
      for (let i = 0; i < rows.length; i++) checkIntegers(statement, rows[i] as SqlValue[]);
      return rows;
    } finally {
      this.#host.ran(statement, params);
    }
  }

  objects(params: readonly SqlInput[] = NO_PARAMS): Row[] {
    const statement = this.#host.prepare(this.sql);
    try {
      return objectRows(statement, params);
    } finally {
      this.#host.ran(statement, params);
    }
  }

  *iterate(
    params: readonly SqlInput[] = NO_PARAMS,
    integers?: IntegerMode,
  ): IterableIterator<SqlValue[]> {
    const statement = this.#host.prepare(this.sql);
    try {
      for (const row of statement.iterate(params, integers)) {
        checkIntegers(statement, row);
        yield row;
      }
    } finally {
      this.#host.ran(statement, params);
    }
  }

  #lastWrite(): RunResult {
    const [changes, lastInsertRowid] = this.#host.prepare(LAST_WRITE).row([]) ?? [];
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }
}

/** BEGIN, COMMIT, END or ROLLBACK. */
export class ControlSql implements PreparedSql {
  readonly sql: string;
  readonly returnsRows = false;
  readonly #apply: () => void;

  constructor(sql: string, apply: () => void) {
    this.sql = sql;
    this.#apply = apply;
  }

  columns(): readonly Column[] {
    return [];
  }

  run(): RunResult {
    this.#apply();
    return { changes: 0, lastInsertRowid: 0 };
  }

  row(): undefined {
    this.#apply();
  }

  rows(): SqlValue[][] {
    this.#apply();
    return [];
  }

  objects(): Row[] {
    this.#apply();
    return [];
  }

  iterate(): IterableIterator<SqlValue[]> {
    this.#apply();
    return [].values();
  }
}

function checkIntegers(statement: Statement, row: readonly SqlValue[]): void {
  for (let i = 0; i < row.length; i++) {
    const value = row[i];
    if (mayBeRounded(value)) refuseRounded(value, statement.refreshColumns()[i]);
  }
}
