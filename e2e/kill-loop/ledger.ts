import type { Database, OpenOptions, Queue, Stream } from "@alkdev/honker";

/** Rows, and what came of each of them. Nothing is unique, so that a second time would be seen. */
const TABLES = [
  "CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, note TEXT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS effects (row_id INTEGER NOT NULL REFERENCES rows (id))",
  "CREATE TABLE IF NOT EXISTS consumed (offset INTEGER NOT NULL, row_id INTEGER NOT NULL REFERENCES rows (id))",
];

/** Payload of the notification, event and job of a row. `kept` is false where it is rolled back. */
export interface Entry {
  readonly rowId: number;
  readonly kept: boolean;
}

const CHANNEL = "rows:created";
export const CONSUMER = "reader:kill-loop:rows";
export const OPTIONS: OpenOptions = { notifications: { maxCount: 10_000_000 } };

export interface Ledger {
  readonly db: Database;
  readonly jobs: Queue<Entry>;
  readonly events: Stream<Entry>;
}

export function ledgerOf(db: Database): Ledger {
  for (const table of TABLES) db.execute(table);
  const jobs = db.queue<Entry>("rows", { visibilityTimeoutSeconds: 1, maxAttempts: 1_000_000 });
  return { db, jobs, events: db.stream<Entry>("rows") };
}

/** One row with its notification, event and job, in the open transaction. */
export function write({ db, jobs, events }: Ledger, kept: boolean): number {
  const { lastInsertRowid } = db.execute("INSERT INTO rows (note) VALUES (?)", [
    kept ? "kept" : "dropped",
  ]);
  const entry: Entry = { rowId: Number(lastInsertRowid), kept };
  db.notify(CHANNEL, entry);
  events.publish(entry);
  jobs.enqueue(entry);
  return entry.rowId;
}

/** Everything that must hold between any two transactions; each line is something that does not. */
export function violations({ db }: Ledger): string[] {
  const failed = INVARIANTS.filter(([, sql]) => db.rows(sql)[0]?.[0] !== 0).map(([what]) => what);
  const integrity = db.rows("PRAGMA integrity_check").flat().map(String);
  const orphans = db.rows("PRAGMA foreign_key_check").map((row) => `orphan in ${row[0]}`);
  return [...failed, ...integrity.filter((line) => line !== "ok"), ...orphans];
}

const KEPT = "json_extract(payload, '$.kept')";
const ROW = "json_extract(payload, '$.rowId')";
/** Each counts what should not be there. */
const INVARIANTS: readonly (readonly [string, string])[] = [
  ["a row that was rolled back", "SELECT count(*) FROM rows WHERE note <> 'kept'"],
  [
    "a notification of what was rolled back",
    `SELECT count(*) FROM _honker_notifications WHERE NOT ${KEPT}`,
  ],
  ["an event of what was rolled back", `SELECT count(*) FROM _honker_stream WHERE NOT ${KEPT}`],
  ["a job of what was rolled back", `SELECT count(*) FROM _honker_live WHERE NOT ${KEPT}`],
  ["rows and notifications differ", differ("SELECT id FROM rows", from("_honker_notifications"))],
  ["rows and events differ", differ("SELECT id FROM rows", from("_honker_stream"))],
  [
    "rows differ from jobs and effects",
    differ("SELECT id FROM rows", `${from("_honker_live")} UNION ALL SELECT row_id FROM effects`),
  ],
  ["a dead job", "SELECT count(*) FROM _honker_dead"],
  [
    "consumed events differ from those up to the saved offset",
    differ(
      `SELECT offset * 1000000000 + ${ROW} FROM _honker_stream
         WHERE offset <= (SELECT coalesce(max(offset), 0) FROM _honker_stream_consumers)`,
      "SELECT offset * 1000000000 + row_id FROM consumed",
    ),
  ],
];

function from(table: string): string {
  return `SELECT ${ROW} FROM ${table}`;
}

/** How many entries of two lists have no partner in the other one; repeated entries count. */
function differ(first: string, second: string): string {
  return `SELECT count(*) FROM (SELECT entry FROM (
      SELECT entry, 1 AS sign FROM (SELECT NULL AS entry WHERE 0 UNION ALL ${first})
      UNION ALL
      SELECT entry, -1 FROM (SELECT NULL AS entry WHERE 0 UNION ALL ${second}))
    GROUP BY entry HAVING sum(sign) <> 0)`;
}
