import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Database,
  type DoctorThresholds,
  type Finding,
  type FindingCode,
  HonkerError,
  open,
} from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

const HOUR = 3_600_000;

/** The findings of one code, examined without reading the whole file. */
const found = async (
  db: Database,
  code: FindingCode,
  thresholds: Partial<DoctorThresholds> = {},
): Promise<readonly Finding[]> => {
  const { findings } = await db.doctor({ integrity: false, thresholds });
  return findings.filter((finding) => finding.code === code);
};

const addJob = (db: Database, clock: FakeClock, columns: Record<string, string | number>): void => {
  const row = {
    queue: "mail",
    payload: "null",
    run_at: Math.floor(clock.now() / 1_000),
    created_at: Math.floor(clock.now() / 1_000),
    ...columns,
  };
  const names = Object.keys(row);
  db.execute(
    `INSERT INTO _honker_live (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    Object.values(row),
  );
};

describe.each(engineModes)("M13: doctor $mode", ({ extension }) => {
  const opened = (): { db: Database; clock: FakeClock; now: () => number } => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    return { db, clock, now: () => Math.floor(clock.now() / 1_000) };
  };

  it("finds nothing wrong with a database in use", async () => {
    const { db, clock } = opened();
    db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY)");
    addJob(db, clock, {});
    addJob(db, clock, {
      state: "processing",
      claim_expires_at: Math.floor(clock.now() / 1_000) + 60,
    });
    db.notify("hello", 1);
    expect(await db.doctor()).toEqual({ healthy: true, findings: [] });
  });

  it("refuses unknown thresholds, negative ones, and repairs inside a transaction", async () => {
    const { db } = opened();
    await expect(db.doctor({ thresholds: { lag: 1 } as never })).rejects.toThrow(
      /no threshold "lag"/,
    );
    await expect(db.doctor({ thresholds: { rows: -1 } })).rejects.toThrow(/threshold rows/);
    const tx = db.transaction();
    await expect(db.doctor({ fix: true, integrity: false })).rejects.toThrow(
      /inside a transaction/,
    );
    tx.rollback();
    db.close();
    await expect(db.doctor()).rejects.toThrow(/closed/);
  });

  it("finds a missing index and creates it again", async () => {
    const { db } = opened();
    const indexes = (): unknown[][] =>
      db.rows(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
      );
    const before = indexes();
    for (const [name] of before) db.execute(`DROP INDEX ${name}`);
    const drift = await found(db, "SCHEMA_DRIFT");
    expect(drift.map(({ details: { name } }) => [name])).toEqual(expect.arrayContaining(before));
    expect(drift[0]).toMatchObject({ severity: "error", fixable: true, fixed: false });
    const repaired = await db.doctor({ fix: true });
    expect(repaired.healthy).toBe(true);
    expect(indexes()).toEqual(before);
    expect(await found(db, "SCHEMA_DRIFT")).toEqual([]);
  });

  it("finds an index that was replaced by another of its name", async () => {
    const { db } = opened();
    db.execute("DROP INDEX _honker_stream_topic");
    db.execute("CREATE INDEX _honker_stream_topic ON _honker_stream (offset)");
    const [drift] = await found(db, "SCHEMA_DRIFT");
    expect(drift).toMatchObject({
      fixable: false,
      message: expect.stringContaining("_honker_stream_topic"),
    });
  });

  it("finds a dropped column and a dropped table", async () => {
    const { db } = opened();
    db.execute("ALTER TABLE _honker_dead DROP COLUMN last_error");
    db.execute("DROP TABLE _honker_results");
    const messages = (await found(db, "SCHEMA_DRIFT")).map(({ message }) => message);
    expect(messages).toEqual(
      expect.arrayContaining([
        "column _honker_dead.last_error is missing",
        "table _honker_results is missing",
      ]),
    );
  });

  it("finds claims whose worker vanished, once the next worker is late", async () => {
    const { db, clock, now } = opened();
    addJob(db, clock, {
      state: "processing",
      worker_id: "w-1",
      claim_expires_at: now() + 30,
      attempts: 1,
    });
    clock.advance(31_000);
    expect(await found(db, "ORPHANED_CLAIMS")).toEqual([]);
    clock.advance(301_000);
    const [orphaned] = await found(db, "ORPHANED_CLAIMS");
    expect(orphaned).toMatchObject({ severity: "error", details: { queue: "mail", jobs: 1 } });
    expect(orphaned?.advice).toContain("mail");
  });

  it("finds jobs without attempts left and moves them to the dead letters", async () => {
    const { db, clock, now } = opened();
    addJob(db, clock, { attempts: 3, max_attempts: 3, payload: '"first"' });
    addJob(db, clock, { attempts: 1, max_attempts: 3, payload: '"second"' });
    addJob(db, clock, {
      attempts: 3,
      state: "processing",
      claim_expires_at: now() - 301,
      payload: '"third"',
    });
    addJob(db, clock, {
      attempts: 3,
      state: "processing",
      claim_expires_at: now() + 60,
      payload: '"running"',
    });
    expect((await found(db, "EXHAUSTED_JOBS"))[0]?.details).toEqual({ queue: "mail", jobs: 2 });
    await db.doctor({ fix: true, integrity: false });
    expect(await found(db, "EXHAUSTED_JOBS")).toEqual([]);
    expect(db.rows("SELECT payload, died_at FROM _honker_dead ORDER BY id")).toEqual([
      ['"first"', now()],
      ['"third"', now()],
    ]);
    expect(db.rows("SELECT payload FROM _honker_live ORDER BY id")).toEqual([
      ['"second"'],
      ['"running"'],
    ]);
  });

  it("finds a queue that nobody works on", async () => {
    const { db, clock, now } = opened();
    addJob(db, clock, {});
    addJob(db, clock, { run_at: now() + 86_400, queue: "later" });
    clock.advance(HOUR + 1_000);
    const neglected = await found(db, "NEGLECTED_QUEUE");
    expect(neglected.map(({ details: { queue } }) => queue)).toEqual(["mail"]);
  });

  it("finds a consumer that is stuck, not one that is merely behind", async () => {
    const { db, clock, now } = opened();
    const publish = (): void => {
      db.execute(
        "INSERT INTO _honker_stream (topic, payload, created_at) VALUES ('orders', '1', ?)",
        [now()],
      );
    };
    publish();
    db.execute(
      "INSERT INTO _honker_stream_consumers (name, topic, offset) VALUES ('done', 'orders', 1), ('slow', 'orders', 0)",
    );
    expect(await found(db, "STUCK_CONSUMER")).toEqual([]);
    clock.advance(2 * HOUR);
    publish();
    const stuck = await found(db, "STUCK_CONSUMER");
    expect(stuck.map(({ details }) => details)).toEqual([
      { stream: "orders", consumer: "slow", offset: 0, lag: 2, firstUnreadAt: now() - 7_200 },
    ]);
  });

  it("finds a schedule that nobody fires", async () => {
    const { db, clock, now } = opened();
    const add = (name: string, next: number, enabled: number): void => {
      db.execute(
        "INSERT INTO _honker_scheduler_tasks (name, queue, cron_expr, payload, next_fire_at, enabled) VALUES (?, 'q', '@every 1m', 'null', ?, ?)",
        [name, next, enabled],
      );
    };
    add("late", now() - 301, 1);
    add("paused", now() - 9_999, 0);
    add("due", now() - 5, 1);
    expect(
      (await found(db, "OVERDUE_SCHEDULE")).map(({ details: { schedule } }) => schedule),
    ).toEqual(["late"]);
    clock.advance(HOUR);
    expect(await found(db, "OVERDUE_SCHEDULE")).toHaveLength(2);
  });

  it("finds rows from a machine whose clock is ahead", async () => {
    const { db, clock } = opened();
    db.notify("hello", 1);
    expect(await found(db, "CLOCK_SKEW")).toEqual([]);
    clock.advance(-24 * HOUR);
    const [skew] = await found(db, "CLOCK_SKEW");
    expect(skew?.message).toBe(
      "1 rows of _honker_notifications were created up to 86400 seconds in the future",
    );
  });

  it("finds a table that only grows", async () => {
    const { db } = opened();
    for (let i = 0; i < 5; i++) db.notify("hello", i);
    expect(await found(db, "UNBOUNDED_TABLE", { rows: 5 })).toEqual([]);
    const [table] = await found(db, "UNBOUNDED_TABLE", { rows: 4 });
    expect(table?.details).toEqual({ table: "_honker_notifications", rows: 5 });
  });

  it("finds a log that does not shrink, and empties it", async () => {
    const { db } = opened();
    db.execute("CREATE TABLE item (body BLOB)");
    for (let i = 0; i < 20; i++) db.execute("INSERT INTO item VALUES (randomblob(10000))");
    const [wal] = await found(db, "OVERSIZED_WAL", { walBytes: 100_000 });
    expect(wal).toMatchObject({ fixable: true, severity: "warning" });
    await db.doctor({ fix: true, integrity: false, thresholds: { walBytes: 100_000 } });
    expect(db.stats().file.walBytes).toBe(0);
  });

  it("finds a file that is mostly empty", async () => {
    const { db } = opened();
    db.execute("CREATE TABLE item (body BLOB)");
    for (let i = 0; i < 100; i++) db.execute("INSERT INTO item VALUES (randomblob(10000))");
    db.execute("DELETE FROM item");
    const [free] = await found(db, "FREE_SPACE", { freeBytes: 100_000 });
    expect(free).toMatchObject({ severity: "info" });
    expect((await db.doctor({ thresholds: { freeBytes: 100_000 } })).healthy).toBe(true);
    db.execute("VACUUM");
    expect(await found(db, "FREE_SPACE", { freeBytes: 100_000 })).toEqual([]);
  });

  it("finds settings that somebody made unsafe, and restores them", async () => {
    const { db } = opened();
    db.execute("PRAGMA synchronous = OFF");
    db.execute("PRAGMA foreign_keys = OFF");
    const unsafe = await found(db, "UNSAFE_SETTINGS");
    expect(unsafe.map(({ severity }) => severity)).toEqual(["error", "warning"]);
    await db.doctor({ fix: true, integrity: false });
    expect(db.rows("PRAGMA synchronous")).toEqual([[1]]);
    expect(db.rows("PRAGMA foreign_keys")).toEqual([[1]]);
  });

  it("finds rows without their parents", async () => {
    const { db } = opened();
    db.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    db.execute("CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id REFERENCES parent (id))");
    db.execute("PRAGMA foreign_keys = OFF");
    db.execute("INSERT INTO child (parent_id) VALUES (1), (2)");
    db.execute("PRAGMA foreign_keys = ON");
    expect(await db.integrityCheck()).toEqual({
      ok: false,
      problems: [],
      foreignKeyViolations: [
        { table: "child", rowid: 1, parent: "parent" },
        { table: "child", rowid: 2, parent: "parent" },
      ],
    });
    const { healthy, findings } = await db.doctor();
    expect(healthy).toBe(false);
    expect(findings.map(({ code }) => code)).toEqual(["FOREIGN_KEY_VIOLATION"]);
  });

  it("finds a damaged file, also a large one", async () => {
    for (const rows of [300, 6_000]) {
      const path = join(tempFolder(), "damaged.db");
      const healthy = open(path, { extension });
      healthy.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB)");
      healthy.transaction((tx) => {
        for (let i = 0; i < rows; i++)
          tx.execute("INSERT INTO item (body) VALUES (randomblob(1000))");
      });
      expect(await healthy.integrityCheck()).toEqual({
        ok: true,
        problems: [],
        foreignKeyViolations: [],
      });
      healthy.close();
      const bytes = readFileSync(path);
      bytes.fill(0x5a, bytes.byteLength - 100_000, bytes.byteLength - 50_000);
      writeFileSync(path, bytes);
      const db = open(path, { extension });
      onTestFinished(() => db.close());
      const { healthy: well, findings } = await db.doctor();
      expect(well).toBe(false);
      expect(findings[0]).toMatchObject({
        code: "DAMAGED_FILE",
        severity: "error",
        fixable: false,
      });
    }
  });

  it("says what to do about everything it finds, gravest first", async () => {
    const { db, clock, now } = opened();
    addJob(db, clock, { attempts: 3 });
    addJob(db, clock, { state: "processing", claim_expires_at: now() });
    clock.advance(2 * HOUR);
    const { findings } = await db.doctor({ thresholds: { rows: 0 } });
    expect(findings.length).toBeGreaterThan(3);
    for (const { message, advice } of findings) {
      expect(message).not.toMatch(/undefined|NaN|null/);
      expect(advice).toMatch(/^[A-Z].{10}/);
    }
    const order = findings.map(({ severity }) => ["error", "warning", "info"].indexOf(severity));
    expect(order).toEqual(order.toSorted());
  });

  it("works on a database in memory", async () => {
    const db = open(":memory:", { extension });
    onTestFinished(() => db.close());
    expect(await db.doctor()).toEqual({ healthy: true, findings: [] });
    expect(await db.integrityCheck()).toMatchObject({ ok: true });
  });
});

it("M13: integrityCheck refuses a limit that is no limit", async () => {
  const db = tempDatabase();
  const failure = await db.integrityCheck({ limit: 0 }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HonkerError);
  await expect(db.integrityCheck({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow(
    "no",
  );
});
