import { eventually, tempDatabase } from "@alkdev/testkit";
import { importBullMq } from "@alkdev/transfer";
import { type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { REDIS_URL, uniqueName } from "./services.ts";

/** A queue of BullMQ of its own, gone when the test ends. */
function bullQueue(): { name: string; queue: Queue; connection: { url: string } } {
  const name = uniqueName("transfer-queue");
  const connection = { url: REDIS_URL };
  const queue = new Queue(name, { connection });
  onTestFinished(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
  });
  return { name, queue, connection };
}

/** Works on jobs until it is closed. */
function bullWorker(
  name: string,
  connection: { url: string },
  handler: (job: Job) => Promise<unknown>,
): Worker {
  const worker = new Worker(name, handler, { connection });
  onTestFinished(() => worker.close(true));
  return worker;
}

const options = (name: string) => ({ url: REDIS_URL, queue: name, db: tempDatabase() });

describe("importBullMq (M38)", () => {
  it("takes jobs in the order, and with the priority, in which BullMQ would run them", async () => {
    const { name, queue } = bullQueue();
    await queue.add("low", { n: 5 }, { priority: 20 });
    await queue.addBulk([0, 1, 2].map((n) => ({ name: "plain", data: { n } })));
    await queue.add("high", { n: 3 }, { priority: 1 });
    await queue.add("high", { n: 4 }, { priority: 1 });
    const into = options(name);
    const report = await importBullMq({ ...into, batchSize: 2 });
    expect(report.taken).toMatchObject({ waiting: 3, prioritized: 3, delayed: 0 });
    expect(report.left).toEqual([]);
    const jobs = into.db.queue<{ name: string; data: { n: number } }>(name).claimBatch("w", 10);
    expect(jobs.map(({ payload }) => payload.data.n)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(jobs[0]?.payload.name).toBe("plain");
  });

  it("takes what is delayed at its time, and attempts and backoff as they were", async () => {
    const { name, queue } = bullQueue();
    const before = Date.now();
    await queue.add("later", 1, {
      delay: 60_000,
      attempts: 7,
      backoff: { type: "exponential", delay: 250 },
    });
    await queue.add("next to last", 2, { attempts: 4, backoff: 5_000 });
    const into = options(name);
    const report = await importBullMq({ ...into, into: "mine", payload: ({ data }) => data });
    expect(report).toMatchObject({ queue: "mine", taken: { waiting: 1, delayed: 1 } });
    const mine = into.db.queue<number>("mine");
    const [now] = mine.claimBatch("w", 10);
    expect(now).toMatchObject({ payload: 2, maxAttempts: 4 });
    const rows = into.db.query<{ run_at: number; alk_backoff: string; max_attempts: number }>(
      "SELECT run_at, alk_backoff, max_attempts FROM _honker_live ORDER BY run_at DESC",
    );
    expect(rows[0]?.max_attempts).toBe(7);
    expect(JSON.parse(rows[0]?.alk_backoff ?? "")).toMatchObject({
      ...{ kind: "exponential", baseMs: 250, jitter: 0 },
    });
    expect(JSON.parse(rows[1]?.alk_backoff ?? "")).toEqual({ kind: "fixed", delayMs: 5_000 });
    expect((rows[0]?.run_at ?? 0) * 1_000).toBeGreaterThanOrEqual(before + 60_000);
    expect((rows[0]?.run_at ?? 0) * 1_000).toBeLessThan(Date.now() + 62_000);
  });

  it("makes dead letters of what failed, with the error and the attempts", async () => {
    const { name, queue, connection } = bullQueue();
    await queue.add("bad", { to: "nobody" }, { attempts: 2 });
    const worker = bullWorker(name, connection, async () => {
      throw new Error("550 no such user");
    });
    await eventually("the job has failed", async () => (await queue.getFailedCount()) === 1);
    await worker.close();
    const into = options(name);
    expect((await importBullMq(into)).taken.failed).toBe(1);
    const [dead] = into.db.queue(name).dead.list();
    expect(dead).toMatchObject({
      ...{ error: "550 no such user", attempts: 2, maxAttempts: 2, reason: "failed" },
      payload: { name: "bad", data: { to: "nobody" } },
    });
    expect(into.db.queue(name).dead.redrive()).toBe(1);
    expect(into.db.queue(name).claimOne("w")?.id).toBe(dead?.id);
  });

  it("takes each job once, also when it was done here between two calls", async () => {
    const { name, queue } = bullQueue();
    await queue.add("first", 1);
    const into = options(name);
    await importBullMq(into);
    into.db.queue(name).claimOne("w")?.ack();
    await queue.add("second", 2);
    const report = await importBullMq(into);
    expect(report).toMatchObject({ known: 1, taken: { waiting: 1 } });
    expect(into.db.queue(name).stats().pending).toBe(1);
  });

  it("leaves active jobs to their worker unless it is told to take them", async () => {
    const { name, queue, connection } = bullQueue();
    const { promise, resolve } = Promise.withResolvers<void>();
    const job = await queue.add("long", 1);
    const worker = bullWorker(name, connection, () => promise);
    await eventually("the job runs", async () => (await queue.getActiveCount()) === 1);
    const into = options(name);
    const left = { id: job.id, state: "active", reason: "a worker of BullMQ has it" };
    expect((await importBullMq(into)).left).toEqual([left]);
    expect(into.db.queue(name).stats().pending).toBe(0);
    expect((await importBullMq({ ...into, takeActive: true })).taken.active).toBe(1);
    expect(into.db.queue(name).stats().pending).toBe(1);
    resolve();
    await worker.close();
  });

  it("reports schedules, and leaves the job that a schedule made", async () => {
    const { name, queue } = bullQueue();
    await queue.upsertJobScheduler(
      "nightly",
      { pattern: "0 3 * * *", tz: "Europe/Berlin" },
      { name: "clean" },
    );
    await queue.upsertJobScheduler("often", { every: 3_600_000 });
    const report = await importBullMq(options(name));
    expect(report.schedules).toHaveLength(2);
    expect(report.schedules.find(({ key }) => key === "nightly")).toMatchObject({
      ...{ name: "clean", pattern: "0 3 * * *", timeZone: "Europe/Berlin", everyMs: null },
    });
    expect(report.schedules.find(({ key }) => key === "often")?.everyMs).toBe(3_600_000);
    const taken = Object.values(report.taken).reduce((sum, count) => sum + count, 0);
    expect(taken + report.left.length).toBeGreaterThan(0);
    expect(report.left.every(({ reason }) => reason.includes("schedule"))).toBe(true);
  });

  it("takes what waits in a paused queue, and reports what it cannot read", async () => {
    const { name, queue } = bullQueue();
    await queue.pause();
    await queue.addBulk([1, 2, 3].map((n) => ({ name: "n", data: n })));
    const redis = new Redis(REDIS_URL);
    onTestFinished(() => redis.disconnect());
    const [broken] = await queue.getJobs(["wait"]);
    await redis.hset(`bull:${name}:${broken?.id}`, "data", "{broken");
    const report = await importBullMq(options(name));
    expect(report.taken.waiting).toBe(2);
    expect(report.left).toEqual([
      { id: broken?.id, state: "waiting", reason: expect.stringContaining("JSON") },
    ]);
  });

  it("says that there is no such queue", async () => {
    await expect(importBullMq(options("nothing-here"))).rejects.toMatchObject({
      code: "SOURCE_SHAPE",
    });
    const nowhere = { ...options("x"), url: "redis://127.0.0.1:1" };
    await expect(importBullMq(nowhere)).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  });
});
