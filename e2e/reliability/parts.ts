import type { Database, OpenOptions } from "@alkdev/honker";

/** Options of every process of the kill tests: nothing is pruned that they look at afterwards. */
export const OPTIONS: OpenOptions = {
  busyTimeoutMs: 20_000,
  notifications: { maxCount: 10_000_000, maxAgeSeconds: 86_400 },
};

/** No constraint keeps a second effect out, so that one would be seen. */
const TABLES = `
CREATE TABLE IF NOT EXISTS produced (seq INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER);
CREATE TABLE IF NOT EXISTS effects (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL REFERENCES produced);
CREATE TABLE IF NOT EXISTS consumed (n INTEGER PRIMARY KEY, offset INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fenced (n INTEGER PRIMARY KEY, token INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fired (n INTEGER PRIMARY KEY, slot TEXT NOT NULL);
`;

/** Makes the tables, and a schedule that is due every second. */
export function prepare(db: Database): void {
  db.transaction(() => {
    for (const statement of TABLES.split(";")) if (statement.trim() !== "") db.execute(statement);
  });
  db.scheduler().add("tick", "@every 1s", { queue: "ticks", payload: null });
}

/** Jobs whose claim died with its worker come back after a second or two. */
export const QUEUE = {
  visibilityTimeoutSeconds: 1,
  maxAttempts: 1_000_000,
  backoff: { kind: "fixed", delayMs: 0 },
} as const;

/** What {@link findViolations} counted. */
export interface Counts {
  readonly produced: number;
  readonly effects: number;
  readonly consumed: number;
  readonly fenced: number;
  readonly fired: number;
}

/** Looks at one moment of the file while others go on, and lists every broken promise. */
export function findViolations(db: Database): { counts: Counts; violations: string[] } {
  const violations: string[] = [];
  return db.transaction(
    (tx) => {
      const number = (sql: string): number => Number(tx.rows(sql)[0]?.[0] ?? 0);
      const none = (what: string, sql: string): void => {
        const found = tx.rows(`${sql} LIMIT 5`);
        if (found.length > 0) violations.push(`${what}: ${JSON.stringify(found)}`);
      };
      const produced = number("SELECT count(*) FROM produced");
      none(
        "jobs with two effects",
        "SELECT seq, count(*) FROM effects GROUP BY seq HAVING count(*) > 1",
      );
      const places = `SELECT seq FROM effects
        UNION ALL SELECT CAST(payload AS INTEGER) FROM _honker_live WHERE queue = 'work'`;
      none(
        "jobs both done and waiting",
        `SELECT seq FROM (${places}) GROUP BY seq HAVING count(*) > 1`,
      );
      if (number(`SELECT count(*) FROM (${places})`) !== produced) violations.push("lost jobs");
      none("dead letters", "SELECT id, queue, last_error FROM _honker_dead");
      none(
        "work of a rolled back transaction",
        `
        SELECT 'notification', payload FROM _honker_notifications WHERE payload LIKE '-%'
        UNION ALL SELECT 'event', payload FROM _honker_stream WHERE payload LIKE '-%'
        UNION ALL SELECT 'job', payload FROM _honker_live WHERE payload LIKE '-%'`,
      );
      none(
        "offsets that are not 1 to n in commit order",
        `SELECT offset, payload FROM _honker_stream WHERE topic = 'work' AND CAST(payload AS INTEGER) <> offset`,
      );
      if (number("SELECT max(offset) FROM _honker_stream") !== produced)
        violations.push("gaps between offsets");
      if (
        number("SELECT count(*) FROM _honker_notifications WHERE channel = 'work'") !== produced
      ) {
        violations.push("missing notifications");
      }
      none(
        "notifications out of order",
        `SELECT id FROM (SELECT id, CAST(payload AS INTEGER) - lag(CAST(payload AS INTEGER), 1, 0) OVER (ORDER BY id) AS step
           FROM _honker_notifications WHERE channel = 'work') WHERE step <> 1`,
      );
      none(
        "events consumed twice, out of order or skipped",
        "SELECT n, offset, seq FROM consumed WHERE offset <> n OR seq <> n",
      );
      const saved = number("SELECT offset FROM _honker_stream_consumers WHERE name = 'reader'");
      const consumed = number("SELECT count(*) FROM consumed");
      if (saved !== consumed) violations.push(`offset ${saved} saved with ${consumed} effects`);
      none(
        "writes under an old lock",
        "SELECT n, token FROM (SELECT n, token, lag(token, 1, 0) OVER (ORDER BY n) AS earlier FROM fenced) WHERE token < earlier",
      );
      none(
        "slots that fired twice",
        `
        SELECT slot, count(*) FROM (
          SELECT slot FROM fired
          UNION ALL SELECT alk_headers ->> 'scheduledFor' FROM _honker_live WHERE queue = 'ticks')
        GROUP BY slot HAVING count(*) > 1`,
      );
      return {
        counts: {
          produced,
          consumed,
          effects: number("SELECT count(*) FROM effects"),
          fenced: number("SELECT count(*) FROM fenced"),
          fired: number("SELECT count(*) FROM fired"),
        },
        violations,
      };
    },
    { behavior: "deferred" },
  );
}
