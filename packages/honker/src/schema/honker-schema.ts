/**
 * Honker's tables, described as data: portable mode creates them from it, and every open compares the
 * file with it. Names, types and defaults are those of the extension 0.4.6, which other programs use on
 * the same file, so they are never renamed or dropped.
 */
interface TableShape {
  readonly columns: Readonly<Record<string, string>>;
  /** Table constraint, where the primary key spans columns. */
  readonly constraint?: string;
  readonly indexes?: Readonly<Record<string, string>>;
}

const NOW = "DEFAULT (unixepoch())";

/** Honker's tables by name; each column with its declaration. */
export const HONKER_TABLES: Readonly<Record<string, TableShape>> = {
  _honker_notifications: {
    columns: {
      id: "INTEGER PRIMARY KEY AUTOINCREMENT",
      channel: "TEXT NOT NULL",
      payload: "TEXT NOT NULL",
      created_at: `INTEGER NOT NULL ${NOW}`,
    },
    indexes: { _honker_notifications_recent: "(channel, id)" },
  },
  _honker_live: {
    columns: {
      id: "INTEGER PRIMARY KEY AUTOINCREMENT",
      queue: "TEXT NOT NULL",
      payload: "TEXT NOT NULL",
      state: "TEXT NOT NULL DEFAULT 'pending'",
      priority: "INTEGER NOT NULL DEFAULT 0",
      run_at: `INTEGER NOT NULL ${NOW}`,
      worker_id: "TEXT",
      claim_expires_at: "INTEGER",
      attempts: "INTEGER NOT NULL DEFAULT 0",
      max_attempts: "INTEGER NOT NULL DEFAULT 3",
      created_at: `INTEGER NOT NULL ${NOW}`,
      expires_at: "INTEGER",
    },
    indexes: {
      _honker_live_claim:
        "(queue, priority DESC, run_at, id) WHERE state IN ('pending', 'processing')",
      _honker_live_pending_deadline: "(queue, run_at) WHERE state = 'pending'",
      _honker_live_processing_deadline: "(queue, claim_expires_at) WHERE state = 'processing'",
    },
  },
  _honker_dead: {
    columns: {
      id: "INTEGER PRIMARY KEY",
      queue: "TEXT NOT NULL",
      payload: "TEXT NOT NULL",
      priority: "INTEGER NOT NULL DEFAULT 0",
      run_at: "INTEGER NOT NULL DEFAULT 0",
      attempts: "INTEGER NOT NULL DEFAULT 0",
      max_attempts: "INTEGER NOT NULL DEFAULT 0",
      last_error: "TEXT",
      created_at: `INTEGER NOT NULL ${NOW}`,
      died_at: `INTEGER NOT NULL ${NOW}`,
    },
  },
  _honker_locks: {
    columns: {
      name: "TEXT PRIMARY KEY",
      owner: "TEXT NOT NULL",
      expires_at: "INTEGER NOT NULL",
    },
  },
  _honker_rate_limits: {
    columns: {
      name: "TEXT NOT NULL",
      window_start: "INTEGER NOT NULL",
      count: "INTEGER NOT NULL DEFAULT 0",
    },
    constraint: "PRIMARY KEY (name, window_start)",
  },
  _honker_scheduler_tasks: {
    columns: {
      name: "TEXT PRIMARY KEY",
      queue: "TEXT NOT NULL",
      cron_expr: "TEXT NOT NULL",
      payload: "TEXT NOT NULL",
      priority: "INTEGER NOT NULL DEFAULT 0",
      expires_s: "INTEGER",
      next_fire_at: "INTEGER NOT NULL",
      enabled: "INTEGER NOT NULL DEFAULT 1",
      max_attempts: "INTEGER NOT NULL DEFAULT 3",
    },
  },
  _honker_results: {
    columns: {
      job_id: "INTEGER PRIMARY KEY",
      value: "TEXT",
      created_at: `INTEGER NOT NULL ${NOW}`,
      expires_at: "INTEGER",
    },
  },
  _honker_stream: {
    columns: {
      offset: "INTEGER PRIMARY KEY AUTOINCREMENT",
      topic: "TEXT NOT NULL",
      key: "TEXT",
      payload: "TEXT NOT NULL",
      created_at: `INTEGER NOT NULL ${NOW}`,
    },
    indexes: { _honker_stream_topic: "(topic, offset)" },
  },
  _honker_stream_consumers: {
    columns: {
      name: "TEXT NOT NULL",
      topic: "TEXT NOT NULL",
      offset: "INTEGER NOT NULL DEFAULT 0",
    },
    constraint: "PRIMARY KEY (name, topic)",
  },
};

/** Script that creates Honker's tables and indexes where they are missing. */
export function honkerTablesScript(): string {
  return Object.entries(HONKER_TABLES)
    .map(([table, shape]) => tableScript(table, shape))
    .join("\n");
}

function tableScript(table: string, shape: TableShape): string {
  const columns = Object.entries(shape.columns).map(([name, type]) => `${name} ${type}`);
  const body = [...columns, ...(shape.constraint === undefined ? [] : [shape.constraint])];
  const indexes = Object.entries(shape.indexes ?? {}).map(
    ([name, definition]) => `CREATE INDEX IF NOT EXISTS ${name} ON ${table}${definition};`,
  );
  return [`CREATE TABLE IF NOT EXISTS ${table} (${body.join(", ")});`, ...indexes].join("\n");
}
