import { type Database, HonkerError } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M10: job results $mode", ({ extension }) => {
  function setup(): { db: Database; clock: FakeClock } {
    const clock = new FakeClock();
    return { db: tempDatabase({ extension, clock }), clock };
  }
  const codeOfRejection = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => "resolved",
      (error: unknown) => (error instanceof HonkerError ? error.code : error),
    );

  it("refuses bad ids, times and values", async () => {
    const { db } = setup();
    expect(codeOf(() => db.saveResult(0, 1))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.saveResult(1, 1, -1))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.saveResult(1, undefined))).toBe("INVALID_PAYLOAD");
    expect(codeOf(() => db.getResult(1.5))).toBe("INVALID_ARGUMENT");
    expect(await codeOfRejection(db.waitResult(1, { timeoutMs: -1 }))).toBe("INVALID_ARGUMENT");
  });

  it("keeps the last value of a job for its time", () => {
    const { db, clock } = setup();
    expect(db.getResult(1)).toBeNull();
    db.saveResult(1, { rows: 3 }, 60);
    db.saveResult(1, { rows: 4 }, 60);
    db.saveResult(2, "for ever", 0);
    expect(db.getResult<{ rows: number }>(1)?.rows).toBe(4);
    clock.advance(60_000);
    expect(db.getResult(1)).toBeNull();
    clock.advance(10 ** 12);
    expect(db.getResult(2)).toBe("for ever");
    expect(db.sweepResults()).toBe(1);
  });

  it("is what a handler returns; null where it returns nothing", async () => {
    const { db } = setup();
    const queue = db.queue<number>("q");
    const [answer, nothing] = queue.enqueueMany([21, 0]) as [number, number];
    const waiting = [db.waitResult(answer), db.waitResult(nothing)];
    await using _worker = queue.work((job) => (job.payload === 0 ? undefined : job.payload * 2));
    expect(await Promise.all(waiting)).toEqual([42, null]);
    expect(db.getResult(answer)).toBe(42);
    expect(await db.waitResult(nothing)).toBeNull();
  });

  it("of a dead or cancelled job is an error that says why", async () => {
    const { db } = setup();
    const queue = db.queue<string>("q");
    const [dead, cancelled, late] = queue.enqueueMany(["dead", "cancelled", "late"]) as [
      number,
      number,
      number,
    ];
    const waiting = [dead, cancelled].map((id) => codeOfRejection(db.waitResult(id)));
    queue.claimOne("w")?.fail("no such address");
    queue.cancel(cancelled);
    expect(await Promise.all(waiting)).toEqual(["JOB_FAILED", "JOB_FAILED"]);
    await expect(db.waitResult(dead)).rejects.toThrow(/queue "q".*no such address/);
    queue.cancel(late);
    expect(await codeOfRejection(db.waitResult(late))).toBe("JOB_FAILED");
  });

  it("waiting ends with its time, its signal, and the database", async () => {
    const { db } = setup();
    const id = db.queue("q").enqueue(1);
    expect(await codeOfRejection(db.waitResult(id, { timeoutMs: 0 }))).toBe("TIMEOUT");
    expect(await codeOfRejection(db.waitResult(id, { timeoutMs: 5 }))).toBe("TIMEOUT");
    const controller = new AbortController();
    const aborted = codeOfRejection(db.waitResult(id, { signal: controller.signal }));
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    const closed = codeOfRejection(db.waitResult(id));
    db.close();
    expect(await closed).toBe("CLOSED");
  });

  it("does not count before the transaction that wrote it has committed", async () => {
    const { db } = setup();
    const id = db.queue("q").enqueue(1);
    const tx = db.transaction();
    db.saveResult(id, "in doubt");
    const result = db.waitResult(id);
    await new Promise((resolve) => setImmediate(resolve));
    tx.rollback();
    db.saveResult(id, "certain");
    expect(await result).toBe("certain");
  });
});

describe.each(engineModes)("M7: outbox $mode", ({ extension }) => {
  it("refuses a name or a deliverer that is none", () => {
    const db = tempDatabase({ extension });
    expect(codeOf(() => db.outbox("", () => 1))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.outbox("mails", undefined as never))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => db.outbox("mails", () => 1, { baseBackoffS: -1 }))).toBe(
      "INVALID_ARGUMENT",
    );
  });

  it("delivers what was committed, after the commit, and nothing that was rolled back", async () => {
    const db = tempDatabase({ extension });
    const delivered: unknown[] = [];
    const outbox = db.outbox<string>("mails", (payload, job) => {
      delivered.push([payload, db.inTransaction, job.attempts]);
    });
    expect(outbox.queue.name).toBe("_outbox:mails");
    await using _worker = outbox.work();
    expect(() =>
      db.transaction((tx) => {
        outbox.enqueueTx(tx, "rolled back");
        throw new Error("undo");
      }),
    ).toThrow("undo");
    db.transaction((tx) => outbox.enqueueTx(tx, "committed"));
    await eventually("it was delivered", () => delivered.length === 1);
    expect(delivered).toEqual([["committed", false, 1]]);
  });

  it("tries again with growing waits, then gives up; redriven, it is delivered", async () => {
    const db = tempDatabase({ extension });
    let up = false;
    const delivered: string[] = [];
    const outbox = db.outbox<string>(
      "mails",
      async (payload) => {
        if (!up) throw new Error("connection refused");
        delivered.push(payload);
      },
      { maxAttempts: 3, backoff: { kind: "exponential", baseMs: 1 } },
    );
    const id = outbox.enqueue("hello");
    await using _worker = outbox.work();
    await eventually("it was given up", () => outbox.dead.count() === 1);
    expect(outbox.dead.get(id)).toMatchObject({ error: "connection refused", attempts: 3 });
    up = true;
    outbox.dead.redrive();
    await eventually("it was delivered", () => delivered.length === 1);
  });

  it("waits 5 s, then 10 s, unless told otherwise", () => {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const { queue } = db.outbox("mails", () => undefined);
    const id = queue.enqueue(1);
    for (const seconds of [5, 10]) {
      queue.claimOne("w")?.retry();
      const wait = (queue.get(id)?.runAt as number) - clock.now() / 1_000;
      expect(wait).toBeGreaterThanOrEqual(seconds * 0.9);
      expect(wait).toBeLessThanOrEqual(seconds);
      clock.advance(seconds * 1_000);
    }
    expect(queue.maxAttempts).toBe(5);
  });

  it("runs as upstream writes it, until its signal is aborted", async () => {
    const db = tempDatabase({ extension });
    const delivered: unknown[] = [];
    const outbox = db.outbox("mails", (payload) => delivered.push(payload), { baseBackoffS: 1 });
    const controller = new AbortController();
    const running = outbox.runWorker("w-1", { signal: controller.signal });
    outbox.enqueue("x");
    await eventually("it was delivered", () => delivered.length === 1);
    controller.abort();
    await running;
    expect(delivered).toEqual(["x"]);
  });
});
