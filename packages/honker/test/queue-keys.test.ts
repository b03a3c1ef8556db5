import type { Database, Job } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";

const READY = `SELECT count(*) FROM _honker_live INDEXED BY _honker_live_claim
  WHERE queue = 'q' AND claim_expires_at IS NULL AND alk_parked IS NULL`;

describe.each(engineModes)("M6: limits and order per key $mode", ({ extension }) => {
  function setup(): { db: Database; clock: FakeClock } {
    const clock = new FakeClock();
    return { db: tempDatabase({ extension, clock }), clock };
  }
  const payloads = (jobs: readonly Job<string>[]): string[] => jobs.map((job) => job.payload);

  it("run at most so many jobs of a key, in one claim and over several", () => {
    const { db } = setup();
    const queue = db.queue<string>("q", { concurrencyPerKey: 2 });
    queue.enqueueMany(["a1", "a2", "a3", "a4"], { key: "a" });
    queue.enqueueMany(["b1"], { key: "b" });
    queue.enqueue("free");
    const first = queue.claimBatch("w", 10);
    expect(payloads(first)).toEqual(["a1", "a2", "b1", "free"]);
    expect(queue.claimBatch("other", 10)).toEqual([]);
    first[0]?.ack();
    expect(payloads(queue.claimBatch("other", 10))).toEqual(["a3"]);
    first[1]?.retry(60);
    expect(payloads(queue.claimBatch("other", 10))).toEqual(["a4"]);
  });

  it("a freed slot goes to the best job of the key, also one that came later", () => {
    const { db } = setup();
    const queue = db.queue<string>("q", { concurrencyPerKey: 1 });
    const low = ["1", "2", "3"].map((payload) => queue.enqueue(payload, { key: "a" }));
    const job = queue.claimOne("w");
    expect(queue.claimOne("w")).toBeNull();
    queue.enqueue("urgent", { key: "a", priority: 5 });
    job?.ack();
    expect(queue.claimOne("w")?.payload).toBe("urgent");
    expect(queue.claimOne("w")).toBeNull();
    expect(low).toHaveLength(3);
  });

  it.each(["ack", "fail", "cancel", "expire", "raw delete"])(
    "a slot is freed however its job ends: %s",
    (end) => {
      const { db, clock } = setup();
      const queue = db.queue<string>("q", {
        concurrencyPerKey: 1,
        visibilityTimeoutSeconds: 10,
        maxAttempts: 1,
      });
      queue.enqueueMany(["1", "2"], { key: "a" });
      const job = queue.claimOne("w");
      expect(queue.claimOne("w")).toBeNull();
      if (end === "ack") job?.ack();
      if (end === "fail") job?.fail();
      if (end === "cancel") queue.cancel(job?.id as number);
      if (end === "expire") clock.advance(20_000);
      if (end === "raw delete") db.execute("DELETE FROM _honker_live WHERE id = ?", [job?.id ?? 0]);
      expect(queue.claimOne("w")?.payload).toBe("2");
    },
  );

  it("a busy key with a long backlog does not slow the others down", () => {
    const { db } = setup();
    const queue = db.queue<string>("q", { concurrencyPerKey: 1 });
    queue.enqueueMany(Array(20_000).fill("busy"), { key: "busy", priority: 1 });
    expect(queue.claimOne("w")?.payload).toBe("busy");
    queue.enqueueMany(Array(100).fill("free"));
    expect(queue.claimOne("w")?.payload).toBe("free");
    const parked = "SELECT count(*) FROM _honker_live WHERE alk_parked IS NOT NULL";
    expect(db.rows(parked)).toEqual([[19_999]]);
    // what was walked over once has left the index that claims read
    expect(queue.claimBatch("w", 99)).toHaveLength(99);
    expect(db.rows(READY)).toEqual([[0]]);
  });

  it("in strict order, a job waits for every earlier one of its key, retries included", () => {
    const { db, clock } = setup();
    const queue = db.queue<string>("q", { strictOrderPerKey: true });
    queue.enqueue("1", { key: "a" });
    queue.enqueue("2", { key: "a", priority: 9 });
    queue.enqueue("3", { key: "a" });
    queue.enqueue("x", { key: "b" });
    const [first, other] = queue.claimBatch("w", 10);
    expect([first?.payload, other?.payload]).toEqual(["1", "x"]);
    first?.retry(60);
    expect(queue.claimOne("w")).toBeNull();
    clock.advance(60_000);
    const again = queue.claimOne("w");
    expect(again?.payload).toBe("1");
    again?.fail();
    const second = queue.claimOne("w");
    expect(second?.payload).toBe("2");
    second?.ack();
    expect(queue.claimOne("w")?.payload).toBe("3");
  });

  it("in strict order, a delayed first job holds the rest back", () => {
    const { db, clock } = setup();
    const queue = db.queue<string>("q", { strictOrderPerKey: true });
    queue.enqueue("1", { key: "a", delaySeconds: 10 });
    queue.enqueue("2", { key: "a" });
    expect(queue.claimOne("w")).toBeNull();
    clock.advance(10_000);
    expect(payloads(queue.claimBatch("w", 5))).toEqual(["1"]);
  });

  it("a redriven job takes its old place, and never runs beside another of its key", () => {
    const { db } = setup();
    const queue = db.queue<string>("q", { strictOrderPerKey: true });
    queue.enqueueMany(["1", "2", "3"], { key: "a" });
    queue.claimOne("w")?.fail();
    const second = queue.claimOne("w");
    queue.dead.redrive();
    expect(queue.claimOne("w")).toBeNull();
    second?.ack();
    expect(queue.claimOne("w")?.payload).toBe("1");
  });

  it.each(["its claim runs out", "it is retried", "it is given back by its worker"])(
    "in strict order, a redriven job older than the running one is next when %s",
    async (end) => {
      const { db, clock } = setup();
      const queue = db.queue<string>("q", {
        strictOrderPerKey: true,
        visibilityTimeoutSeconds: 2,
      });
      queue.enqueueMany(["1", "2"], { key: "a" });
      queue.enqueue("urgent", { key: "a", priority: 1 });
      queue.claimOne("w")?.fail();
      const redrive = (): void => {
        queue.dead.redrive();
        expect(queue.claimOne("w")).toBeNull();
      };
      if (end === "it is given back by its worker") {
        const { promise, resolve } = Promise.withResolvers<void>();
        const worker = queue.work(() => promise, { concurrency: 1, stopTimeoutMs: 0 });
        await eventually("it runs", () => queue.stats().running === 1);
        redrive();
        await worker.stop();
        resolve();
      } else {
        const second = queue.claimOne("w");
        expect(second?.payload).toBe("2");
        redrive();
        if (end === "it is retried") second?.retry(0);
        else clock.advance(3_000);
      }
      expect(queue.claimOne("w")?.payload).toBe("1");
    },
  );

  it("a sweep frees the oldest job of a key that nobody brought back", () => {
    const { db, clock } = setup();
    const queue = db.queue<string>("q", { strictOrderPerKey: true });
    queue.enqueue("1", { key: "a" });
    queue.enqueue("urgent", { key: "a", priority: 1 });
    db.execute("UPDATE _honker_live SET alk_parked = 1");
    clock.advance(6_000);
    expect(queue.claimOne("w")?.payload).toBe("1");
  });

  it("a raised limit, or none, lets held back jobs run after the next sweep", () => {
    const { db } = setup();
    db.queue<string>("q").enqueueMany(["1", "2", "3", "4"], { key: "a" });
    const strict = db.queue<string>("q", { concurrencyPerKey: 1 });
    expect(payloads(strict.claimBatch("w", 9))).toEqual(["1"]);
    const wider = db.queue<string>("q", { concurrencyPerKey: 3 });
    expect(payloads(wider.claimBatch("w", 9))).toEqual(["2", "3"]);
    expect(payloads(db.queue<string>("q").claimBatch("w", 9))).toEqual(["4"]);
  });

  it("other handles see the limit at once: it is counted in the file", () => {
    const { db } = setup();
    const one = db.queue<string>("q", { concurrencyPerKey: 1 });
    const two = db.queue<string>("q", { concurrencyPerKey: 1 });
    one.enqueueMany(["1", "2"], { key: "a" });
    expect(one.claimOne("w")).not.toBeNull();
    expect(two.claimOne("v")).toBeNull();
  });
});
