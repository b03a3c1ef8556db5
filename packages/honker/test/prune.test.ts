import type { Database, PruneResult } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const NOTHING: PruneResult = {
  notifications: 0,
  results: 0,
  history: 0,
  deadLetters: 0,
  keys: 0,
  rateLimits: 0,
  locks: 0,
  streamEvents: 0,
  more: false,
};

const DAY_SECONDS = 86_400;

describe.each(engineModes)("M13: prune $mode", ({ extension }) => {
  const opened = (): { db: Database; clock: FakeClock } => {
    const clock = new FakeClock();
    return { clock, db: tempDatabase({ extension, clock }) };
  };

  it("refuses what is no retention, and a closed database", () => {
    const { db } = opened();
    expect(codeOf(() => db.prune({ historySeconds: -1 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.prune({ deadLetterSeconds: Number.NaN }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.prune({ limit: 0 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.prune({ streams: { a: { maxCount: -1 } } }))).toBe("INVALID_ARGUMENT");
    db.close();
    expect(codeOf(() => db.prune())).toBe("CLOSED");
  });

  it("deletes nothing that somebody may still want", () => {
    const { db } = opened();
    expect(db.prune()).toEqual(NOTHING);
    db.notify("news", 1);
    db.stream("events").publish(1, { messageId: "m-1" });
    const queue = db.queue("work");
    queue.enqueue(1, { unique: { key: "u", scope: { windowSeconds: 60 } } });
    queue.enqueue(2);
    queue.claimOne("w")?.ack();
    queue.claimOne("w")?.fail("no");
    db.tryLock("leader", "me", 60);
    expect(db.prune()).toEqual(NOTHING);
    expect(db.prune({ deadLetterSeconds: 60, streams: { events: { maxAgeSeconds: 60 } } })).toEqual(
      NOTHING,
    );
  });

  it("deletes of each kind what is over", () => {
    const { db, clock } = opened();
    db.notify("news", 1);
    const events = db.stream("events");
    events.publish(1, { messageId: "m-1" });
    events.publish(2, { messageId: "m-2" });
    const queue = db.queue("work");
    queue.enqueue(1, { unique: { key: "u", scope: { windowSeconds: 60 } } });
    queue.enqueue(2);
    queue.claimOne("w")?.ack();
    queue.claimOne("w")?.fail("no");
    db.tryLock("leader", "me", 60);
    db.execute("INSERT INTO _honker_results (job_id, value, expires_at) VALUES (1, '1', ?)", [
      Math.floor(clock.now() / 1_000) + 60,
    ]);
    db.execute("INSERT INTO _honker_results (job_id, value) VALUES (2, 'kept without expiry')");
    db.execute("INSERT INTO _honker_rate_limits (name, window_start, count) VALUES ('a', ?, 1)", [
      Math.floor(clock.now() / 1_000),
    ]);
    clock.advance(8 * DAY_SECONDS * 1_000);
    db.notify("news", 2);
    expect(db.prune()).toEqual({
      ...NOTHING,
      notifications: 1,
      results: 1,
      history: 2,
      keys: 3,
      rateLimits: 1,
      locks: 1,
    });
    expect(db.prune()).toEqual(NOTHING);
    expect(
      db.prune({
        deadLetterSeconds: 7 * DAY_SECONDS,
        streams: { events: { maxCount: 1 }, none: { maxCount: 0 } },
      }),
    ).toEqual({ ...NOTHING, deadLetters: 1, streamEvents: 1 });
    expect(db.stats()).toMatchObject({ results: 1, notifications: { count: 1 } });
    expect(events.publish(3)).toBe(3);
  });

  it("stops at the limit and says that there is more", () => {
    const { db, clock } = opened();
    const queue = db.queue<number>("work");
    db.execute(
      `WITH RECURSIVE ids (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < 5000)
       INSERT INTO _honker_dead (id, queue, payload, died_at) SELECT id, 'work', 'null', ? FROM ids`,
      [Math.floor(clock.now() / 1_000)],
    );
    clock.advance(60_000);
    const limited = { deadLetterSeconds: 30, limit: 4_500 };
    expect(db.prune(limited)).toEqual({ ...NOTHING, deadLetters: 4_500, more: true });
    expect(db.prune(limited)).toEqual({ ...NOTHING, deadLetters: 500 });
    expect(queue.dead.count()).toBe(0);
  });

  it("is undone with the transaction it is called in", () => {
    const { db, clock } = opened();
    db.notify("news", 1);
    clock.advance(DAY_SECONDS * 1_000);
    const tx = db.transaction();
    expect(db.prune().notifications).toBe(1);
    tx.rollback();
    expect(db.stats().notifications.count).toBe(1);
  });

  it("does not give a lock's token again", () => {
    const { db, clock } = opened();
    const first = db.tryLock("leader", "a", 1);
    clock.advance(DAY_SECONDS * 1_000);
    expect(db.prune().locks).toBe(1);
    const second = db.tryLock("leader", "b", 1);
    expect(second?.token).toBeGreaterThan(first?.token ?? Number.POSITIVE_INFINITY);
    expect(first?.held).toBe(false);
  });
});
