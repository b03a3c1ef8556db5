import type { Database } from "@alkdev/honker";

/** The table of the effects. */
export const LEDGER =
  "CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)";

/** Writes one number everywhere in one transaction: a row, an event, a job and a notification. */
export function writeEntry(db: Database, seq: number, bytes = 200): void {
  db.transaction((tx) => {
    tx.execute("INSERT INTO ledger (seq, body) VALUES (?, randomblob(?))", [seq, bytes]);
    db.stream<number>("entries").publish(seq);
    db.queue<number>("entries").enqueue(seq);
    tx.notify("entries", seq);
  });
}

/**
 * The numbers that are there, from 1 on. Throws when they are not the same everywhere, when one is
 * missing in between, or when the file is not sound.
 */
export async function committedEntries(db: Database): Promise<number> {
  const column = (sql: string): number[] => db.rows(sql).map(([value]) => Number(value));
  const seqs = column("SELECT seq FROM ledger ORDER BY seq");
  const expected = seqs.map((_, index) => index + 1).join();
  const found: Record<string, readonly number[]> = {
    rows: seqs,
    events: column("SELECT payload FROM _honker_stream WHERE topic = 'entries' ORDER BY offset"),
    offsets: column("SELECT offset FROM _honker_stream ORDER BY offset"),
    jobs: column("SELECT payload FROM _honker_live WHERE queue = 'entries' ORDER BY id"),
    notifications: column(
      "SELECT payload FROM _honker_notifications WHERE channel = 'entries' ORDER BY id",
    ),
  };
  for (const [what, numbers] of Object.entries(found)) {
    if (numbers.join() === expected) continue;
    throw new Error(`${what} are ${numbers.join()}, not ${expected}`);
  }
  const report = await db.integrityCheck();
  if (!report.ok) throw new Error(JSON.stringify(report));
  return seqs.length;
}
