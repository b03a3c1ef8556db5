import { type Database, HonkerError, type Job, type JobContext, open } from "@alkdev/honker";
import { engineModes, eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M6: work $mode", ({ extension }) => {
  interface Setup {
    readonly db: Database;
    readonly reported: unknown[];
  }
  function setup(): Setup {
    const reported: unknown[] = [];
    const db = tempDatabase({ extension, onError: (error) => reported.push(error) });
    return { db, reported };
  }
  /** A promise and the function that resolves it. */
  function gate(): { opened: Promise<void>; open: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { opened: promise, open: resolve };
  }

  it.each([
    ["no handler", undefined, {}],
    ["no concurrency", () => 1, { concurrency: 0 }],
    ["concurrency with a fraction", () => 1, { concurrency: 1.5 }],
    ["an empty batch", () => 1, { batchSize: 0 }],
    ["a negative prefetch", () => 1, { prefetch: -1 }],
    ["a negative stop timeout", () => 1, { stopTimeoutMs: -1 }],
    ["an empty name", () => 1, { worker: "" }],
  ])("refuses %s", (_, handler, options) => {
    const { db } = setup();
    expect(codeOf(() => db.queue("q").work(handler as never, options as never))).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("does every job once, never more at a time than it may, sync and async handlers", async () => {
    const { db, reported } = setup();
    const queue = db.queue<number>("q");
    queue.enqueueMany(Array.from({ length: 1_000 }, (_, i) => i));
    const done: number[] = [];
    let now = 0;
    let most = 0;
    await using worker = queue.work(
      (job) => {
        if (job.payload % 3 === 0) return void done.push(job.payload);
        now += 1;
        most = Math.max(most, now);
        return Promise.resolve().then(() => {
          now -= 1;
          done.push(job.payload);
        });
      },
      { concurrency: 7 },
    );
    await eventually("all are done", () => done.length === 1_000);
    await worker.stop();
    expect(new Set(done).size).toBe(1_000);
    expect(most).toBeLessThanOrEqual(7);
    expect(queue.stats()).toMatchObject({ pending: 0, running: 0, dead: 0 });
    expect(reported).toEqual([]);
  });

  it("starts a job that is enqueued while it is idle", async () => {
    const { db } = setup();
    const queue = db.queue<string>("q");
    const got: string[] = [];
    await using _worker = queue.work((job) => void got.push(job.payload));
    queue.enqueue("a");
    await eventually("a came", () => got.length === 1);
    db.transaction((tx) => queue.enqueueTx(tx, "b"));
    queue.enqueue("c", { delayMs: 30 });
    await eventually("all came", () => got.length === 3);
    expect(got).toEqual(["a", "b", "c"]);
  });

  it("retries what throws, sync or async, then makes it a dead letter with the error", async () => {
    const { db } = setup();
    const queue = db.queue<string>("q", { maxAttempts: 3, backoff: { kind: "fixed", delayMs: 1 } });
    const ids = [queue.enqueue("sync"), queue.enqueue("async")];
    await using _worker = queue.work((job) => {
      const error = new RangeError(`${job.payload} ${job.attempts}`);
      if (job.payload === "sync") throw error;
      return Promise.reject(error);
    });
    await eventually("both are dead", () => queue.dead.count() === 2);
    expect(queue.dead.list().map(({ error, attempts }) => [error, attempts])).toEqual(
      expect.arrayContaining([
        ["RangeError: sync 3", 3],
        ["RangeError: async 3", 3],
      ]),
    );
    for (const id of ids) {
      const outcomes = queue.history(id).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(["retried", "retried", "dead"]);
    }
  });

  it("a handler may end its job itself", async () => {
    const { db, reported } = setup();
    const queue = db.queue<string>("q");
    queue.enqueueMany(["ack", "fail", "retry"]);
    await using _worker = queue.work((job) => {
      if (job.payload === "ack") job.ack();
      if (job.payload === "fail") job.fail("by hand");
      if (job.payload === "retry") job.retry(60);
    });
    await eventually("all ended", () => queue.stats().delayed === 1 && queue.dead.count() === 1);
    expect(queue.stats()).toMatchObject({ pending: 1, running: 0, dead: 1 });
    expect(reported).toEqual([]);
  });

  it("complete() commits effect, follow-up and end of the job together", async () => {
    const { db } = setup();
    db.execute("CREATE TABLE effects (n INTEGER)");
    const queue = db.queue<number>("q");
    const follow = db.queue<number>("follow");
    const id = queue.enqueue(7);
    await using _worker = queue.work((job, { complete }) =>
      complete((tx) => {
        tx.execute("INSERT INTO effects VALUES (?)", [job.payload]);
        follow.enqueueTx(tx, job.payload + 1);
        return { doubled: job.payload * 2 };
      }),
    );
    expect(await db.waitResult(id)).toEqual({ doubled: 14 });
    expect(db.rows("SELECT n FROM effects")).toEqual([[7]]);
    expect(follow.claimOne("w")?.payload).toBe(8);
    expect(queue.get(id)).toBeNull();
  });

  it("complete() that throws undoes everything, and the job is tried again", async () => {
    const { db } = setup();
    db.execute("CREATE TABLE effects (n INTEGER)");
    const queue = db.queue("q", { backoff: { kind: "fixed", delayMs: 1 } });
    queue.enqueue(1);
    await using _worker = queue.work((job, { complete }) =>
      complete((tx) => {
        tx.execute("INSERT INTO effects VALUES (?)", [job.attempts]);
        if (job.attempts === 1) throw new Error("half-way");
      }),
    );
    await eventually("it is done", () => queue.stats().pending + queue.stats().running === 0);
    expect(db.rows("SELECT n FROM effects")).toEqual([[2]]);
  });

  it("complete() of a lost claim throws LEASE_LOST and writes nothing", async () => {
    const { db } = setup();
    db.execute("CREATE TABLE effects (n INTEGER)");
    const queue = db.queue("q");
    const id = queue.enqueue(1);
    const codes: unknown[] = [];
    await using _worker = queue.work((job, { complete }) => {
      queue.cancel(job.id);
      try {
        complete((tx) => void tx.execute("INSERT INTO effects VALUES (1)"));
      } catch (error) {
        codes.push((error as HonkerError).code);
      }
    });
    await eventually("it was refused", () => codes.length === 1);
    expect(codes).toEqual(["LEASE_LOST"]);
    expect(db.rows("SELECT n FROM effects")).toEqual([]);
    expect(queue.get(id)).toBeNull();
  });

  it("a result that JSON cannot hold makes a dead letter that says so", async () => {
    const { db } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue(1);
    await using _worker = queue.work(() => 1n);
    await eventually("it is dead", () => queue.dead.count() === 1);
    expect(queue.dead.get(id)?.error).toContain(`result of job ${id} of queue "q" is a bigint`);
  });

  it("cancel aborts the signal of the running handler", async () => {
    const { db, reported } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue(1);
    let reason: unknown;
    const started = gate();
    await using worker = queue.work(async (_, { signal }) => {
      started.open();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      reason = signal.reason;
    });
    await started.opened;
    queue.cancel(id);
    await eventually("it was aborted", () => reason);
    expect(reason).toBeInstanceOf(HonkerError);
    expect((reason as HonkerError).code).toBe("LEASE_LOST");
    await worker.stop();
    expect(reported).toEqual([]);
  });

  it("renews claims of handlers that take longer than the visibility timeout", async () => {
    const { db } = setup();
    const queue = db.queue("q", { visibilityTimeoutSeconds: 1 });
    const id = queue.enqueue(1);
    const runs: number[] = [];
    const slow = gate();
    const handler = async (job: Job): Promise<void> => {
      runs.push(job.attempts);
      await slow.opened;
    };
    await using _one = queue.work(handler, { worker: "one" });
    await using _two = queue.work(handler, { worker: "two" });
    const first = await eventually("it runs", () => queue.get(id)?.claimExpiresAt);
    await eventually("it was renewed", () => (queue.get(id)?.claimExpiresAt as number) > first + 1);
    slow.open();
    await eventually("it is done", () => queue.get(id) === null);
    expect(runs).toEqual([1]);
  });

  it("reports progress to others", async () => {
    const { db } = setup();
    const queue = db.queue("q");
    const id = queue.enqueue(1);
    const hold = gate();
    await using _worker = queue.work(async (_, { progress }) => {
      progress({ percent: 40 });
      await hold.opened;
    });
    await eventually("progress is seen", () => queue.get(id)?.progress);
    expect(queue.get(id)?.progress).toEqual({ percent: 40 });
    hold.open();
  });

  it("stop waits for running handlers, gives back the rest, and resolves once", async () => {
    const { db } = setup();
    const queue = db.queue<number>("q");
    queue.enqueueMany([1, 2, 3, 4, 5]);
    const hold = gate();
    const started: number[] = [];
    const worker = queue.work(
      async (job) => {
        started.push(job.payload);
        await hold.opened;
      },
      { concurrency: 2 },
    );
    await eventually("two run", () => started.length === 2);
    const stopped = worker.stop();
    expect(worker.stop()).toBe(stopped);
    hold.open();
    await stopped;
    expect(started).toEqual([1, 2]);
    expect(queue.stats()).toMatchObject({ pending: 3, running: 0 });
    expect(queue.claimBatch("w", 9).map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  it("stop aborts handlers after its timeout; what they were doing is given back, not failed", async () => {
    const { db } = setup();
    const queue = db.queue("q", { maxAttempts: 1 });
    const id = queue.enqueue(1);
    const started = gate();
    const worker = queue.work(
      (_, { signal }) => {
        started.open();
        return new Promise((__, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
      { stopTimeoutMs: 0 },
    );
    await started.opened;
    await worker.stop();
    expect(queue.get(id)).toMatchObject({ state: "pending", attempts: 0 });
    expect(queue.history(id)).toMatchObject([{ outcome: "released" }]);
  });

  it("stop resolves although a handler never ends, and refuses what it still tries", async () => {
    const { db } = setup();
    db.execute("CREATE TABLE effects (n INTEGER)");
    const queue = db.queue("q");
    const id = queue.enqueue(1);
    let context: JobContext | undefined;
    const worker = queue.work(
      (_, given) => {
        context = given;
        return new Promise(() => undefined);
      },
      { stopTimeoutMs: 0 },
    );
    await eventually("it runs", () => context);
    await worker.stop();
    expect(worker.running).toBe(0);
    expect(queue.get(id)?.state).toBe("pending");
    expect(codeOf(() => context?.complete())).toBe("LEASE_LOST");
    expect(context?.signal.aborted).toBe(true);
  });

  it("stops with its signal, also one that is already aborted, and with the database", async () => {
    const { db } = setup();
    const queue = db.queue("q");
    const controller = new AbortController();
    const worker = queue.work(() => undefined, { signal: controller.signal });
    controller.abort();
    await worker.stopped;
    await queue.work(() => undefined, { signal: controller.signal }).stopped;
    const id = queue.enqueue(1);
    const started = gate();
    let aborted = false;
    const last = queue.work((_, { signal }) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      started.open();
      return new Promise(() => undefined);
    });
    await started.opened;
    using again = open(db.path);
    db.close();
    await last.stopped;
    expect(aborted).toBe(true);
    expect(again.queue("q").get(id)?.state).toBe("pending");
  });

  it("gives the handler batches, and ends what it has not ended itself", async () => {
    const { db } = setup();
    const queue = db.queue<number>("q", { backoff: { kind: "fixed", delayMs: 60_000 } });
    queue.enqueueMany([1, 2, 3, 4, 5]);
    const sizes: number[] = [];
    await using _worker = queue.work(
      (jobs) => {
        sizes.push(jobs.length);
        jobs.find((job) => job.payload === 2)?.fail("not this one");
        if (jobs.some((job) => job.payload === 5)) throw new Error("again");
      },
      { batchSize: 3 },
    );
    await eventually("all were handled", () => queue.stats().running === 0 && sizes.length === 2);
    expect(sizes).toEqual([3, 2]);
    expect(queue.stats()).toMatchObject({ pending: 2, delayed: 2, dead: 1 });
  });

  it("complete() of a batch ends all its jobs in one transaction", async () => {
    const { db } = setup();
    db.execute("CREATE TABLE effects (n INTEGER)");
    const queue = db.queue<number>("q");
    queue.enqueueMany([1, 2, 3]);
    await using _worker = queue.work(
      (jobs, { complete }) => {
        jobs[1]?.fail("skip");
        complete((tx) => void tx.execute("INSERT INTO effects VALUES (?)", [jobs.length]));
      },
      { batchSize: 10 },
    );
    await eventually("it is done", () => db.rows("SELECT n FROM effects").length === 1);
    expect(queue.stats()).toMatchObject({ pending: 0, running: 0, dead: 1 });
  });

  it("works while transactions are open here, and none of its writes are undone with them", async () => {
    const { db } = setup();
    const queue = db.queue<number>("q");
    queue.enqueueMany([1, 2, 3]);
    const tx = db.transaction();
    const done: number[] = [];
    await using _worker = queue.work((job) => void done.push(job.payload));
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual([]);
    tx.rollback();
    await eventually("all are done", () => queue.stats().pending + queue.stats().running === 0);
    expect(done).toEqual([1, 2, 3]);
  });

  it("slow handlers keep no job from another worker", async () => {
    const { db } = setup();
    const queue = db.queue<string>("q");
    queue.enqueueMany(Array(300).fill("quick"));
    const hold = gate();
    let quick = 0;
    await using _slow = queue.work(
      async (job) => {
        if (job.payload === "quick") quick += 1;
        else await hold.opened;
      },
      { concurrency: 2 },
    );
    await eventually("it is warm", () => quick === 300);
    queue.enqueueMany(Array(100).fill("slow"));
    await eventually("they are given back", () => queue.stats().running === 2);
    expect(queue.stats().pending).toBe(98);
    hold.open();
  });

  it("acknowledges a group of jobs that have a history already", async () => {
    const { db, reported } = setup();
    const queue = db.queue<number>("q");
    const ids = queue.enqueueMany(Array.from({ length: 120 }, (_, i) => i));
    for (const job of queue.claimBatch("w", 60)) job.fail("broken");
    expect(queue.dead.redrive()).toBe(60);
    await using _worker = queue.work(() => undefined, { concurrency: 120 });
    await eventually("all are done", () => queue.stats().pending + queue.stats().running === 0);
    const outcomes = ids.map((id) => queue.history(id).map(({ outcome }) => outcome));
    expect(outcomes.slice(0, 60)).toEqual(Array(60).fill(["dead", "redriven", "completed"]));
    expect(outcomes.slice(60)).toEqual(Array(60).fill(["completed"]));
    expect(reported).toEqual([]);
  });

  it("a failing schema of one job does not end the worker", async () => {
    const { db } = setup();
    db.queue("q").enqueueMany(["bad", "good"]);
    const upcast = (payload: unknown): unknown => {
      if (payload === "bad") throw new Error("unreadable");
      return payload;
    };
    const got: unknown[] = [];
    await using _worker = db.queue("q", { upcast }).work((job) => void got.push(job.payload));
    await eventually("the good one came", () => got.length === 1);
    expect(got).toEqual(["good"]);
  });
});
