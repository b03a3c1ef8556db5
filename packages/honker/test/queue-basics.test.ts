import type { Database, HonkerError, StandardSchemaV1 } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M6: queues $mode", ({ extension }) => {
  function setup(): { db: Database; clock: FakeClock } {
    const clock = new FakeClock();
    return { db: tempDatabase({ extension, clock }), clock };
  }
  const jobs = (db: Database): number =>
    db.rows("SELECT count(*) FROM _honker_live")[0]?.[0] as number;

  it.each([
    ["a priority that is a fraction", { priority: 1.5 }],
    ["a priority that is NaN", { priority: Number.NaN }],
    ["a priority of 2^53", { priority: 2 ** 53 }],
    ["no attempts", { maxAttempts: 0 }],
    ["negative attempts", { maxAttempts: -1 }],
    ["a negative delay", { delaySeconds: -1 }],
    ["an endless delay", { delayMs: Number.POSITIVE_INFINITY }],
    ["a run time in milliseconds where seconds are meant", { runAt: Date.now() * 1_000 }],
    ["an invalid date", { runAt: new Date("nonsense") }],
    ["two run times", { runAt: 5, delaySeconds: 5 }],
    ["a negative expiry", { expiresSeconds: -1 }],
    ["an empty key", { key: "" }],
    ["an empty unique key", { unique: { key: "" } }],
    ["an unknown scope", { unique: { key: "k", scope: "always" as never } }],
    ["a window of nothing", { unique: { key: "k", scope: { windowSeconds: 0 } } }],
    ["an unknown conflict rule", { unique: { key: "k", onConflict: "drop" as never } }],
    ["a backoff function for one job", { backoff: (() => 1) as never }],
    ["an unknown backoff", { backoff: { kind: "linear" } as never }],
    [
      "a backoff that shrinks",
      { backoff: { kind: "exponential", baseMs: 1, factor: 0.5 } as const },
    ],
    ["a header that is no string", { headers: { a: 1 as never } }],
  ])("refuses %s before anything is written", (_, options) => {
    const { db } = setup();
    const queue = db.queue("q");
    expect(codeOf(() => queue.enqueue(1, options))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => queue.enqueueMany([1, 2], options))).toBe("INVALID_ARGUMENT");
    expect(jobs(db)).toBe(0);
  });

  it.each([
    ["an empty name", "", {}],
    ["a visibility timeout of nothing", "q", { visibilityTimeoutSeconds: 0 }],
    ["a visibility timeout with a fraction", "q", { visibilityTimeoutS: 0.5 }],
    ["no attempts", "q", { maxAttempts: 0 }],
    ["a limit of nothing per key", "q", { concurrencyPerKey: 0 }],
    ["strict order with several at a time", "q", { strictOrderPerKey: true, concurrencyPerKey: 2 }],
    ["a history of no entries", "q", { historyRetention: { maxCount: 0 } }],
    ["a schema that is none", "q", { schema: {} as never }],
    ["an upcast that is no function", "q", { upcast: 1 as never }],
    ["a backoff that is none", "q", { backoff: "slow" as never }],
  ])("refuses a queue with %s", (_, name, options) => {
    const { db } = setup();
    expect(codeOf(() => db.queue(name, options))).toBe("INVALID_ARGUMENT");
  });

  it.each([
    ["undefined", undefined],
    ["a bigint", 1n],
    ["NaN", { n: Number.NaN }],
    ["a Map", new Map()],
    ["a function", () => 1],
  ])("refuses %s as a payload, and a batch with one writes none of it", (_, payload) => {
    const { db } = setup();
    expect(codeOf(() => db.queue("q").enqueue(payload))).toBe("INVALID_PAYLOAD");
    expect(codeOf(() => db.queue("q").enqueueMany([1, payload]))).toBe("INVALID_PAYLOAD");
    expect(jobs(db)).toBe(0);
  });

  it("takes every JSON payload: null, empty, deep, 2^53 - 1, a megabyte", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const payloads = [null, "", 0, [], {}, { a: [{ b: null }] }, 2 ** 53 - 1, "x".repeat(1 << 20)];
    const ids = queue.enqueueMany(payloads);
    expect(ids).toEqual(payloads.map((__, i) => (ids[0] as number) + i));
    expect(queue.claimBatch("w", 100).map((job) => job.payload)).toEqual(payloads);
  });

  it("writes batches of any size whole, with consecutive ids", () => {
    const { db } = setup();
    const queue = db.queue<number>("q");
    for (const size of [0, 1, 99, 100, 101, 250]) {
      const ids = queue.enqueueMany(Array.from({ length: size }, (_, i) => i));
      expect(ids).toHaveLength(size);
      expect(queue.claimBatch("w", 1_000).map(({ id }) => id)).toEqual(ids);
    }
  });

  it("claims by priority, then run time, then order of enqueueing", () => {
    const { db, clock } = setup();
    const queue = db.queue<string>("q");
    queue.enqueue("late", { runAt: new Date(clock.now() - 1_000) });
    queue.enqueue("low", { priority: -1 });
    queue.enqueue("first");
    queue.enqueue("second");
    queue.enqueue("high", { priority: 9 });
    queue.enqueue("not yet", { priority: 99, delaySeconds: 60 });
    db.queue("other").enqueue("other queue", { priority: 100 });
    const order = ["high", "late", "first", "second", "low"];
    expect(queue.claimBatch("w", 2).map((job) => job.payload)).toEqual(order.slice(0, 2));
    expect(queue.claimOne("w")?.payload).toBe("first");
    expect(queue.claimBatch("w", 10).map((job) => job.payload)).toEqual(order.slice(3));
    expect(queue.claimOne("w")).toBeNull();
  });

  it.each([
    ["delayMs", { delayMs: 250 }, 250],
    ["delaySeconds", { delaySeconds: 1.5 }, 1_500],
    ["upstream's delay", { delay: 2 }, 2_000],
    ["nothing", { delay: null, runAt: null, expires: null }, 0],
  ])("keeps a job back for %s to the millisecond, and Honker to the second", (_, options, ms) => {
    const { db, clock } = setup();
    clock.advance(123);
    const queue = db.queue("q");
    const id = queue.enqueue(1, options);
    const start = clock.now();
    const [runAt] = db.rows("SELECT run_at FROM _honker_live WHERE id = ?", [id])[0] as [number];
    expect(runAt * 1_000).toBeGreaterThanOrEqual(Math.floor((start + ms) / 1_000) * 1_000);
    if (ms > 0) {
      clock.advance(ms - 1);
      expect(queue.claimOne("w")).toBeNull();
      clock.advance(1);
      expect(runAt * 1_000).toBeGreaterThanOrEqual(clock.now());
    }
    expect(queue.claimOne("w")?.id).toBe(id);
  });

  it("takes a run time as a Date and as seconds", () => {
    const { db, clock } = setup();
    const queue = db.queue("q");
    const at = clock.now() + 1_234;
    queue.enqueue("date", { runAt: new Date(at) });
    queue.enqueue("seconds", { runAt: at / 1_000 });
    clock.set(at - 1);
    expect(queue.claimBatch("w", 2)).toEqual([]);
    clock.set(at);
    expect(queue.claimBatch("w", 2).map((job) => [job.payload, job.runAt])).toEqual([
      ["date", at / 1_000],
      ["seconds", at / 1_000],
    ]);
  });

  it("acknowledges once, and only for the worker that holds the claim", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue({ n: 1 });
    const job = queue.claimOne("w");
    expect(queue.ackBatch([id], "thief")).toBe(0);
    expect(job?.ack()).toBe(true);
    expect(job?.ack()).toBe(false);
    expect(job?.retry()).toBe(false);
    expect(job?.fail("x")).toBe(false);
    expect(job?.heartbeat()).toBe(false);
    expect(queue.get(id)).toBeNull();
    expect(queue.history(id)).toMatchObject([{ outcome: "completed", attempt: 1, workerId: "w" }]);
  });

  it("acknowledges batches and says how many were held", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const ids = queue.enqueueMany([1, 2, 3]);
    queue.claimBatch("w", 2);
    expect(queue.ackBatch(ids, "w")).toBe(2);
    expect(queue.ackBatch([], "w")).toBe(0);
    expect(queue.ackBatch([9_999], "w")).toBe(0);
    expect(queue.stats().pending).toBe(1);
  });

  it("gives a job of an expired claim to another worker, and refuses the first one's word", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", { visibilityTimeoutSeconds: 30 });
    const id = queue.enqueue("work");
    const slow = queue.claimOne("slow");
    clock.advance(30_000);
    expect(queue.claimOne("quick")).toBeNull();
    clock.advance(1_000);
    expect(slow?.ack()).toBe(false);
    const second = queue.claimOne("quick");
    expect(second).toMatchObject({ id, attempts: 2, workerId: "quick" });
    expect([slow?.ack(), slow?.retry(), slow?.fail(), slow?.heartbeat()]).toEqual(
      Array(4).fill(false),
    );
    expect(second?.ack()).toBe(true);
    expect(queue.history(id).map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
  });

  it("tells two claims of one worker apart", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", { visibilityTimeoutSeconds: 1 });
    queue.enqueue("work");
    const first = queue.claimOne("w");
    clock.advance(2_000);
    const second = queue.claimOne("w");
    expect(second?.attempts).toBe(2);
    expect(first?.ack()).toBe(false);
    expect(second?.ack()).toBe(true);
  });

  it("a heartbeat keeps a claim, also for a time of its own", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", { visibilityTimeoutSeconds: 10 });
    queue.enqueue("work");
    const job = queue.claimOne("w");
    clock.advance(9_000);
    expect(job?.heartbeat()).toBe(true);
    expect(job?.claimExpiresAt).toBe(clock.now() / 1_000 + 10);
    expect(job?.heartbeat(100)).toBe(true);
    clock.advance(100_000);
    expect(queue.claimOne("other")).toBeNull();
    expect(job?.ack()).toBe(true);
  });

  it("retries with the delay given, the job's backoff, or the queue's", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", { maxAttempts: 9, backoff: (attempt) => attempt * 10_000 });
    const id = queue.enqueue("own", { backoff: { kind: "fixed", delayMs: 500 } });
    const other = queue.enqueue("queue's");
    const [own, theirs] = queue.claimBatch("w", 2);
    expect(own?.retry(null, new TypeError("no"))).toBe(true);
    expect(theirs?.retry()).toBe(true);
    expect(queue.get(id)?.runAt).toBe((clock.now() + 500) / 1_000);
    expect(queue.get(other)?.runAt).toBe((clock.now() + 10_000) / 1_000);
    expect(queue.history(id)).toMatchObject([{ outcome: "retried", error: "TypeError: no" }]);
    clock.advance(10_000);
    const [again] = queue.claimBatch("w", 2);
    expect(again?.retry(0.25)).toBe(true);
    expect(queue.get(id)?.runAt).toBe((clock.now() + 250) / 1_000);
  });

  it("a backoff function that fails delays the job by a minute and is reported", () => {
    const clock = new FakeClock();
    const reported: unknown[] = [];
    const db = tempDatabase({ extension, clock, onError: (error) => reported.push(error) });
    const queue = db.queue("q", { backoff: () => Number.NaN });
    const id = queue.enqueue(1);
    expect(queue.claimOne("w")?.retry()).toBe(true);
    expect(queue.get(id)?.runAt).toBe(clock.now() / 1_000 + 60);
    expect(reported).toHaveLength(1);
  });

  it("grows exponential waits to their cap, less the jitter", () => {
    const { db, clock } = setup();
    const backoff = { kind: "exponential", baseMs: 1_000, maxMs: 5_000, jitter: 0.5 } as const;
    const queue = db.queue("q", { maxAttempts: 50, backoff });
    const id = queue.enqueue(1);
    for (const full of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      expect(queue.claimOne("w")?.retry()).toBe(true);
      const wait = (queue.get(id)?.runAt as number) * 1_000 - clock.now();
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
      clock.advance(full);
    }
  });

  it("makes a dead letter of a job without attempts left, by errors or by lost claims", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", {
      visibilityTimeoutSeconds: 1,
      backoff: { kind: "fixed", delayMs: 0 },
    });
    const failing = queue.enqueue("fails", { maxAttempts: 2 });
    expect(queue.claimOne("w")?.retry(0, "first")).toBe(true);
    expect(queue.claimOne("w")?.retry(0, new Error("second"))).toBe(true);
    const lost = queue.enqueue("lost", { maxAttempts: 1 });
    queue.claimOne("w");
    clock.advance(2_000);
    expect(queue.claimOne("w")).toBeNull();
    expect(queue.dead.list()).toMatchObject([
      { id: failing, reason: "attempts-exhausted", error: "second", attempts: 2, payload: "fails" },
      { id: lost, reason: "attempts-exhausted", error: "max attempts exceeded", attempts: 1 },
    ]);
    expect(queue.history(failing).map(({ outcome, error }) => [outcome, error])).toEqual([
      ["retried", "first"],
      ["dead", "second"],
    ]);
  });

  it("fails a job for good, whatever attempts are left", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue("x", { key: "k", priority: 4 });
    expect(queue.claimOne("w")?.fail({ status: 410 })).toBe(true);
    expect(queue.dead.get(id)).toMatchObject({
      reason: "failed",
      error: '{"status":410}',
      key: "k",
      priority: 4,
    });
    expect(queue.dead.get(id + 1)).toBeNull();
  });

  it("jobs that nobody claimed in time become dead letters, when claiming and when sweeping", () => {
    const { db, clock } = setup();
    const queue = db.queue("q");
    const first = queue.enqueue(1, { expiresSeconds: 5 });
    clock.advance(5_000);
    expect(queue.claimOne("w")).toBeNull();
    const second = queue.enqueue(2, { expires: 5, delaySeconds: 60 });
    expect(queue.sweep()).toBe(0);
    clock.advance(5_000);
    expect(queue.sweepExpired()).toBe(1);
    expect(queue.dead.list().map(({ id, reason }) => [id, reason])).toEqual([
      [first, "expired"],
      [second, "expired"],
    ]);
  });

  it("a claim gets past any number of expired jobs", () => {
    const { db, clock } = setup();
    const queue = db.queue("q");
    queue.enqueueMany(Array(5_000).fill("old"), { expiresSeconds: 1, priority: 1 });
    clock.advance(2_000);
    const id = queue.enqueue("new");
    expect(queue.claimOne("w")?.id).toBe(id);
    expect(queue.dead.count()).toBe(5_000);
  });

  it("lists dead letters in pages, puts them back with their ids, and purges", () => {
    const { db, clock } = setup();
    const queue = db.queue("q");
    const ids = queue.enqueueMany([1, 2, 3, 4, 5], { priority: 2, key: "k", headers: { a: "b" } });
    for (const job of queue.claimBatch("w", 5)) job.fail("no");
    expect(queue.dead.list({ limit: 2 }).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(queue.dead.list({ limit: 2, afterId: ids[1] as number })).toHaveLength(2);
    expect(queue.dead.redrive([ids[0] as number, 777])).toBe(1);
    const back = queue.claimOne("w");
    expect(back).toMatchObject({
      id: ids[0],
      attempts: 1,
      priority: 2,
      key: "k",
      headers: { a: "b" },
    });
    expect(queue.history(ids[0] as number).map(({ outcome }) => outcome)).toEqual([
      "dead",
      "redriven",
    ]);
    clock.advance(60_000);
    expect(queue.dead.purge({ olderThanSeconds: 61 })).toBe(0);
    expect(queue.dead.purge({ ids: [ids[1] as number] })).toBe(1);
    expect(db.queue("other").dead.purge()).toBe(0);
    expect(queue.dead.redrive()).toBe(3);
    expect(queue.dead.count()).toBe(0);
    expect(codeOf(() => queue.dead.redrive([0]))).toBe("INVALID_ARGUMENT");
  });

  it("redrives more than one transaction's worth", () => {
    const { db } = setup();
    const queue = db.queue("q", { historyRetention: false });
    queue.enqueueMany(Array(2_500).fill(0));
    for (const job of queue.claimBatch("w", 2_500)) job.fail();
    expect(queue.dead.redrive()).toBe(2_500);
    expect(queue.stats()).toMatchObject({ pending: 2_500, dead: 0 });
  });

  it("cancels waiting and running jobs once", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const waiting = queue.enqueue(1, { delaySeconds: 60 });
    const running = queue.enqueue(2);
    const job = queue.claimOne("w");
    expect(db.queue("other").cancel(running)).toBe(false);
    expect([queue.cancel(waiting), queue.cancel(running), queue.cancel(running)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(job?.ack()).toBe(false);
    expect(queue.history(running)).toMatchObject([{ outcome: "cancelled", attempt: 1 }]);
  });

  it("pauses and resumes, in every handle of the queue", () => {
    const { db } = setup();
    const queue = db.queue("q");
    queue.enqueue(1);
    queue.pause();
    queue.pause();
    expect([queue.paused, db.queue("q").paused, db.queue("other").paused]).toEqual([
      true,
      true,
      false,
    ]);
    expect(db.queue("q").claimBatch("w", 5)).toEqual([]);
    db.queue("q").resume();
    expect(queue.claimOne("w")).not.toBeNull();
  });

  it("counts jobs by state", () => {
    const { db, clock } = setup();
    const queue = db.queue("q");
    expect(queue.stats()).toEqual({
      pending: 0,
      ready: 0,
      delayed: 0,
      running: 0,
      dead: 0,
      oldestReadySeconds: null,
      paused: false,
    });
    queue.enqueueMany([1, 2, 3]);
    queue.enqueue(4, { delayMs: 500 });
    queue.claimOne("w");
    queue.claimOne("w")?.fail();
    clock.advance(400);
    expect(queue.stats()).toMatchObject({ pending: 2, ready: 1, delayed: 1, running: 1, dead: 1 });
    clock.advance(9_600);
    expect(queue.stats()).toMatchObject({ ready: 2, delayed: 0, oldestReadySeconds: 10 });
  });

  it("commits and rolls back with the transaction around it", () => {
    const { db } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue("old");
    expect(() =>
      db.transaction((tx) => {
        queue.enqueueTx(tx, "never");
        queue.claimOne("w")?.ackTx(tx);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(queue.get(id)).toMatchObject({ state: "pending", attempts: 0 });
    expect(queue.stats().pending).toBe(1);
    const ended = db.transaction((tx) => tx);
    expect(codeOf(() => queue.enqueueTx(ended, 1))).toBe("TRANSACTION_STATE");
    const other = tempDatabase({ extension });
    other.transaction((tx) => {
      expect(codeOf(() => queue.enqueueTx(tx, 1))).toBe("TRANSACTION_STATE");
    });
  });

  it("refuses every call once the database is closed", () => {
    const { db } = setup();
    const queue = db.queue("q");
    queue.enqueue(1);
    const job = queue.claimOne("w");
    db.close();
    for (const call of [
      () => queue.enqueue(1),
      () => queue.enqueueMany([]),
      () => queue.claimOne("w"),
      () => queue.claim("w"),
      () => queue.work(() => undefined),
      () => queue.dead.list(),
      () => queue.stats(),
      () => queue.paused,
      () => queue.sweep(),
      () => job?.ack(),
      () => job?.heartbeat(),
      () => db.queue("q"),
    ]) {
      expect(codeOf(call)).toBe("CLOSED");
    }
  });

  it("prunes history by itself while jobs are claimed", () => {
    const { db } = setup();
    const queue = db.queue("q", { historyRetention: { maxCount: 100 } });
    queue.enqueueMany(Array(5_001).fill(0));
    db.transaction((tx) => {
      for (const job of queue.claimBatch("w", 5_000)) job.ackTx(tx);
    });
    queue.claimOne("w");
    expect(db.rows("SELECT count(*) FROM _alk_job_history")).toEqual([[100]]);
  });

  it("keeps history as long as it is told to, or none", () => {
    const { db, clock } = setup();
    const queue = db.queue("q", { historyRetention: { maxCount: 3, maxAgeSeconds: 60 } });
    const ids = queue.enqueueMany([1, 2, 3, 4, 5]);
    for (const job of queue.claimBatch("w", 5)) job.ack();
    expect(queue.pruneHistory()).toBe(2);
    expect(queue.history(ids[1] as number)).toEqual([]);
    expect(queue.history(ids[2] as number)).toHaveLength(1);
    clock.advance(61_000);
    expect(queue.pruneHistory()).toBe(3);
    const silent = db.queue("silent", { historyRetention: false });
    const id = silent.enqueue(1);
    silent.claimOne("w")?.ack();
    expect(silent.history(id)).toEqual([]);
  });

  describe("payload schemas", () => {
    const even: StandardSchemaV1<number, { half: number }> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          typeof value === "number" && value % 2 === 0
            ? { value: { half: value / 2 } }
            : { issues: [{ message: "must be even", path: ["n"] }] },
      },
    };

    it("are checked when a job is enqueued, and transform when it is claimed", () => {
      const { db } = setup();
      const queue = db.queue("q", { schema: even });
      expect(codeOf(() => queue.enqueue(3))).toBe("INVALID_PAYLOAD");
      expect(() => queue.enqueue(3)).toThrow(/n: must be even/);
      queue.enqueue(4);
      expect(queue.claimOne("w")?.payload.half).toBe(2);
    });

    it("send what no longer fits to the dead letters with the reason, and go on", () => {
      const { db } = setup();
      const id = db.queue("q").enqueue(3);
      db.queue("q").enqueue(4);
      const queue = db.queue("q", { schema: even });
      expect(queue.claimOne("w")?.payload).toEqual({ half: 2 });
      expect(queue.dead.get(id)).toMatchObject({ reason: "invalid-payload", payload: 3 });
      expect(queue.dead.get(id)?.error).toContain("must be even");
    });

    it("see what upcast makes of an older payload; one that throws makes a dead letter", () => {
      const { db } = setup();
      db.queue("q").enqueueMany([{ v: 1, n: 6 }, "broken"]);
      const upcast = (payload: unknown): unknown => {
        if (payload === "broken") throw new Error("no such version");
        return (payload as { n: number }).n;
      };
      const queue = db.queue("q", { schema: even, upcast });
      expect(queue.claimBatch("w", 5).map((job) => job.payload)).toEqual([{ half: 3 }]);
      expect(queue.dead.list()[0]?.error).toBe("upcast failed: no such version");
    });

    it("that cannot be used gives the jobs it was asked about back", () => {
      const { db } = setup();
      const id = db.queue("q").enqueue(1);
      const schema: StandardSchemaV1<number> = {
        "~standard": { version: 1, vendor: "t", validate: async () => ({ value: 1 }) },
      };
      expect(codeOf(() => db.queue("q", { schema }).claimOne("w"))).toBe("INVALID_ARGUMENT");
      expect(db.queue("q").get(id)).toMatchObject({ state: "pending", attempts: 0 });
    });

    it("must answer synchronously", () => {
      const { db } = setup();
      const schema: StandardSchemaV1<number> = {
        "~standard": { version: 1, vendor: "t", validate: async () => ({ value: 1 }) },
      };
      expect(codeOf(() => db.queue("q", { schema }).enqueue(1))).toBe("INVALID_ARGUMENT");
    });
  });

  it("shows jobs in the order in which they run, without claiming them", () => {
    const { db } = setup();
    const queue = db.queue("q");
    queue.enqueueMany(["low", "second"]);
    queue.enqueue("first", { priority: 5 });
    queue.enqueue("later", { delaySeconds: 60 });
    db.queue("other").enqueue("not here");
    const running = queue.claimOne("w");
    expect(queue.jobs().map(({ payload, state }) => [payload, state])).toEqual([
      ["first", "processing"],
      ["low", "pending"],
      ["second", "pending"],
      ["later", "pending"],
    ]);
    expect(queue.jobs({ limit: 1 })).toEqual([queue.get(running?.id ?? 0)]);
    expect(queue.jobs({ limit: 0 })).toEqual([]);
    const plan = db.rows(
      `EXPLAIN QUERY PLAN SELECT payload FROM _honker_live WHERE queue = 'q'
        ORDER BY claim_expires_at DESC, alk_parked, priority DESC, alk_ready_at_ms, id LIMIT 1`,
    );
    expect(String(plan.map((row) => row.at(-1)))).not.toContain("TEMP B-TREE");
    expect(codeOf(() => queue.jobs({ limit: -1 }))).toBe("INVALID_ARGUMENT");
  });

  it("tells what failed, on which job or queue, and what to do", () => {
    const { db } = setup();
    try {
      db.queue("mail").enqueue({ at: { big: 1n } });
      expect.unreachable();
    } catch (error) {
      expect((error as HonkerError).message).toContain('payload for queue "mail" at .at.big');
    }
  });
});
