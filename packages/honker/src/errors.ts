/** Every `code` a {@link HonkerError} can carry. Branch on the code, never on the message. */
export type HonkerErrorCode =
  /** The database, listener or handle was closed before this call. */
  | "CLOSED"
  /** The path cannot be opened as a database: missing folder, a directory, no permission. */
  | "CANNOT_OPEN"
  /** The file is not a SQLite database, or is damaged. */
  | "NOT_A_DATABASE"
  /** The file or its folder cannot be written. */
  | "READ_ONLY"
  /** The Honker extension is required and was not found or could not be loaded. */
  | "EXTENSION_UNAVAILABLE"
  /** The loaded extension, or the tables in the file, are not the ones this version knows. */
  | "UNKNOWN_SCHEMA"
  /** The file is already open in this process with other options. */
  | "OPEN_CONFLICT"
  /** A transaction callback returned a promise; the transaction was rolled back. */
  | "ASYNC_TRANSACTION"
  /** A transaction handle was used after it ended, or handles ended out of order. */
  | "TRANSACTION_STATE"
  /** A write was tried while rows of an open iteration were still being read. */
  | "ITERATING"
  /** Another process held the write lock for longer than `busyTimeoutMs`. */
  | "BUSY"
  /** The disk is full. */
  | "DISK_FULL"
  /** The operating system reported an I/O error. */
  | "IO_ERROR"
  /** A UNIQUE, CHECK, NOT NULL or FOREIGN KEY constraint refused the statement. */
  | "CONSTRAINT"
  /** SQLite refused the statement for any other reason. */
  | "SQL_ERROR"
  /** A statement returns two columns of one name, which an object row cannot hold. */
  | "DUPLICATE_COLUMN"
  /** An INTEGER beyond ±(2^53 − 1) would have been rounded. */
  | "UNSAFE_INTEGER"
  /** A statement parameter has a type SQLite cannot store without loss. */
  | "INVALID_PARAMETER"
  /** A payload is not JSON: bigint, cycle, undefined, NaN, a function, a Map. */
  | "INVALID_PAYLOAD"
  /** An argument or option is out of its range. */
  | "INVALID_ARGUMENT"
  /** The consumer already has a live subscription in this process. */
  | "CONSUMER_ACTIVE"
  /** Nothing came within the time that was given. */
  | "TIMEOUT"
  /** The job whose result was waited for is a dead letter, or was cancelled. */
  | "JOB_FAILED"
  /** A claim, lock or lease is no longer held by the caller. */
  | "LEASE_LOST"
  /** A backup or restore would overwrite a file. */
  | "FILE_EXISTS"
  /** A backup does not hold what it should: damaged, incomplete, or not a copy of its source. */
  | "BACKUP_INVALID"
  /** A lock is held by somebody else. */
  | "LOCK_HELD";

/** What a {@link HonkerError} carries besides its message. */
export interface HonkerErrorOptions extends ErrorOptions {
  /** What an operator can do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code: names, ids, limits. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of every error this package throws. */
export class HonkerError extends Error {
  override readonly name: string = "HonkerError";
  readonly code: HonkerErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: HonkerErrorCode, message: string, options: HonkerErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
