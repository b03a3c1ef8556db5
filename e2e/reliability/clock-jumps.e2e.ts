import { type Database, type OpenOptions, open } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rounds } from "./report.ts";

const DAY = 86_400_000;
const RUNS = rounds("ALKDEV_CLOCK_RUNS", 25);

describe.each(engineModes)("M6: a clock that jumps by days $mode", ({ extension }) => {
  const opened = (options: OpenOptions = {}): { db: Database; clock: FakeClock } => {
    const clock = new FakeClock();
    return { clock, db: tempDatabase({ extension, clock, ...options }) };
  };

  it("loses no job and does none twice, wherever it jumps", () => {
    const step = fc.oneof(
      fc.constantFrom("enqueue", "claim", "finish", "retry", "sweep"),
      fc.constantFrom(-DAY, DAY, 1_000),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = new FakeClock();
        const db = open(":memory:", { extension, clock });
        try {
          db.execute("CREATE TABLE effects (seq INTEGER PRIMARY KEY)");
          const queue = db.queue<number>("work", {
            visibilityTimeoutSeconds: 30,
            maxAttempts: 1_000,
          });
          const held: NonNullable<ReturnType<typeof queue.claimOne>>[] = [];
          let enqueued = 0;
          const finish = (): void => {
            const job = held.shift();
            if (job === undefined) return;
            db.transaction((tx) => {
              if (job.ackTx(tx)) tx.execute("INSERT INTO effects VALUES (?)", [job.payload]);
            });
          };
          const claim = (): boolean => {
            const job = queue.claimOne("w");
            if (job !== null) held.push(job);
            return job !== null;
          };
          for (const what of steps) {
            if (typeof what === "number") clock.advance(what);
            else if (what === "enqueue") queue.enqueue(++enqueued);
            else if (what === "claim") claim();
            else if (what === "finish") finish();
            else if (what === "retry") held.shift()?.retry(1);
            else queue.sweep();
          }
          clock.set(Date.UTC(2027, 0, 1));
          while (claim()) finish();
          while (held.length > 0) finish();
          expect(db.rows("SELECT count(*) FROM effects")).toEqual([[enqueued]]);
          expect(queue.stats()).toMatchObject({ pending: 0, running: 0, dead: 0 });
        } finally {
          db.close();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("lets a claim run out at once when it jumps ahead, and refuses the late worker", () => {
    const { db, clock } = opened();
    const queue = db.queue<string>("work", { visibilityTimeoutSeconds: 60 });
    queue.enqueue("a");
    const first = queue.claimOne("first");
    clock.advance(DAY);
    const second = queue.claimOne("second");
    expect(second?.payload).toBe("a");
    expect(first?.ack()).toBe(false);
    expect(second?.ack()).toBe(true);
  });

  it("keeps a claim when it jumps back, so that no second worker starts", () => {
    const { db, clock } = opened();
    const queue = db.queue<string>("work", { visibilityTimeoutSeconds: 60 });
    queue.enqueue("a");
    const first = queue.claimOne("first");
    clock.advance(-DAY);
    expect(queue.claimOne("second")).toBeNull();
    expect(first?.ack()).toBe(true);
  });

  it("does not change the order or the offsets of a stream", async () => {
    const { db, clock } = opened();
    const events = db.stream<number>("events");
    const jumps = [0, DAY, -2 * DAY, DAY, 5_000, -DAY];
    jumps.forEach((jump, index) => {
      clock.advance(jump);
      events.publish(index);
    });
    const seen: [number, number][] = [];
    for await (const event of events.subscribe("reader")) {
      seen.push([event.offset, event.payload]);
      if (seen.length === jumps.length) break;
    }
    expect(seen).toEqual(jumps.map((_, index) => [index + 1, index]));
  });

  it("never lets two owners write under one lock, and tokens only grow", () => {
    const { db, clock } = opened();
    const tokens: number[] = [];
    let holder = db.tryLock("leader", "a", 60);
    for (const [owner, jump] of [
      ["b", DAY],
      ["c", -DAY],
      ["d", DAY],
      ["e", -2 * DAY],
      ["f", 3 * DAY],
    ] as const) {
      const before = holder;
      clock.advance(jump);
      const taken = db.tryLock("leader", owner, 60);
      if (taken === null) {
        expect(before?.held).toBe(true);
        continue;
      }
      expect(before?.held).toBe(false);
      expect(taken.held).toBe(true);
      expect(taken.token).toBeGreaterThan(Math.max(0, before?.token ?? 0, ...tokens));
      tokens.push(taken.token);
      holder = taken;
    }
    expect(tokens.length).toBeGreaterThan(1);
  });

  it("keeps listeners going, and prunes no notification that is younger than its retention", async () => {
    const { db, clock } = opened({ notifications: { maxAgeSeconds: 3_600 } });
    const listener = db.listen<number>("news");
    db.notify("news", 1);
    clock.advance(-DAY);
    db.notify("news", 2);
    expect(db.pruneNotifications()).toBe(0);
    expect((await listener.next()).value?.payload).toBe(1);
    clock.advance(2 * DAY);
    db.notify("news", 3);
    expect(db.pruneNotifications()).toBe(2);
    db.notify("news", 4);
    // read before it was pruned
    expect((await listener.next()).value?.payload).toBe(2);
    expect((await listener.next()).value?.payload).toBe(3);
    expect((await listener.next()).value?.payload).toBe(4);
    listener.close();
  });

  it("fires each slot of a schedule once, also when a slot comes again", () => {
    const { db, clock } = opened();
    const scheduler = db.scheduler();
    scheduler.add("hourly", "0 * * * *", { queue: "ticks", payload: null, timeZone: "UTC" });
    const slots: string[] = [];
    const tick = (): void => {
      scheduler.tick();
      const queue = db.queue("ticks");
      for (const job of queue.claimBatch("w", 1_000)) {
        const { scheduledFor = "" } = job.headers;
        slots.push(scheduledFor);
        job.ack();
      }
    };
    for (const jump of [3_600_000, 3_600_000, -DAY, 3_600_000, DAY, 3_600_000, DAY]) {
      clock.advance(jump);
      tick();
    }
    // what was due at the wrong time waits for the right one
    clock.advance(2 * DAY);
    tick();
    expect(slots.length).toBeGreaterThan(3);
    expect(new Set(slots).size).toBe(slots.length);
    expect(slots).toEqual(slots.toSorted());
  });

  it("is found by the doctor", async () => {
    const { db, clock } = opened();
    db.queue("work").enqueue(1);
    db.stream("events").publish(1);
    clock.advance(-DAY);
    const { findings } = await db.doctor({ integrity: false });
    expect(findings.map(({ code, details: { table } }) => [code, table])).toEqual([
      ["CLOCK_SKEW", "_honker_live"],
      ["CLOCK_SKEW", "_honker_stream"],
    ]);
  });
});
