/** A value as SQLite stores it. INTEGER arrives as `number`, or as `bigint` where asked for. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A value that may be bound: `true` and `false` become 1 and 0; Date, NaN and objects are refused. */
export type SqlInput = SqlValue | boolean;

/** What a statement changed. */
export interface RunResult {
  /** Rows inserted, updated or deleted by the statement itself (not by triggers or cascades). */
  readonly changes: number;
  /** Row id of the last successful INSERT on this connection. */
  readonly lastInsertRowid: number | bigint;
}

/** How integers arrive: `"number"` throws `UNSAFE_INTEGER` rather than round, `"bigint"` is exact. */
export type IntegerMode = "number" | "bigint";

/** A prepared statement; positional rows, since object rows cannot hold two columns of one name. */
export interface Statement {
  readonly sql: string;
  /** Whether the statement returns rows. */
  readonly returnsRows: boolean;
  /** Whether the statement cannot change the database. */
  readonly readonly: boolean;
  /** Column names in select order. */
  columnNames(): readonly string[];
  /** Declared column types in select order; `null` for expressions. */
  columnTypes(): readonly (string | null)[];
  run(params: readonly SqlInput[]): RunResult;
  /** First row, or `undefined`. */
  row(params: readonly SqlInput[], integers?: IntegerMode): SqlValue[] | undefined;
  rows(params: readonly SqlInput[], integers?: IntegerMode): SqlValue[][];
  iterate(params: readonly SqlInput[], integers?: IntegerMode): IterableIterator<SqlValue[]>;
}

/** Progress of an online backup. */
export interface BackupProgress {
  readonly totalPages: number;
  readonly remainingPages: number;
}

/**
 * All that the engine asks of SQLite. A second SQLite driver fits in one file that implements this.
 * Everything is synchronous but `backup`.
 */
export interface Connection {
  readonly path: string;
  readonly open: boolean;
  readonly inTransaction: boolean;
  /** Prepares `sql`, or returns the cached statement of the same text. */
  prepare(sql: string): Statement;
  /** Runs a script of several statements without parameters. */
  exec(script: string): void;
  /** Changes whenever another connection commits; never on own commits (PRAGMA data_version). */
  dataVersion(): number;
  loadExtension(file: string): void;
  /** Copies the database to `destination` while it is in use. */
  backup(destination: string, onProgress?: (progress: BackupProgress) => void): Promise<void>;
  close(): void;
}
