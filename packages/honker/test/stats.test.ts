import { type Database, open } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { waitingJobs } from "../src/queue/waiting-jobs.ts";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M13: stats $mode", ({ extension }) => {
  const opened = (): { db: Database; clock: FakeClock; now: () => number } => {
    const clock = new FakeClock();
    return {
      db: tempDatabase({ extension, clock }),
      clock,
      now: () => Math.floor(clock.now() / 1_000),
    };
  };

  it("is empty for an empty database, and refused on a closed one", () => {
    const { db, clock } = opened();
    expect(db.stats()).toMatchObject({
      takenAt: clock.now(),
      queues: [],
      streams: [],
      notifications: { count: 0, oldestSeconds: null },
      locks: { held: 0, expired: 0 },
      schedules: { total: 0, enabled: 0, overdue: 0 },
      results: 0,
    });
    db.close();
    expect(codeOf(() => db.stats())).toBe("CLOSED");
    expect(codeOf(() => db.checkpoint())).toBe("CLOSED");
  });

  it("names streams and queues that have anything, each once, in order", () => {
    const { db } = opened();
    expect([db.streams(), db.queues()]).toEqual([[], []]);
    for (const name of ["b", "é", "a"]) {
      for (const n of [1, 2]) {
        db.stream(name).publish(n);
        db.queue(name).enqueue(n);
      }
    }
    db.stream("read-only").subscribe("somebody").close();
    db.queue("paused").pause();
    db.queue("resumed").pause();
    db.queue("resumed").resume();
    const [dead] = db.queue("dead", { maxAttempts: 1 }).claimBatch("w", 1);
    expect(dead).toBeUndefined();
    db.queue("dead").enqueue(1);
    db.queue("dead").claimOne("w")?.fail("no");
    expect(db.streams()).toEqual(["a", "b", "read-only", "é"]);
    expect(db.queues()).toEqual(["a", "b", "dead", "paused", "é"]);
    db.close();
    expect(codeOf(() => db.streams())).toBe("CLOSED");
  });

  it("counts no further than it is asked to", () => {
    const { db } = opened();
    const stream = db.stream("s");
    stream.publishMany([1, 2, 3, 4]);
    stream.saveOffset("c", 1);
    const queue = db.queue("q");
    queue.enqueueMany([1, 2, 3]);
    queue.enqueueMany([4, 5], { delaySeconds: 60, priority: -1 });
    queue.claimBatch("w", 2);
    expect(stream.info({ countTo: 2 })).toEqual({ ...stream.info(), count: 2 });
    expect(stream.info({ countTo: 9 })).toEqual(stream.info());
    expect(stream.consumers({ countTo: 2 })).toEqual([{ consumer: "c", offset: 1, lag: 2 }]);
    expect(stream.consumers({ countTo: 3 })).toEqual(stream.consumers());
    expect(queue.stats({ countTo: 2 })).toMatchObject({ running: 2, pending: 2, ready: 1 });
    expect(queue.stats({ countTo: 1 })).toMatchObject({ running: 1, pending: 1, ready: 1 });
    expect(queue.stats({ countTo: 5 })).toEqual(queue.stats());
    for (const countTo of [0, -1, 1.5, Number.NaN]) {
      expect(codeOf(() => stream.info({ countTo }))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => stream.consumers({ countTo }))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => queue.stats({ countTo }))).toBe("INVALID_ARGUMENT");
    }
  });

  it("counts the jobs of each queue by what they wait for", () => {
    const { db, clock, now } = opened();
    const at = now();
    db.execute(
      `INSERT INTO _honker_live (queue, payload, state, run_at, claim_expires_at) VALUES
        ('a', '1', 'pending', ?1 - 30, NULL), ('a', '2', 'pending', ?1, NULL),
        ('a', '3', 'pending', ?1 + 10, NULL), ('a', '4', 'processing', ?1, ?1 + 60),
        ('a', '5', 'processing', ?1, ?1 - 1), ('b', '6', 'pending', ?1 + 5, NULL)`,
      [at],
    );
    db.execute(
      "INSERT INTO _honker_dead (id, queue, payload) VALUES (100, 'a', '7'), (101, 'c', '8')",
    );
    const none = {
      pending: 0,
      ready: 0,
      delayed: 0,
      running: 0,
      expiredClaims: 0,
      dead: 0,
      oldestReadySeconds: null,
    };
    expect(db.stats().queues).toMatchObject([
      {
        queue: "a",
        pending: 3,
        ready: 2,
        delayed: 1,
        running: 2,
        expiredClaims: 1,
        dead: 1,
        oldestReadySeconds: 30,
      },
      { ...none, queue: "b", pending: 1, delayed: 1 },
      { ...none, queue: "c", dead: 1 },
    ]);
    clock.advance(10_000);
    expect(db.stats().queues[0]).toMatchObject({ ready: 3, delayed: 0, oldestReadySeconds: 40 });
  });

  it("tells how far behind each consumer is", () => {
    const { db, clock, now } = opened();
    const publish = (topic: string): void => {
      db.execute("INSERT INTO _honker_stream (topic, payload, created_at) VALUES (?, '1', ?)", [
        topic,
        now(),
      ]);
    };
    publish("orders");
    publish("other");
    clock.advance(60_000);
    publish("orders");
    db.execute(
      "INSERT INTO _honker_stream_consumers (name, topic, offset) VALUES ('fast', 'orders', 3), ('slow', 'orders', 0), ('early', 'empty', 0)",
    );
    expect(db.stats().streams).toEqual([
      {
        stream: "empty",
        events: 0,
        oldestOffset: 0,
        newestOffset: 0,
        groups: [],
        dead: 0,
        consumers: [{ consumer: "early", offset: 0, lag: 0, lagSeconds: null }],
      },
      {
        stream: "orders",
        events: 2,
        oldestOffset: 1,
        newestOffset: 3,
        groups: [],
        dead: 0,
        consumers: [
          { consumer: "fast", offset: 3, lag: 0, lagSeconds: null },
          { consumer: "slow", offset: 0, lag: 2, lagSeconds: 60 },
        ],
      },
      {
        stream: "other",
        events: 1,
        oldestOffset: 2,
        newestOffset: 2,
        consumers: [],
        groups: [],
        dead: 0,
      },
    ]);
  });

  it("says which queues are paused, and what groups have left", () => {
    const { db } = opened();
    db.queue("idle").pause();
    const events = db.stream("events");
    events.publish(1);
    events.publish(2);
    db.execute("INSERT INTO _alk_stream_groups (topic, name, offset) VALUES ('events', 'team', 1)");
    db.execute(
      `INSERT INTO _alk_stream_pending (topic, group_name, offset, deliveries, ready_at_ms)
       VALUES ('events', 'team', 1, 1, 0)`,
    );
    const { queues, streams } = db.stats();
    expect(queues).toMatchObject([{ queue: "idle", paused: true, pending: 0 }]);
    expect(streams).toMatchObject([
      { stream: "events", groups: [{ group: "team", offset: 1, lag: 1, pending: 1 }] },
    ]);
  });

  it("counts notifications, locks, schedules and results", () => {
    const { db, clock, now } = opened();
    db.notify("hello", 1);
    clock.advance(5_000);
    db.notify("hello", 2);
    db.execute("INSERT INTO _honker_locks VALUES ('held', 'me', ?), ('expired', 'me', ?)", [
      now() + 5,
      now(),
    ]);
    db.execute(
      `INSERT INTO _honker_scheduler_tasks (name, queue, cron_expr, payload, next_fire_at, enabled)
       VALUES ('a', 'q', '* * * * *', 'null', ?1, 1), ('b', 'q', '* * * * *', 'null', ?1, 0), ('c', 'q', '* * * * *', 'null', ?1 + 1, 1)`,
      [now()],
    );
    db.execute("INSERT INTO _honker_results (job_id, value) VALUES (1, 'null')");
    expect(db.stats()).toMatchObject({
      notifications: { count: 2, oldestSeconds: 5 },
      locks: { held: 1, expired: 1 },
      schedules: { total: 3, enabled: 2, overdue: 1 },
      results: 1,
    });
  });

  it("gives sizes, inside a transaction too", () => {
    const { db } = opened();
    db.execute("CREATE TABLE item (body BLOB)");
    db.transaction((tx) => {
      tx.execute("INSERT INTO item VALUES (randomblob(100000))");
      expect(db.stats().file.pages).toBeGreaterThan(24);
    });
    const { file } = db.stats();
    expect(file.bytes).toBe(file.pages * file.pageSize);
    expect(file.walBytes).toBeGreaterThan(100_000);
    expect(file.cacheBytes).toBe(16_384 * 1_024);
    db.execute("DELETE FROM item");
    expect(db.stats().file.freePages).toBeGreaterThan(20);
  });

  it("works on a database in memory", () => {
    const db = open(":memory:", { extension });
    onTestFinished(() => db.close());
    expect(db.stats().file).toMatchObject({ walBytes: 0, pageSize: 4_096 });
    expect(db.checkpoint("truncate")).toMatchObject({ logPages: 0, checkpointedPages: 0 });
  });

  it("counts waiting jobs without reading their rows", () => {
    const { db } = opened();
    const opcodes = db.query<{ opcode: string; p1: number; p2: number }>(
      `EXPLAIN ${waitingJobs()}`,
      [0],
    );
    const root = db.rows("SELECT rootpage FROM sqlite_master WHERE name = '_honker_live'")[0]?.[0];
    const table = opcodes.find(({ opcode, p2 }) => opcode === "OpenRead" && p2 === root)?.p1;
    const read = opcodes.filter(({ opcode }) => opcode === "Column").map(({ p1 }) => p1);
    expect(read).not.toHaveLength(0);
    expect(read).not.toContain(table);
  });
});

describe.each(engineModes)("M13: checkpoint $mode", ({ extension }) => {
  it("refuses an unknown mode and an open transaction", () => {
    const db = tempDatabase({ extension });
    expect(codeOf(() => db.checkpoint("all" as never))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.checkpoint("__proto__" as never))).toBe("INVALID_ARGUMENT");
    db.transaction(() => {
      expect(codeOf(() => db.checkpoint())).toBe("TRANSACTION_STATE");
    });
  });

  it("moves the log into the file, and empties it when asked to", () => {
    const db = tempDatabase({ extension });
    db.execute("CREATE TABLE item (body BLOB)");
    db.execute("INSERT INTO item VALUES (randomblob(50000))");
    const passive = db.checkpoint();
    expect(passive.complete).toBe(true);
    expect(passive.checkpointedPages).toBe(passive.logPages);
    expect(passive.logPages).toBeGreaterThan(10);
    expect(db.stats().file.walBytes).toBeGreaterThan(50_000);
    expect(db.checkpoint("truncate")).toEqual({
      complete: true,
      logPages: 0,
      checkpointedPages: 0,
    });
    expect(db.stats().file.walBytes).toBe(0);
  });
});
