import { HonkerError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";

const FOREIGN_KEYS = 'SELECT "table", rowid, parent, fkid FROM pragma_foreign_key_check LIMIT ?';

/** A row whose parent does not exist. */
export interface ForeignKeyViolation {
  readonly table: string;
  /** `null` for tables without row ids. */
  readonly rowid: number | null;
  /** The table that lacks the parent row. */
  readonly parent: string;
}

/** What {@link Database.integrityCheck} found. */
export interface IntegrityReport {
  /** True when there are no problems and no violations. */
  readonly ok: boolean;
  /** Damage of the file, in SQLite's words (`PRAGMA integrity_check`). */
  readonly problems: readonly string[];
  /** Rows whose parent is missing (`PRAGMA foreign_key_check`). */
  readonly foreignKeyViolations: readonly ForeignKeyViolation[];
}

/** Checks all pages, indexes and constraints that `connection` sees; reports `limit` of each kind at most. */
export function checkIntegrity(connection: Connection, limit: number): IntegrityReport {
  const problems = damage(connection, limit);
  const foreignKeyViolations = problems.length > 0 ? [] : violations(connection, limit);
  return {
    ok: problems.length === 0 && foreignKeyViolations.length === 0,
    problems,
    foreignKeyViolations,
  };
}

function damage(connection: Connection, limit: number): string[] {
  try {
    const lines = connection.prepare(`PRAGMA integrity_check(${limit})`).rows([]).map(String);
    return lines.length === 1 && lines[0] === "ok" ? [] : lines;
  } catch (error) {
    // a badly damaged file cannot even be checked
    if (error instanceof HonkerError && error.code === "NOT_A_DATABASE") return [error.message];
    throw error;
  }
}

function violations(connection: Connection, limit: number): ForeignKeyViolation[] {
  return connection
    .prepare(FOREIGN_KEYS)
    .rows([limit])
    .map(([table, rowid, parent]) => ({
      table: String(table),
      rowid: rowid === null ? null : Number(rowid),
      parent: String(parent),
    }));
}
