import { type Database, HonkerError, open, type Sequence, type Stream } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf } from "./code-of.ts";

/** The next `n` payloads; the last one is not yet processed. */
async function take<T>(sequence: Sequence<{ payload: T }>, n: number): Promise<T[]> {
  const payloads: T[] = [];
  while (payloads.length < n) {
    const { done, value } = await sequence.next();
    if (done) break;
    payloads.push(value.payload);
  }
  return payloads;
}

const MANUAL = { saveEveryN: 0, saveEverySeconds: 0 };

describe.each(engineModes)("M5: subscribing to a stream $mode", ({ extension }) => {
  const database = (clock = new FakeClock()) => tempDatabase({ extension, clock });
  const published = (count: number, clock = new FakeClock()): [Database, Stream<number>] => {
    const db = database(clock);
    const stream = db.stream<number>("orders");
    stream.publishMany(Array.from({ length: count }, (_, i) => i + 1));
    return [db, stream];
  };

  it("refuses bad options", () => {
    const [, stream] = published(1);
    const bad: [string, object][] = [
      ["", {}],
      ["a", { saveEveryN: -1 }],
      ["a", { saveEveryN: 1.5 }],
      ["a", { saveEverySeconds: Number.NaN }],
      ["a", { from: -1 }],
      ["a", { from: "middle" }],
      ["a", { from: new Date(Number.NaN) }],
      ["a", { filter: { subject: "a..b" } }],
      ["a", { filter: { subject: "a.>.b" } }],
      ["a", { filter: { subject: "a*" } }],
      ["a", { filter: { key: 7 } }],
    ];
    for (const [consumer, options] of bad) {
      expect(
        codeOf(() => stream.subscribe(consumer, options)),
        JSON.stringify(options),
      ).toBe("INVALID_ARGUMENT");
    }
    expect(stream.consumers()).toEqual([]);
  });

  it("refuses a second subscription of one consumer in this process, also through another handle", () => {
    const [db, stream] = published(1);
    const second = open(db.path);
    onTestFinished(() => second.close());
    const running = stream.subscribe("dashboard");
    expect(codeOf(() => stream.subscribe("dashboard"))).toBe("CONSUMER_ACTIVE");
    expect(codeOf(() => second.stream("orders").subscribe("dashboard"))).toBe("CONSUMER_ACTIVE");
    expect(codeOf(() => stream.resetOffset("dashboard", 0))).toBe("CONSUMER_ACTIVE");
    expect(codeOf(() => stream.deleteConsumer("dashboard"))).toBe("CONSUMER_ACTIVE");
    db.stream("payments").subscribe("dashboard").close();
    running.close();
    stream.subscribe("dashboard").close();
  });

  it("refuses to subscribe inside a transaction, whose offsets may be given out again", () => {
    const [db, stream] = published(1);
    db.transaction(() => {
      expect(codeOf(() => stream.subscribe("a"))).toBe("TRANSACTION_STATE");
      expect(codeOf(() => stream.tail())).toBe("TRANSACTION_STATE");
    });
  });

  it("refuses to save an offset that was never issued", () => {
    const [, stream] = published(2);
    for (const offset of [3, -1, 0.5, Number.NaN, 2 ** 53]) {
      expect(codeOf(() => stream.saveOffset("a", offset))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => stream.resetOffset("a", offset))).toBe("INVALID_ARGUMENT");
    }
    expect(stream.getOffset("a")).toBe(0);
  });

  it("delivers what is there, then what comes", async () => {
    const [, stream] = published(2);
    const events = stream.subscribe("dashboard");
    expect(await take(events, 2)).toEqual([1, 2]);
    const next = take(events, 2);
    stream.publish(3);
    stream.publish(4);
    expect(await next).toEqual([3, 4]);
  });

  it("saves an event only after the next one was asked for", async () => {
    const [, stream] = published(3);
    const events = stream.subscribe("a", { saveEveryN: 1 });
    await take(events, 1);
    expect(stream.getOffset("a")).toBe(0);
    await take(events, 1);
    expect(stream.getOffset("a")).toBe(1);
    events.close();
    expect(stream.getOffset("a")).toBe(1);
    expect(await take(stream.subscribe("a"), 2)).toEqual([2, 3]);
  });

  it("delivers the event of a broken-off loop again", async () => {
    const [, stream] = published(3);
    for await (const { payload } of stream.subscribe("a")) if (payload === 2) break;
    expect(stream.getOffset("a")).toBe(1);
    expect(await take(stream.subscribe("a"), 2)).toEqual([2, 3]);
  });

  it("saves after so many events", async () => {
    const [, stream] = published(10);
    const events = stream.subscribe("a", { saveEveryN: 4, saveEverySeconds: 0 });
    await take(events, 4);
    expect(stream.getOffset("a")).toBe(0);
    await take(events, 1);
    expect(stream.getOffset("a")).toBe(4);
    await take(events, 4);
    expect(stream.getOffset("a")).toBe(8);
  });

  it("saves after so many seconds, in both spellings, and when the clock was set back", async () => {
    const clock = new FakeClock();
    const [, stream] = published(10, clock);
    for (const [consumer, option] of [
      ["a", { saveEverySeconds: 5 }],
      ["b", { saveEveryS: 5 }],
    ] as const) {
      const events = stream.subscribe(consumer, { saveEveryN: 0, ...option });
      await take(events, 2);
      clock.advance(4_999);
      await take(events, 1);
      expect(stream.getOffset(consumer)).toBe(0);
      clock.advance(1);
      await take(events, 1);
      expect(stream.getOffset(consumer)).toBe(3);
      clock.advance(-3_600_000);
      await take(events, 1);
      expect(stream.getOffset(consumer)).toBe(4);
    }
  });

  it("saves by time also while no further event comes", async () => {
    const db = tempDatabase({ extension });
    const stream = db.stream("orders");
    stream.publish(1);
    const events = stream.subscribe("a", { saveEverySeconds: 0.02 });
    await take(events, 1);
    const next = events.next();
    await eventually("the offset is saved", () => stream.getOffset("a") === 1);
    events.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it("saves nothing by itself when told so", async () => {
    const clock = new FakeClock();
    const [db, stream] = published(5, clock);
    const events = stream.subscribe("a", MANUAL);
    await take(events, 3);
    clock.advance(60_000);
    await take(events, 1);
    db.transaction((tx) => expect(stream.saveOffsetTx(tx, "a", 2)).toBe(true));
    events.close();
    expect(stream.getOffset("a")).toBe(2);
  });

  it("saves when the database closes", async () => {
    const [db, stream] = published(3);
    const second = open(db.path);
    await take(second.stream("orders").subscribe("a"), 3);
    second.close();
    expect(stream.getOffset("a")).toBe(2);
  });

  it("moves a saved offset forward only, until it is reset", () => {
    const [db, stream] = published(5);
    expect(stream.saveOffset("a", 3)).toBe(true);
    expect(stream.saveOffset("a", 3)).toBe(false);
    expect(stream.saveOffset("a", 1)).toBe(false);
    expect(stream.getOffset("a")).toBe(3);
    expect(() =>
      db.transaction((tx) => {
        stream.saveOffsetTx(tx, "a", 5);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(stream.getOffset("a")).toBe(3);
    stream.resetOffset("a", 1);
    expect(stream.readFromConsumer("a", 2).map((event) => event.payload)).toEqual([2, 3]);
  });

  it("starts where it is told", async () => {
    const clock = new FakeClock();
    const [, stream] = published(3, clock);
    clock.advance(1_500);
    const later = new Date(clock.now());
    stream.publish(4);
    stream.saveOffset("saved", 2);
    expect(await take(stream.subscribe("new"), 1)).toEqual([1]);
    expect(await take(stream.subscribe("saved"), 1)).toEqual([3]);
    expect(await take(stream.subscribe("start", { from: "start" }), 1)).toEqual([1]);
    expect(await take(stream.subscribe("offset", { from: 1 }), 1)).toEqual([2]);
    expect(await take(stream.subscribe("date", { from: later }), 1)).toEqual([4]);
    const end = stream.subscribe("end", { from: "end" });
    stream.publish(5);
    expect(await take(end, 1)).toEqual([5]);
  });

  it("does not move a saved offset back when replaying", async () => {
    const [, stream] = published(5);
    stream.saveOffset("a", 4);
    const events = stream.subscribe("a", { from: "start", saveEveryN: 1 });
    await take(events, 3);
    events.close();
    expect(stream.getOffset("a")).toBe(4);
  });

  it("tails without leaving a trace", async () => {
    const [, stream] = published(2);
    const tails = [stream.tail(), stream.tail(), stream.tail({ from: "start" })] as const;
    stream.publish(3);
    expect(await Promise.all(tails.map((tail) => take(tail, 1)))).toEqual([[3], [3], [1]]);
    expect(stream.consumers()).toEqual([]);
  });

  it("does not deliver what an open transaction may yet take back", async () => {
    const [db, stream] = published(1);
    const events = stream.subscribe("a");
    await take(events, 1);
    const tx = db.transaction();
    stream.publishTx(tx, 2);
    const next = take(events, 1);
    await new Promise((resolve) => setImmediate(resolve));
    tx.rollback();
    stream.publish(3);
    expect(await next).toEqual([3]);
  });

  it("delivers matching events and passes over the others for good", async () => {
    const db = database();
    const stream = db.stream<string>("orders");
    const subjects = ["eu.created", "eu.x.created", "us.created", "eu.paid", "eu", undefined];
    for (const subject of subjects) {
      stream.publish(subject ?? "none", subject === undefined ? { key: "k" } : { subject });
    }
    const matching = (filter: object) =>
      stream.readSince(0, 10, { filter }).map((event) => event.payload);
    expect(matching({ subject: "*.created" })).toEqual(["eu.created", "us.created"]);
    expect(matching({ subject: "eu.>" })).toEqual(["eu.created", "eu.x.created", "eu.paid"]);
    expect(matching({ subject: "eu" })).toEqual(["eu"]);
    expect(matching({ subject: [] })).toEqual([]);
    expect(matching({ subject: ["us.*", "eu.paid"] })).toEqual(["us.created", "eu.paid"]);
    expect(matching({ subject: ">" })).toEqual(subjects.slice(0, 5));
    expect(matching({ key: "k" })).toEqual(["none"]);
    expect(matching({ key: "k", subject: ">" })).toEqual([]);
    expect(matching({})).toHaveLength(6);

    const events = stream.subscribe("a", { filter: { subject: "eu.created" }, saveEveryN: 1 });
    expect(await take(events, 1)).toEqual(["eu.created"]);
    const next = events.next();
    await eventually("the rest is passed over", () => stream.getOffset("a") === 6);
    events.close();
    await next;
  });

  it("treats subject tokens literally", () => {
    const stream = database().stream("orders");
    for (const subject of ["a[b]", "ab", "a?", "ax", "a.(x|y)+", "a.x", "a\\", "ä.ö"]) {
      stream.publish(subject, { subject });
    }
    for (const subject of ["a[b]", "a?", "a.(x|y)+", "a\\", "ä.ö"]) {
      const found = stream.readSince(0, 10, { filter: { subject } });
      expect(found.map((event) => event.payload)).toEqual([subject]);
    }
  });

  it("reads across batches, filtered or not, and replays with flat batches", () => {
    const [, stream] = published(2_000);
    stream.publish(0, { subject: "rare" });
    const all = Array.from({ length: 2_000 }, (_, i) => i + 1);
    expect(stream.readSince(0, 1_999).map((event) => event.payload)).toEqual(all.slice(0, -1));
    expect(stream.readSince(700, 3).map((event) => event.payload)).toEqual([701, 702, 703]);
    expect(stream.readSince(0, 0)).toEqual([]);
    expect([...stream.replay()].map((event) => event.payload)).toEqual([...all, 0]);
    expect([...stream.replay({ from: 1_998 })]).toHaveLength(3);
    expect([...stream.replay({ filter: { subject: "rare" } })]).toHaveLength(1);
  });

  it("reads large payloads in small batches", async () => {
    const stream = database().stream<string>("blobs");
    stream.publishMany(Array.from({ length: 8 }, (_, i) => String(i).repeat(700_000)));
    expect(stream.readSince(0, 10)).toHaveLength(8);
    expect((await take(stream.tail({ from: "start" }), 8)).map((text) => text[0])).toEqual([
      ..."01234567",
    ]);
  });

  it("finds the offset of a time", () => {
    const clock = new FakeClock(10_000_400);
    const db = database(clock);
    const stream = db.stream("orders");
    expect(stream.offsetAt(new Date(0))).toBe(0);
    for (let i = 0; i < 40; i++) {
      stream.publish(i);
      db.stream("other").publish(i);
      clock.advance(300);
    }
    for (let i = 0; i < 40; i++) {
      const at = 10_000_400 + i * 300;
      const [exact] = stream.readSince(stream.offsetAt(new Date(at)), 1);
      expect(exact?.payload).toBe(i);
      const [after] = stream.readSince(stream.offsetAt(new Date(at - 299)), 1);
      expect(after?.payload).toBe(i);
    }
    expect(stream.readSince(stream.offsetAt(new Date(clock.now())), 1)).toEqual([]);
    // an event that another program published knows only its second
    db.execute(
      "INSERT INTO _honker_stream (topic, payload, created_at) VALUES ('orders', '1', 10020)",
    );
    expect(stream.readSince(stream.offsetAt(new Date(10_020_900)), 1)).toHaveLength(1);
  });

  it("lists consumers with what they have left, and forgets one", () => {
    const [db, stream] = published(5);
    db.stream("other").publish(1);
    stream.saveOffset("b", 5);
    stream.saveOffset("a", 2);
    expect(stream.consumers()).toEqual([
      { consumer: "a", offset: 2, lag: 3 },
      { consumer: "b", offset: 5, lag: 0 },
    ]);
    expect(stream.deleteConsumer("a")).toBe(true);
    expect(stream.deleteConsumer("a")).toBe(false);
    expect(stream.getOffset("a")).toBe(0);
  });

  it("reports a save that failed, goes on, and saves later", async () => {
    const errors: unknown[] = [];
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock, onError: (error) => errors.push(error) });
    const stream = db.stream("orders");
    stream.publishMany([1, 2, 3, 4]);
    const events = stream.subscribe("a", { saveEveryN: 1 });
    await take(events, 1);
    db.execute(
      "CREATE TRIGGER no BEFORE UPDATE ON _honker_stream_consumers BEGIN SELECT raise(abort, 'no'); END",
    );
    expect(await take(events, 1)).toEqual([2]);
    expect(errors).toEqual([expect.any(HonkerError)]);
    db.execute("DROP TRIGGER no");
    expect(await take(events, 1)).toEqual([3]);
    expect(stream.getOffset("a")).toBe(2);
  });

  it("ends when its signal is aborted", async () => {
    const [, stream] = published(1);
    const controller = new AbortController();
    const seen: number[] = [];
    for await (const { payload } of stream.subscribe("a", { signal: controller.signal })) {
      seen.push(payload);
      controller.abort();
    }
    expect(seen).toEqual([1]);
    expect(await take(stream.subscribe("b", { signal: AbortSignal.abort() }), 1)).toEqual([]);
    stream.subscribe("a").close();
  });
});
