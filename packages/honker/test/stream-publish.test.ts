import { open } from "@alkdev/honker";
import { engineModes, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

describe.each(engineModes)("M5: publishing to a stream $mode", ({ extension }) => {
  const database = (clock = new FakeClock()) => tempDatabase({ extension, clock });

  it("refuses what is not JSON, naming the place, and writes nothing", () => {
    const stream = database().stream("orders");
    for (const payload of [undefined, Number.NaN, 1n, { a: [new Map()] }, () => 1]) {
      expect(codeOf(() => stream.publish(payload))).toBe("INVALID_PAYLOAD");
    }
    expect(codeOf(() => stream.publishMany([1, 2, undefined]))).toBe("INVALID_PAYLOAD");
    expect(stream.info().count).toBe(0);
  });

  it("refuses bad names, keys, subjects, headers and message ids", () => {
    const db = database();
    expect(codeOf(() => db.stream(""))).toBe("INVALID_ARGUMENT");
    const stream = db.stream("orders");
    const refused: object[] = [
      { key: 7 },
      { subject: "" },
      { subject: "orders..created" },
      { subject: "orders.*" },
      { subject: "orders.>" },
      { subject: "two words" },
      { headers: { attempt: 1 } },
      { headers: ["a"] },
      { headers: "a" },
      { messageId: "" },
      { messageId: 7 },
    ];
    for (const options of refused) {
      expect(
        codeOf(() => stream.publish(1, options)),
        JSON.stringify(options),
      ).toBe("INVALID_ARGUMENT");
    }
    expect(stream.info().count).toBe(0);
  });

  it("refuses publishTx and saveOffsetTx without an open transaction of this database", () => {
    const db = database();
    const other = database();
    const stream = db.stream("orders");
    const ended = db.transaction((tx) => tx);
    for (const tx of [ended, undefined as never]) {
      expect(codeOf(() => stream.publishTx(tx, 1))).toBe("TRANSACTION_STATE");
      expect(codeOf(() => stream.publishManyTx(tx, [1]))).toBe("TRANSACTION_STATE");
      expect(codeOf(() => stream.saveOffsetTx(tx, "a", 0))).toBe("TRANSACTION_STATE");
    }
    other.transaction((tx) => {
      expect(codeOf(() => stream.publishTx(tx, 1))).toBe("TRANSACTION_STATE");
      db.transaction(() => {
        expect(codeOf(() => stream.publishTx(tx, 1))).toBe("TRANSACTION_STATE");
      });
    });
    expect(stream.info().count).toBe(0);
  });

  it("refuses everything once its handle is closed, also while another handle is open", () => {
    const db = database();
    const second = open(db.path);
    const stream = second.stream("orders");
    second.close();
    expect(codeOf(() => stream.publish(1))).toBe("CLOSED");
    expect(codeOf(() => stream.readSince(0, 1))).toBe("CLOSED");
    expect(codeOf(() => stream.subscribe("a"))).toBe("CLOSED");
    expect(codeOf(() => stream.saveOffset("a", 0))).toBe("CLOSED");
    expect(db.stream("orders").publish(1)).toBe(1);
  });

  it("gives back what was published, in the order of commits", () => {
    const clock = new FakeClock(1_700_000_000_123);
    const stream = database(clock).stream("orders");
    const first = stream.publish(
      { a: 1 },
      { key: "k", subject: "eu.created", headers: { h: "v" } },
    );
    clock.advance(1_000);
    const second = stream.publish(null);
    expect(second).toBeGreaterThan(first);
    expect(stream.readSince(0, 10)).toEqual([
      {
        offset: first,
        id: first,
        topic: "orders",
        key: "k",
        subject: "eu.created",
        headers: { h: "v" },
        messageId: null,
        payload: { a: 1 },
        createdAt: 1_700_000_000,
        timestamp: 1_700_000_000_123,
      },
      {
        offset: second,
        id: second,
        topic: "orders",
        key: null,
        subject: null,
        headers: {},
        messageId: null,
        payload: null,
        createdAt: 1_700_000_001,
        timestamp: 1_700_000_001_123,
      },
    ]);
  });

  it("keeps payloads as they are: empty text, quotes, surrogates, 2^53 - 1, 2 MB", () => {
    const stream = database().stream("orders");
    const payloads = [
      "",
      'it\'s "quoted" \u0000 \u{1f600}',
      Number.MAX_SAFE_INTEGER,
      [null, false, 0, ""],
      { "": { __proto__: null, a: [] } },
      "x".repeat(2_000_000),
    ];
    stream.publishMany(payloads);
    expect(stream.readSince(0, 10).map((event) => event.payload)).toEqual(payloads);
  });

  it("publishes with the surrounding transaction or not at all, and gives the offset out again", () => {
    const db = database();
    const stream = db.stream("orders");
    const first = stream.publish(1);
    expect(() =>
      db.transaction((tx) => {
        stream.publishTx(tx, 2);
        stream.publish(3);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(stream.readSince(0, 10)).toHaveLength(1);
    expect(db.transaction((tx) => stream.publishTx(tx, 4))).toBe(first + 1);
    db.transaction((tx) => {
      expect(() =>
        tx.transaction(() => {
          stream.publish(5);
          throw new Error("undo");
        }),
      ).toThrow("undo");
      stream.publishTx(tx, 6, "key");
    });
    expect(stream.readSince(0, 10).map(({ payload, key }) => [payload, key])).toEqual([
      [1, null],
      [4, null],
      [6, "key"],
    ]);
  });

  it("publishes many at once with options for all or for each", () => {
    const db = database();
    const stream = db.stream<number>("orders");
    expect(stream.publishMany([])).toEqual([]);
    const numbers = Array.from({ length: 123 }, (_, i) => i);
    const offsets = stream.publishMany(numbers, (n) => ({ key: `k${n % 3}` }));
    expect(offsets).toEqual(numbers.map((n) => n + 1));
    expect(
      stream.readSince(0, 200).map(({ offset, payload, key }) => [offset, payload, key]),
    ).toEqual(numbers.map((n) => [n + 1, n, `k${n % 3}`]));
    db.transaction((tx) => stream.publishManyTx(tx, [1, 2], { subject: "a.b" }));
    expect(stream.readSince(123, 9).map((event) => event.subject)).toEqual(["a.b", "a.b"]);
  });

  it("keeps streams apart while their offsets share one sequence", () => {
    const db = database();
    const [a, b] = [db.stream("a"), db.stream("b")];
    expect([a.publish(1), b.publish(2), a.publish(3)]).toEqual([1, 2, 3]);
    expect(a.readSince(0, 10).map((event) => event.offset)).toEqual([1, 3]);
    expect(b.readSince(0, 10).map((event) => event.offset)).toEqual([2]);
  });

  it("returns the first offset for a repeated message id within the window", () => {
    const clock = new FakeClock();
    const db = database(clock);
    const stream = db.stream("orders", { dedupeWindowSeconds: 60 });
    const first = stream.publish("a", { messageId: "m-1" });
    clock.advance(59_999);
    expect(stream.publish("b", { messageId: "m-1" })).toBe(first);
    const other = stream.publish("c", { messageId: "m-2" });
    expect(db.stream("payments").publish("d", { messageId: "m-1" })).not.toBe(first);
    clock.advance(1);
    const later = stream.publish("e", { messageId: "m-1" });
    expect(later).toBeGreaterThan(other);
    expect(stream.readSince(0, 10).map(({ payload, messageId }) => [payload, messageId])).toEqual([
      ["a", "m-1"],
      ["c", "m-2"],
      ["e", "m-1"],
    ]);
  });

  it("de-duplicates inside one batch and forgets ids that a rollback took back", () => {
    const db = database();
    const stream = db.stream<string>("orders");
    const offsets = stream.publishMany(["a", "b", "a", "c"], (id) =>
      id === "c" ? {} : { messageId: id },
    );
    expect(offsets).toEqual([1, 2, 1, 3]);
    expect(() =>
      db.transaction(() => {
        stream.publish("d", { messageId: "d" });
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(stream.publish("d", { messageId: "d" })).toBe(4);
    expect(stream.info().count).toBe(4);
  });

  it("remembers no more message ids than one window holds", () => {
    const clock = new FakeClock();
    const db = database(clock);
    const stream = db.stream("orders", { dedupeWindowSeconds: 10 });
    for (let i = 0; i < 300; i++) {
      stream.publish(i, { messageId: `m-${i}` });
      clock.advance(1_000);
    }
    const [row] = db.query<{ n: number }>("SELECT count(*) AS n FROM _alk_stream_messages");
    expect(row?.n).toBeLessThanOrEqual(11 + 16);
  });

  it("says how much is kept", () => {
    const clock = new FakeClock(5_000);
    const stream = database(clock).stream("orders");
    expect(stream.info()).toEqual({
      name: "orders",
      count: 0,
      firstOffset: null,
      lastOffset: null,
      firstTimestamp: null,
      lastTimestamp: null,
    });
    stream.publish(1);
    clock.advance(500);
    stream.publish(2);
    expect(stream.info()).toEqual({
      name: "orders",
      count: 2,
      firstOffset: 1,
      lastOffset: 2,
      firstTimestamp: 5_000,
      lastTimestamp: 5_500,
    });
  });
});
