// Honker reads cron in the zone of its process; the native peer inherits it.
process.env.TZ = "UTC";

import type { Database } from "@alkdev/honker";
import { eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { startNativePeer } from "./native-peer.ts";

const HOUR = 3_600;

function call(
  db: Database,
  sql: string,
  params: readonly (string | number | null)[] = [],
): unknown {
  return db.rows(`SELECT ${sql}`, params)[0]?.[0];
}

function honkerTick(db: Database, now: number): string[] {
  const fires = JSON.parse(String(call(db, "honker_scheduler_tick(?)", [now])));
  return fires.map((fire: { name: string }) => fire.name);
}

describe("M12: schedules and Honker's own scheduler", () => {
  const now = Math.floor(Date.now() / 1_000);

  it("fire what was registered through Honker, in the system zone, all missed slots", () => {
    const db = tempDatabase({ extension: "require" });
    call(db, "honker_scheduler_register('py', 'q', '5/15 * * * *', '{\"a\":1}', 4, 60, 2)");
    expect(db.scheduler().get("py")).toMatchObject({
      expression: "5/15 * * * *",
      payload: { a: 1 },
      priority: 4,
      expiresSeconds: 60,
      maxAttempts: 2,
      timeZone: "system",
      missed: "all",
      shared: true,
    });
    const first = (db.scheduler().get("py")?.nextFireAt.getTime() ?? 0) / 1_000;
    expect(first % HOUR).toBe(300); // there, 5/15 is minute 5 alone
    expect(db.scheduler().tick(first + HOUR)).toHaveLength(2);
    expect(call(db, "honker_scheduler_soonest()")).toBe(first + 2 * HOUR);
  });

  it("leave a schedule to both where both would fire the same slots", () => {
    const db = tempDatabase({ extension: "require" });
    for (const [name, expression] of [
      ["every", "@every 2h"],
      ["cron", "0 9 * * MON"],
    ]) {
      db.scheduler().add(name as string, expression as string, { queue: "q", payload: name });
      expect(db.scheduler().get(name as string)?.shared).toBe(true);
    }
    const week = now + 7 * 24 * HOUR;
    const honker = honkerTick(db, week);
    expect(honker.filter((name) => name === "cron")).toHaveLength(1);
    expect(honker.filter((name) => name === "every")).toHaveLength(64);
    expect(db.scheduler().tick(week)).toEqual([]);
    expect(db.queue("q").claimOne("w")?.payload).toMatch(/every|cron/);
  });

  it("are never fired by Honker where it would fire them at another time or too often", () => {
    const db = tempDatabase({ extension: "require" });
    const scheduler = db.scheduler();
    scheduler.add("zone", "0 9 * * *", { queue: "q", timeZone: "Asia/Tokyo" });
    scheduler.add("once", "@hourly", { queue: "q", missed: "once" });
    expect(scheduler.list().map(({ shared }) => shared)).toEqual([false, false]);
    expect(honkerTick(db, now + 48 * HOUR)).toEqual([]);
    expect(
      scheduler
        .tick(now + 48 * HOUR)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["once", "zone", "zone"]);
  });

  it("keep their zone when Honker pauses, resumes or registers them again", () => {
    const db = tempDatabase({ extension: "require" });
    const scheduler = db.scheduler();
    const added = scheduler.add("a", "0 9 * * *", { queue: "q", timeZone: "Asia/Tokyo" });
    expect(call(db, "honker_scheduler_pause('a')")).toBe(1);
    expect(scheduler.get("a")?.enabled).toBe(false);
    expect(call(db, "honker_scheduler_resume('a')")).toBe(1);
    expect(scheduler.get("a")).toEqual(added);
    call(db, "honker_scheduler_register('a', 'other', '0 9 * * *', '1', 0, NULL)");
    expect(scheduler.get("a")).toEqual({ ...added, queue: "other", payload: 1 });
    expect(honkerTick(db, now + 48 * HOUR)).toEqual([]);
  });

  it("become Honker's when it gives them another expression, and ours when we do", () => {
    const db = tempDatabase({ extension: "require" });
    const scheduler = db.scheduler();
    for (const [name, sql] of [
      ["a", "honker_scheduler_register('a', 'q', '0 8 * * *', '1', 0, NULL)"],
      ["b", "honker_scheduler_update('b', '0 8 * * *', NULL, NULL, NULL, 0)"],
    ]) {
      scheduler.add(name as string, "0 9 * * *", { queue: "q", timeZone: "Asia/Tokyo" });
      call(db, sql as string);
      expect(scheduler.get(name as string)).toMatchObject({
        expression: "0 8 * * *",
        timeZone: "system",
        shared: true,
      });
      const at = (scheduler.get(name as string)?.nextFireAt.getTime() ?? 0) / 1_000;
      expect(at % (24 * HOUR)).toBe(8 * HOUR);
      expect(at - now).toBeLessThanOrEqual(24 * HOUR);
      scheduler.update(name as string, { timeZone: "Asia/Tokyo" });
      expect(scheduler.get(name as string)).toMatchObject({
        timeZone: "Asia/Tokyo",
        shared: false,
      });
    }
    expect(call(db, "honker_scheduler_unregister('a')")).toBe(1);
    expect(scheduler.list().map(({ name }) => name)).toEqual(["b"]);
  });

  it("are fired beside a leader of Honker's: only those that it leaves alone", async () => {
    const clock = new FakeClock(Date.now());
    const db = tempDatabase({ extension: "require", clock });
    const scheduler = db.scheduler();
    scheduler.add("shared", "@every 10s", { queue: "q" });
    scheduler.add("ours", "@every 10s", { queue: "q", missed: "once" });
    expect(call(db, "honker_lock_acquire('honker-scheduler', 'python', 3600)")).toBe(1);
    scheduler.start();
    clock.advance(10_000);
    db.execute("DELETE FROM _honker_notifications");
    const names = (): unknown[] =>
      db
        .rows("SELECT alk_headers FROM _honker_live ORDER BY id")
        .map(([headers]) => JSON.parse(String(headers)).schedule);
    await eventually("ours fired", () => names().length === 1);
    expect(names()).toEqual(["ours"]);
    expect(call(db, "honker_lock_release('honker-scheduler', 'python')")).toBe(1);
    await eventually("the shared one fired", () => names().length === 2);
    expect(names()).toEqual(["ours", "shared"]);
    await scheduler.stop();
  });

  it("fire in the native binding's process and are claimed here", async () => {
    const db = tempDatabase({ extension: "require" });
    db.scheduler().add("a", "@every 1h", { queue: "q", payload: { from: "here" } });
    const peer = await startNativePeer(db.path);
    await peer.scalar("SELECT honker_scheduler_tick(?)", [now + 1.5 * HOUR]);
    const claimed = db.queue("q").claimBatch("w", 5);
    expect(claimed.map(({ payload }) => payload)).toEqual([{ from: "here" }]);
    await peer.scalar(
      "SELECT honker_scheduler_register('b', 'q', '@every 1h', '\"there\"', 0, NULL)",
    );
    expect(
      db
        .scheduler()
        .tick(now + 1.5 * HOUR)
        .map(({ name }) => name),
    ).toEqual(["b"]);
  });
});
