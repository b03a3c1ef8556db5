import type { Database } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M6: claim and claimWaker $mode", ({ extension }) => {
  const setup = (): Database => tempDatabase({ extension });

  it("refuses a worker without a name", () => {
    const queue = setup().queue("q");
    expect(codeOf(() => queue.claim(""))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => queue.claimOne(""))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => queue.claimBatch("w", -1))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => queue.claimBatch("w", 1.5))).toBe("INVALID_ARGUMENT");
  });

  it("works as the design document writes it", async () => {
    const queue = setup().queue<{ keyVersion: number }>("key-rotation");
    queue.enqueue({ keyVersion: 2 }, { priority: 3 });
    const waker = queue.claimWaker("rotator-1");
    for await (const job of waker) {
      expect(job).toMatchObject({ payload: { keyVersion: 2 }, workerId: "rotator-1" });
      expect(job.ack()).toBe(true);
      break;
    }
    expect(queue.stats()).toMatchObject({ pending: 0, running: 0 });
  });

  it("works as upstream writes it: next(worker), null after close()", async () => {
    const queue = setup().queue("q");
    const waker = queue.claimWaker({ idlePollS: null });
    const waiting = waker.next("w-1");
    queue.enqueue("hello");
    expect(await waiting).toMatchObject({ payload: "hello", workerId: "w-1" });
    const last = waker.next("w-2");
    waker.close();
    expect(await last).toBeNull();
    expect(await waker.next("w-2")).toBeNull();
  });

  it("yields jobs as they come, each to one of two claimers", async () => {
    const queue = setup().queue<number>("q");
    const got: number[] = [];
    const claimers = ["a", "b"].map(async (worker) => {
      for await (const job of queue.claim(worker)) {
        got.push(job.payload);
        job.ack();
        if (got.length >= 20) break;
      }
    });
    for (let i = 0; i < 21; i++) {
      queue.enqueue(i);
      await Promise.resolve();
    }
    await Promise.all(claimers);
    expect(new Set(got).size).toBe(got.length);
  });

  it("waits for a delayed job by itself, with no wake", async () => {
    const queue = setup().queue("q");
    const start = Date.now();
    queue.enqueue("later", { delayMs: 60 });
    const { value } = await queue.claim("w").next();
    expect(value?.payload).toBe("later");
    expect(Date.now() - start).toBeGreaterThanOrEqual(60);
  });

  it("waits for the end of a lost claim by itself", async () => {
    const queue = setup().queue("q", { visibilityTimeoutSeconds: 1 });
    queue.enqueue("work");
    queue.claimOne("dead");
    const { value } = await queue.claim("w").next();
    expect(value?.attempts).toBe(2);
  });

  it("does not see a job of an open transaction, and gets it at the commit", async () => {
    const db = setup();
    const queue = db.queue("q");
    const next = queue.claim("w").next();
    const tx = db.transaction();
    queue.enqueueTx(tx, "in doubt");
    await new Promise((resolve) => setImmediate(resolve));
    expect(queue.stats().running).toBe(0);
    tx.commit();
    expect((await next).value?.payload).toBe("in doubt");
  });

  it("ends with its signal, with return(), and with the database", async () => {
    const db = setup();
    const queue = db.queue("q");
    const controller = new AbortController();
    const ended = [
      queue.claim("a", { signal: controller.signal }).next(),
      queue.claimWaker({ signal: controller.signal }).next("b"),
    ];
    controller.abort();
    expect(await Promise.all(ended)).toEqual([{ done: true, value: undefined }, null]);
    const returned = queue.claim("c");
    await returned.return();
    expect((await returned.next()).done).toBe(true);
    const closed = queue.claim("d").next();
    db.close();
    expect((await closed).done).toBe(true);
  });

  it("waits while the queue is paused", async () => {
    const queue = setup().queue("q");
    queue.enqueue(1);
    queue.pause();
    const next = queue.claim("w").next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(queue.stats().running).toBe(0);
    queue.resume();
    expect((await next).value?.payload).toBe(1);
  });

  it("an empty queue, and one with 20,000 delayed jobs, is found empty without the write lock", () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const queue = db.queue("q");
    queue.enqueueMany(Array(20_000).fill(0), { delaySeconds: 60, priority: 3 });
    queue.claimOne("w");
    const changes = (): unknown => db.rows("SELECT total_changes()")[0]?.[0];
    const before = changes();
    for (let i = 0; i < 100; i++) expect(queue.claimOne("w")).toBeNull();
    expect(changes()).toBe(before);
    queue.enqueue("now");
    expect(queue.claimOne("w")?.payload).toBe("now");
  });

  it("walks through priorities whose jobs are all delayed", () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const queue = db.queue("q");
    for (let priority = 1; priority <= 50; priority++) {
      queue.enqueue(priority, { priority, delaySeconds: 60 });
    }
    queue.enqueueMany(["a", "b"], { priority: -3 });
    expect(queue.claimBatch("w", 9).map((job) => job.payload)).toEqual(["a", "b"]);
  });

  it("a clock set back by a day neither loses jobs nor stops sweeping", async () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const queue = db.queue("q", { visibilityTimeoutSeconds: 5 });
    queue.enqueue("before");
    queue.claimOne("w");
    clock.advance(-86_400_000);
    queue.enqueue("after");
    expect(queue.claimOne("w")?.payload).toBe("after");
    clock.advance(86_400_000 + 6_000);
    await eventually("the first comes back", () => queue.claimOne("w")?.payload === "before");
  });
});
