import { open } from "@alkdev/honker";
import { engineModes, FakeClock, tempFolder } from "@alkdev/testkit";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMPANION_MIGRATIONS } from "../src/schema/companion-schema.ts";
import { honkerTablesScript } from "../src/schema/honker-schema.ts";

const NOW = new FakeClock().now() / 1_000;

/** A file as the first version of the engine's tables left it. */
function firstVersion(rows: string): string {
  const path = `${tempFolder()}/old.db`;
  const db = new BetterSqlite3(path);
  db.pragma("journal_mode = WAL");
  db.exec(honkerTablesScript());
  db.exec(
    "CREATE TABLE _alk_migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL)",
  );
  db.exec(COMPANION_MIGRATIONS[0]?.script ?? "");
  db.exec("INSERT INTO _alk_migrations VALUES (1, 0)");
  db.exec(rows);
  db.close();
  return path;
}

describe.each(engineModes)("M1: a file of the first version $mode", ({ extension }) => {
  it("keeps its jobs, their order, their claims and their history", () => {
    const path = firstVersion(`
      INSERT INTO _honker_live (id, queue, payload, priority, run_at) VALUES
        (1, 'q', '"low"', 0, 5), (2, 'q', '"high"', 9, 6), (3, 'q', '"delayed"', 9, ${NOW + 60});
      INSERT INTO _honker_live
        (id, queue, payload, run_at, state, worker_id, claim_expires_at, attempts) VALUES
        (4, 'q', '"lost"', 7, 'processing', 'gone', ${NOW - 10}, 1);
      INSERT INTO _alk_job_history (queue, job_id, outcome, attempt, enqueued_at, ended_at_ms) VALUES
        ('q', 4, 'retried', 1, 0, ${NOW}000), ('other', 5, 'completed', 1, 0, ${NOW}000),
        ('q', 4, 'dead', 2, 0, ${NOW - 5}000);
    `);
    const clock = new FakeClock();
    const db = open(path, { extension, clock });
    onTestFinished(() => db.close());
    const queue = db.queue<string>("q");
    expect(queue.stats()).toMatchObject({ ready: 2, delayed: 1, running: 1 });
    expect(queue.history(4).map(({ outcome }) => outcome)).toEqual(["retried", "dead"]);
    expect(db.queue("other").history(5)).toMatchObject([{ outcome: "completed" }]);
    const jobs = queue.claimBatch("w", 9);
    expect(jobs.map(({ payload }) => payload)).toEqual(["high", "low", "lost"]);
    expect(queue.history(4).map(({ outcome }) => outcome)).toEqual(["retried", "dead", "lost"]);
    expect(db.rows("SELECT version FROM _alk_migrations ORDER BY version")).toEqual(
      COMPANION_MIGRATIONS.map(({ version }) => [version]),
    );
  });

  it("has the same tables and indexes as a new file afterwards", async () => {
    const db = open(firstVersion(""), { extension });
    onTestFinished(() => db.close());
    const { findings } = await db.doctor();
    expect(findings.filter(({ code }) => code === "SCHEMA_DRIFT")).toEqual([]);
  });
});
