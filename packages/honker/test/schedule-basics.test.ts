import type { Database, ScheduleOptions, Scheduler } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Setup {
  readonly db: Database;
  readonly clock: FakeClock;
  readonly scheduler: Scheduler;
  readonly errors: unknown[];
}

/** Jobs of all queues as [payload, run time] in the order of their slots. */
function jobs(db: Database): unknown[] {
  return db.rows("SELECT payload, run_at FROM _honker_live ORDER BY run_at, id");
}

function fired(scheduler: Scheduler): string[] {
  return scheduler.tick().map(({ name, fireAt }) => `${name} ${fireAt.toISOString().slice(5, 16)}`);
}

describe.each(engineModes)("M9: schedules $mode", ({ extension }) => {
  function setup(): Setup {
    const clock = new FakeClock(START);
    const errors: unknown[] = [];
    const onError = (error: unknown): unknown => errors.push(error);
    const db = tempDatabase({ extension, clock, onError });
    return { db, clock, scheduler: db.scheduler(), errors };
  }

  it.each<[string, string, string, Partial<ScheduleOptions>]>([
    ["an empty name", "", "* * * * *", {}],
    ["a bad expression", "a", "* * * *", {}],
    ["no queue", "a", "* * * * *", { queue: "" }],
    ["an unknown zone", "a", "* * * * *", { timeZone: "Europe/Bern" }],
    ["half a priority", "a", "* * * * *", { priority: 0.5 }],
    ["no attempts", "a", "* * * * *", { maxAttempts: 0 }],
    ["no time to live", "a", "* * * * *", { expiresSeconds: 0 }],
    ["an unknown policy", "a", "* * * * *", { missed: "twice" as "once" }],
  ])("refuse %s before anything is written", (_, name, expression, options) => {
    const { db, scheduler } = setup();
    const add = (): unknown => scheduler.add(name, expression, { queue: "q", ...options });
    expect(codeOf(add)).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => scheduler.add(undefined as never, expression, { queue: "q" }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(codeOf(() => scheduler.add("a", "@daily", undefined as never))).toBe("INVALID_ARGUMENT");
    expect(db.rows("SELECT * FROM _honker_scheduler_tasks")).toEqual([]);
  });

  it("refuse a payload that is not JSON", () => {
    const { scheduler } = setup();
    const add = (): unknown => scheduler.add("a", "@daily", { queue: "q", payload: 1n });
    expect(codeOf(add)).toBe("INVALID_PAYLOAD");
  });

  it("are added as the seed writes it, and shown", () => {
    const { scheduler, db } = setup();
    const payload = { task: "cleanup-expired-graphs", olderThanDays: 90 };
    const added = scheduler.add("retention-cleanup", "0 3 * * *", {
      queue: "maintenance",
      payload,
    });
    expect(added).toEqual({
      name: "retention-cleanup",
      expression: "0 3 * * *",
      queue: "maintenance",
      payload,
      priority: 0,
      expiresSeconds: null,
      maxAttempts: 3,
      timeZone: "UTC",
      missed: "all",
      enabled: true,
      nextFireAt: new Date("2026-01-01T03:00:00Z"),
      shared: expect.any(Boolean),
    });
    expect(scheduler.get("retention-cleanup")).toEqual(added);
    expect(scheduler.list()).toEqual([added]);
    expect(scheduler.get("nothing")).toBeNull();
    expect(scheduler.soonest()).toBe(START / 1_000 + 3 * 3_600);
    expect(db.scheduler()).toBe(scheduler);
  });

  it("are added as Honker's Node binding writes it", () => {
    const { scheduler } = setup();
    const common = { queue: "q", payload: null };
    scheduler.add({ name: "a", schedule: "@every 10s", expiresS: 60, maxAttempts: 5, ...common });
    scheduler.add({ name: "b", cron: "0 9 * * MON", priority: 2, ...common });
    expect(scheduler.get("a")).toMatchObject({ expression: "@every 10s", expiresSeconds: 60 });
    expect(scheduler.get("b")).toMatchObject({ expression: "0 9 * * MON", priority: 2 });
    expect(scheduler.update("b", { cron: "0 8 * * MON", expiresS: 5 })).toBe(true);
    expect(scheduler.get("b")).toMatchObject({ expression: "0 8 * * MON", expiresSeconds: 5 });
  });

  it("make one job per slot, with everything the schedule says", () => {
    const { scheduler, db, clock } = setup();
    scheduler.add("nightly", "0 3 * * *", {
      queue: "maintenance",
      payload: { a: 1 },
      priority: 7,
      maxAttempts: 2,
      expiresSeconds: 600,
      timeZone: "Europe/Berlin",
    });
    clock.set(Date.UTC(2026, 0, 1, 1, 59, 59, 999));
    expect(scheduler.tick()).toEqual([]);
    clock.advance(1);
    const [slot] = scheduler.tick();
    expect(slot).toEqual({
      name: "nightly",
      queue: "maintenance",
      fireAt: new Date("2026-01-01T02:00:00Z"),
      jobId: expect.any(Number),
    });
    expect(scheduler.tick()).toEqual([]);
    const job = db.queue("maintenance").claimOne("w");
    expect(job).toMatchObject({
      id: slot?.jobId,
      payload: { a: 1 },
      priority: 7,
      maxAttempts: 2,
      headers: { schedule: "nightly", scheduledFor: "2026-01-01T02:00:00.000Z" },
    });
    expect(db.rows("SELECT expires_at - created_at FROM _honker_live")).toEqual([[600]]);
    expect(scheduler.get("nightly")?.nextFireAt).toEqual(new Date("2026-01-02T02:00:00Z"));
  });

  it("fire what several schedules owe, oldest slot first, and wake the queue", async () => {
    const { scheduler, db, clock } = setup();
    scheduler.add("b", "0 2 * * *", { queue: "q", payload: "b" });
    scheduler.add("a", "0 1 * * *", { queue: "q", payload: "a" });
    const claims = db.queue("q").claim("w");
    const first = claims.next();
    clock.advance(2 * HOUR);
    expect(fired(scheduler)).toEqual(["a 01-01T01:00", "b 01-01T02:00"]);
    expect((await first).value?.payload).toBe("a");
    claims.close();
  });

  it("keep their next run when they are added again unchanged, and their pause", () => {
    const { scheduler, clock } = setup();
    const add = (expression: string, timeZone = "UTC"): string | undefined => {
      scheduler.add("a", expression, { queue: "q", timeZone });
      return scheduler.get("a")?.nextFireAt.toISOString();
    };
    const first = add("@every 2h");
    clock.advance(HOUR);
    expect(add("@every 2h")).toBe(first);
    expect(add("@every 3h")).toBe(new Date(START + 4 * HOUR).toISOString());
    expect(add("0 12 * * *")).toBe("2026-01-01T12:00:00.000Z");
    expect(add("0 12 * * *", "Asia/Tokyo")).toBe("2026-01-01T03:00:00.000Z");
    scheduler.pause("a");
    add("0 12 * * *", "Asia/Tokyo");
    expect(scheduler.get("a")?.enabled).toBe(false);
    scheduler.add("a", "0 12 * * *", { queue: "q", enabled: true });
    expect(scheduler.get("a")?.enabled).toBe(true);
  });

  it("can be updated, one field at a time", () => {
    const { scheduler, clock } = setup();
    scheduler.add("a", "0 12 * * *", { queue: "q", payload: 1, expiresSeconds: 5 });
    clock.advance(13 * HOUR);
    expect(scheduler.update("a", { payload: 2, expiresSeconds: null, missed: "once" })).toBe(true);
    expect(scheduler.get("a")).toMatchObject({
      payload: 2,
      expiresSeconds: null,
      missed: "once",
      nextFireAt: new Date("2026-01-01T12:00:00Z"),
    });
    expect(scheduler.update("a", { expression: "0 14 * * *" })).toBe(true);
    expect(scheduler.get("a")?.nextFireAt).toEqual(new Date("2026-01-01T14:00:00Z"));
    expect(scheduler.update("b", { payload: 1 })).toBe(false);
    expect(codeOf(() => scheduler.update("a", { expression: "x" }))).toBe("INVALID_ARGUMENT");
    expect(scheduler.get("a")?.expression).toBe("0 14 * * *");
  });

  it("can be paused and go on with the next slot", () => {
    const { scheduler, clock } = setup();
    for (const [name, missed] of [
      ["here", "once"],
      ["shared", "all"],
    ] as const) {
      scheduler.add(name, "@every 1h", { queue: "q", missed });
      expect(scheduler.pause(name)).toBe(true);
      expect(scheduler.pause(name)).toBe(false);
    }
    clock.advance(10 * HOUR);
    expect(fired(scheduler)).toEqual([]);
    expect(scheduler.soonest()).toBeNull();
    for (const name of ["here", "shared"]) {
      expect(scheduler.resume(name)).toBe(true);
      expect(scheduler.resume(name)).toBe(false);
      expect(scheduler.get(name)?.nextFireAt).toEqual(new Date(START + 11 * HOUR));
    }
    expect(scheduler.pause("nothing")).toBe(false);
    expect(scheduler.resume("nothing")).toBe(false);
    expect(fired(scheduler)).toEqual([]);
  });

  it("can be removed", () => {
    const { scheduler, clock } = setup();
    scheduler.add("a", "@hourly", { queue: "q" });
    expect(scheduler.remove("a")).toBe(true);
    expect(scheduler.remove("a")).toBe(false);
    clock.advance(DAY);
    expect(fired(scheduler)).toEqual([]);
  });

  it("belong to the transaction they are added and fired in", () => {
    const { db, scheduler, clock } = setup();
    const undo = (work: () => void): void =>
      expect(() =>
        db.transaction(() => {
          work();
          throw new Error("undo");
        }),
      ).toThrow("undo");
    undo(() => scheduler.add("a", "@hourly", { queue: "q" }));
    expect(scheduler.list()).toEqual([]);
    scheduler.add("a", "@hourly", { queue: "q" });
    clock.advance(HOUR);
    undo(() => expect(fired(scheduler)).toHaveLength(1));
    expect(jobs(db)).toEqual([]);
    expect(fired(scheduler)).toHaveLength(1);
    expect(jobs(db)).toHaveLength(1);
  });

  describe("after nobody ran them for a while", () => {
    function down(missed: "all" | "once" | "skip", forMs: number): Setup {
      const made = setup();
      made.scheduler.add("a", "30 * * * *", { queue: "q", missed });
      made.clock.advance(forMs);
      return made;
    }

    it("make up each slot, at most 64 of them (all)", () => {
      const { scheduler, db, clock } = down("all", 3 * HOUR);
      expect(fired(scheduler)).toEqual(["a 01-01T00:30", "a 01-01T01:30", "a 01-01T02:30"]);
      expect(jobs(db)).toEqual([0, 1, 2].map((i) => ["null", (START + i * HOUR) / 1_000 + 1_800]));
      clock.advance(30 * DAY);
      expect(fired(scheduler)).toHaveLength(64);
      expect(fired(scheduler)).toEqual([]);
      expect(scheduler.get("a")?.nextFireAt).toEqual(new Date("2026-01-31T03:30:00Z"));
    });

    it("make one job for the newest slot (once)", () => {
      const { scheduler, clock } = down("once", 400 * DAY + 10 * 60_000);
      expect(fired(scheduler)).toEqual(["a 02-04T23:30"]);
      expect(fired(scheduler)).toEqual([]);
      clock.advance(HOUR);
      expect(fired(scheduler)).toEqual(["a 02-05T00:30"]);
    });

    it("make none, but for a slot that is hardly late (skip)", () => {
      const { scheduler, clock } = down("skip", 3 * HOUR);
      expect(fired(scheduler)).toEqual([]);
      expect(scheduler.get("a")?.nextFireAt).toEqual(new Date("2026-01-01T03:30:00Z"));
      clock.advance(HOUR / 2 + 120_000);
      expect(fired(scheduler)).toEqual(["a 01-01T03:30"]);
      clock.advance(HOUR + 1_000);
      expect(fired(scheduler)).toEqual([]);
    });

    it("keep the beat of @every", () => {
      const { scheduler, clock } = setup();
      scheduler.add("all", "@every 7m", { queue: "q", missed: "all" });
      scheduler.add("once", "@every 7m", { queue: "q", missed: "once" });
      clock.advance(2 * DAY + 1_000);
      expect(scheduler.tick()).toHaveLength(65);
      for (const name of ["all", "once"]) {
        const next = scheduler.get(name)?.nextFireAt.getTime() ?? 0;
        expect((next - START) % 420_000).toBe(0);
        expect(next - clock.now()).toBeLessThanOrEqual(420_000);
        expect(next).toBeGreaterThan(clock.now());
      }
    });
  });

  it("fire no slot twice when the clock goes back a day, and the missed ones when it goes on", () => {
    const { scheduler, clock } = setup();
    scheduler.add("a", "@daily", { queue: "q" });
    const seen: string[] = [];
    for (const jump of [DAY, -DAY, DAY, -DAY, HOUR, DAY, DAY, -3 * DAY, 4 * DAY]) {
      clock.advance(jump);
      seen.push(...fired(scheduler));
    }
    expect(seen).toEqual(["a 01-02T00:00", "a 01-03T00:00", "a 01-04T00:00"]);
  });

  it("that are broken are reported once and keep nobody else from firing", () => {
    const { db, scheduler, clock, errors } = setup();
    for (const [name, expression] of [
      ["bad", "nonsense"],
      ["fine", "0 * * * *"],
    ]) {
      db.execute(
        `INSERT INTO _honker_scheduler_tasks (name, queue, cron_expr, payload, next_fire_at)
         VALUES (?, 'q', ?, 'not json', ?)`,
        [name as string, expression as string, START / 1_000],
      );
    }
    expect(fired(scheduler)).toEqual(["fine 01-01T00:00"]);
    clock.advance(HOUR);
    expect(scheduler.tick()).toHaveLength(1);
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toContain("nonsense");
    expect(jobs(db)).toHaveLength(2);
  });

  it("tick at a time that is given, in seconds", () => {
    const { db, scheduler } = setup();
    scheduler.add("a", "@every 1s", { queue: "q" });
    expect(scheduler.tick(START / 1_000 + 5)).toHaveLength(5);
    expect(db.queue("q").claimBatch("w", 10)).toHaveLength(5);
    expect(codeOf(() => scheduler.tick(Number.NaN))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => scheduler.tick(1.5))).toBe("INVALID_ARGUMENT");
  });

  it("are refused by a closed database", () => {
    const { db, scheduler } = setup();
    db.close();
    for (const call of [
      () => scheduler.add("a", "@daily", { queue: "q" }),
      () => scheduler.list(),
      () => scheduler.tick(),
      () => scheduler.start(),
      () => db.scheduler(),
    ]) {
      expect(codeOf(call)).toBe("CLOSED");
    }
  });
});
