import { HonkerError, type HonkerErrorCode } from "../errors.ts";

/**
 * The one place where an error of the SQLite driver becomes a {@link HonkerError}. Extended result
 * codes are those of https://www.sqlite.org/rescode.html; the original error is kept as `cause`.
 */
export function fromSqliteError(error: unknown, context: { path: string; sql?: string }): Error {
  if (error instanceof HonkerError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const sqliteCode = (error as { code?: unknown }).code;
  if (typeof sqliteCode !== "string" || !sqliteCode.startsWith("SQLITE_")) {
    return fromDriverError(error, context);
  }
  const { code, hint } = classify(sqliteCode, error.message);
  const at = context.sql === undefined ? "" : ` (statement: ${abbreviate(context.sql)})`;
  return new HonkerError(code, `${describe(code)} "${context.path}": ${error.message}${at}`, {
    cause: error,
    details: { path: context.path, sqliteCode, sql: context.sql },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Errors of better-sqlite3 itself are plain TypeErrors and RangeErrors, known by their text only. */
function fromDriverError(error: Error, context: { path: string; sql?: string }): Error {
  const { path, sql } = context;
  if (error instanceof RangeError && sql !== undefined) {
    const code = /parameter/.test(error.message) ? "INVALID_PARAMETER" : "SQL_ERROR";
    return new HonkerError(code, `${error.message} (statement: ${abbreviate(sql)})`, {
      cause: error,
      hint: "Pass one statement, with as many values as it has parameters",
      details: { path, sql },
    });
  }
  if (/connection is not open/.test(error.message)) return closedError(path, error);
  if (/connection is busy executing a query/.test(error.message)) {
    return new HonkerError("ITERATING", `cannot write to "${path}" while iterating over its rows`, {
      cause: error,
      hint: "End the iteration first, or read the rows with query()",
      details: { path },
    });
  }
  if (/directory does not exist/.test(error.message)) {
    return new HonkerError("CANNOT_OPEN", `cannot open "${path}": its folder does not exist`, {
      cause: error,
      hint: "Create the folder first",
      details: { path },
    });
  }
  return error;
}

/** The error of every call on a closed database. */
export function closedError(path: string, cause?: unknown): HonkerError {
  return new HonkerError("CLOSED", `database "${path}" is closed`, {
    hint: "Open it again with open()",
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

interface Classified {
  readonly code: HonkerErrorCode;
  readonly hint?: string;
}

function classify(sqliteCode: string, message: string): Classified {
  if (sqliteCode.startsWith("SQLITE_CONSTRAINT")) return { code: "CONSTRAINT" };
  if (sqliteCode.startsWith("SQLITE_BUSY") || sqliteCode.startsWith("SQLITE_LOCKED")) {
    return {
      code: "BUSY",
      hint: "Another process holds the write lock: keep its transactions short, or raise busyTimeoutMs",
    };
  }
  if (sqliteCode.startsWith("SQLITE_FULL")) {
    return { code: "DISK_FULL", hint: "Free disk space; the transaction was rolled back" };
  }
  if (sqliteCode.startsWith("SQLITE_READONLY")) {
    return { code: "READ_ONLY", hint: "Make the file and its folder writable for this user" };
  }
  if (sqliteCode.startsWith("SQLITE_CANTOPEN")) {
    return { code: "CANNOT_OPEN", hint: "Check that the folder exists and can be written" };
  }
  if (sqliteCode.startsWith("SQLITE_NOTADB") || sqliteCode.startsWith("SQLITE_CORRUPT")) {
    return {
      code: "NOT_A_DATABASE",
      hint: "Restore the file from a backup; do not open a damaged file again before copying it",
    };
  }
  if (sqliteCode.startsWith("SQLITE_IOERR")) return { code: "IO_ERROR" };
  if (sqliteCode === "SQLITE_ERROR" && /no such (table|column|function)/.test(message)) {
    return { code: "SQL_ERROR", hint: "Check the name, or run the migration that creates it" };
  }
  return { code: "SQL_ERROR" };
}

function describe(code: HonkerErrorCode): string {
  switch (code) {
    case "CONSTRAINT":
      return "a constraint refused the statement on";
    case "BUSY":
      return "the write lock was not free in time on";
    case "DISK_FULL":
      return "no space left to write";
    case "READ_ONLY":
      return "cannot write";
    case "CANNOT_OPEN":
      return "cannot open";
    case "NOT_A_DATABASE":
      return "not a usable SQLite database:";
    case "IO_ERROR":
      return "the operating system failed to read or write";
    default:
      return "statement failed on";
  }
}

function abbreviate(sql: string): string {
  const line = sql.replace(/\s+/g, " ").trim();
  return line.length <= 160 ? line : `${line.slice(0, 157)}...`;
}
