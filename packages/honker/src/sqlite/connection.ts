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

/** A row as an object. */
export type Row = Record<string, SqlValue>;

/** A result column of a statement. */
export interface Column {
  readonly name: string;
  /** Declared type of the table's column; `null` for an expression. */
  readonly type: string | null;
}

/** A prepared statement; positional rows, since object rows cannot hold two columns of one name. */
export interface Statement {
  readonly sql: string;
  /** Whether the statement returns rows. */
  readonly returnsRows: boolean;
  /** Whether the statement cannot change the database. */
  readonly readonly: boolean;
  /** The result columns in select order, as they were when first asked for. */
  columns(): readonly Column[];
  /** As {@link columns}, read anew: a schema change can alter what `SELECT *` returns. */
  refreshColumns(): readonly Column[];
  run(params: readonly SqlInput[]): RunResult;
  /** First row, or `undefined`. */
  row(params: readonly SqlInput[], integers?: IntegerMode): SqlValue[] | undefined;
  rows(params: readonly SqlInput[], integers?: IntegerMode): SqlValue[][];
  iterate(params: readonly SqlInput[], integers?: IntegerMode): IterableIterator<SqlValue[]>;
  /** Object rows; columns of equal names collapse. */
  objects(params: readonly SqlInput[], integers?: IntegerMode): Row[];
  iterateObjects(params: readonly SqlInput[], integers?: IntegerMode): IterableIterator<Row>;
}

/** Progress of an online backup. */
export interface BackupProgress {
  readonly totalPages: number;
  readonly remainingPages: number;
}

/** Options of {@link Connection.backup}. */
export interface CopyOptions {
  /** Pages copied before the event loop gets its turn. */
  readonly pagesPerStep: number;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
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
  /** Copies the database, as this connection sees it, to the file `destination`. */
  backup(destination: string, options: CopyOptions): Promise<void>;
  close(): void;
}
