import { HonkerError, type StandardSchemaV1, type StreamOptions } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

interface Order {
  readonly id: string;
  readonly total: number;
}

/** A hand-written Standard Schema validator. */
const orderSchema: StandardSchemaV1<unknown, Order> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const { id, total } = (value ?? {}) as Partial<Order>;
      if (typeof id !== "string")
        return { issues: [{ message: "must be a string", path: ["id"] }] };
      if (typeof total === "number") return { value: { id, total } };
      return { issues: [{ message: "must be a number", path: [{ key: "total" }] }] };
    },
  },
};

describe.each(engineModes)("M5: retention of a stream $mode", ({ extension }) => {
  function setup(options: StreamOptions<number> = {}, count = 0) {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const stream = db.stream<number>("orders", options);
    for (let i = 1; i <= count; i++) {
      stream.publish(i);
      clock.advance(1_000);
    }
    const kept = () => stream.readSince(0, 10_000).map((event) => event.payload);
    return { clock, db, stream, kept };
  }

  it("refuses bad limits", () => {
    const { db, stream } = setup();
    for (const retention of [{ maxAgeSeconds: -1 }, { maxCount: 1.5 }, { maxCount: Number.NaN }]) {
      expect(codeOf(() => stream.prune(retention))).toBe("INVALID_ARGUMENT");
      expect(codeOf(() => db.stream("x", { retention }))).toBe("INVALID_ARGUMENT");
    }
  });

  it("deletes by count and by age, oldest first, of this stream only", () => {
    const { db, stream, kept } = setup({}, 10);
    db.stream("other").publish(1);
    expect(stream.prune()).toBe(0);
    expect(stream.prune({ maxCount: 8 })).toBe(2);
    expect(stream.prune({ maxAgeSeconds: 6 })).toBe(2);
    expect(kept()).toEqual([5, 6, 7, 8, 9, 10]);
    expect(stream.prune({ maxCount: 100, maxAgeSeconds: 3_600 })).toBe(0);
    expect(stream.prune({ maxCount: 0 })).toBe(6);
    expect(db.stream("other").info().count).toBe(1);
    expect(stream.publish(11)).toBe(12);
  });

  it("deletes more than one batch", () => {
    const { stream } = setup();
    stream.publishMany(Array.from({ length: 5_000 }, (_, i) => i));
    expect(stream.prune({ maxCount: 10 })).toBe(4_990);
    expect(stream.info().count).toBe(10);
  });

  it("keeps what the slowest consumer or group has not processed, unless forced", () => {
    const { stream, kept } = setup({}, 6);
    stream.saveOffset("slow", 4);
    stream.saveOffset("quick", 6);
    const group = stream.group("workers");
    const [, , third] = group.fetch("a", 5);
    for (const delivery of group.fetch("a", 9)) delivery.ack();
    expect(stream.prune({ maxCount: 0 })).toBe(0);
    third?.ack();
    expect(stream.prune({ maxCount: 0 })).toBe(0);
    group.delete();
    expect(stream.prune({ maxCount: 0 })).toBe(4);
    expect(kept()).toEqual([5, 6]);
    expect(stream.prune({ maxCount: 0, force: true })).toBe(2);
    stream.publish(7);
    expect(stream.readFromConsumer("slow", 9).map((event) => event.payload)).toEqual([7]);
  });

  it("keeps what a new subscription has yet to read", () => {
    const { stream } = setup({}, 3);
    stream.subscribe("new").close();
    expect(stream.prune({ maxCount: 0 })).toBe(0);
    stream.deleteConsumer("new");
    expect(stream.prune({ maxCount: 0 })).toBe(3);
  });

  it("drops deliveries whose event was pruned by force", () => {
    const { clock, stream } = setup({}, 2);
    const group = stream.group("workers", { ackDeadlineSeconds: 1 });
    group.fetch("a", 2);
    stream.prune({ maxCount: 0, force: true });
    clock.advance(1_000);
    expect(group.fetch("a", 2)).toEqual([]);
    expect(group.info()).toMatchObject({ floor: 2, inFlight: 0, dead: 0 });
  });

  it("prunes by itself while it is published to, also in a process that publishes once", async () => {
    const { clock, db, stream } = setup({}, 20);
    const limited = db.stream<number>("orders", { retention: { maxCount: 5 } });
    limited.publish(21);
    await eventually("the first pruning", () => stream.info().count === 5);
    for (let i = 0; i < 999; i++) limited.publish(i);
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.info().count).toBe(1_004);
    limited.publish(1);
    await eventually("pruning after 1,000 events", () => stream.info().count === 5);
    clock.advance(60_000);
    limited.publish(2);
    await eventually("pruning after a minute", () => stream.info().count === 5);
    limited.publishMany(Array.from({ length: 9_000 }, (_, i) => i));
    await eventually("pruning in several steps", () => stream.info().count === 5);
  });

  it("still knows a message id whose event was pruned", () => {
    const { stream } = setup();
    const offset = stream.publish(1, { messageId: "m" });
    stream.prune({ maxCount: 0 });
    expect(stream.publish(1, { messageId: "m" })).toBe(offset);
    expect(stream.info().count).toBe(0);
  });
});

describe.each(engineModes)("M5, M24: typed payloads of a stream $mode", ({ extension }) => {
  const setup = (options: StreamOptions<Order> = {}) => {
    const errors: unknown[] = [];
    const db = tempDatabase({ extension, onError: (error) => errors.push(error) });
    return {
      db,
      errors,
      raw: db.stream("orders"),
      stream: db.stream("orders", { schema: orderSchema, ...options }),
    };
  };

  it("refuses what does not fit before anything is written, saying where", () => {
    const { stream } = setup();
    const bad = { id: "a" } as Order;
    expect(codeOf(() => stream.publish(bad))).toBe("INVALID_PAYLOAD");
    expect(codeOf(() => stream.publishMany([{ id: "a", total: 1 }, bad]))).toBe("INVALID_PAYLOAD");
    expect(() => stream.publish(bad)).toThrow(
      /stream "orders" does not fit its schema: total: must be a number/,
    );
    expect(stream.info().count).toBe(0);
  });

  it("refuses a schema that validates asynchronously", () => {
    const { db } = setup();
    const validate = async (value: unknown) => ({ value });
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
    expect(codeOf(() => db.stream("x", { schema }).publish(1))).toBe("INVALID_ARGUMENT");
    db.stream("x").publish(1);
    const group = db.stream("x", { schema }).group("g");
    expect(codeOf(() => group.fetch("a", 1))).toBe("INVALID_ARGUMENT");
    expect(group.dead.count()).toBe(0);
  });

  it("ends a reader at a payload that does not fit, and keeps its place", async () => {
    const { raw, stream } = setup();
    raw.publishMany([{ id: "a", total: 1 }, { id: 2 }]);
    const events = stream.subscribe("c", { saveEveryN: 1 });
    expect((await events.next()).value?.payload).toEqual({ id: "a", total: 1 });
    await expect(events.next()).rejects.toMatchObject({ code: "INVALID_PAYLOAD" });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(stream.getOffset("c")).toBe(1);
    expect(codeOf(() => stream.readSince(0, 10))).toBe("INVALID_PAYLOAD");
  });

  it("puts it aside for the consumer, or skips it and says so", async () => {
    for (const onInvalid of ["dead-letter", "skip"] as const) {
      const { errors, raw, stream } = setup({ onInvalid });
      raw.publishMany([{ id: 2 }, { id: "b", total: 1 }]);
      expect((await stream.subscribe("c").next()).value?.payload).toEqual({ id: "b", total: 1 });
      const dead = stream.deadLetters("c");
      expect(dead.count()).toBe(onInvalid === "skip" ? 0 : 1);
      expect(errors).toHaveLength(onInvalid === "skip" ? 1 : 0);
      if (onInvalid === "skip") {
        expect(errors).toEqual([expect.any(HonkerError)]);
        expect(stream.readSince(0, 10)).toHaveLength(1);
        continue;
      }
      expect(dead.list()).toMatchObject([
        {
          offset: 1,
          payload: { id: 2 },
          consumer: "c",
          reason: expect.stringMatching(/id: must be/),
        },
      ]);
      expect(codeOf(() => dead.redrive())).toBe("INVALID_ARGUMENT");
      // reading it again does not add another
      expect((await stream.subscribe("c2", { from: "start" }).next()).value?.offset).toBe(2);
      expect(dead.count()).toBe(1);
    }
  });

  it("sends it to the dead letters of a group", () => {
    const { raw, stream } = setup();
    raw.publishMany([{ id: 2 }, { id: "b", total: 1 }]);
    const group = stream.group("workers");
    expect(group.fetch("a", 5).map((delivery) => delivery.payload.id)).toEqual(["b"]);
    expect(group.dead.list()).toMatchObject([{ payload: { id: 2 }, deliveries: 1 }]);
    const skipping = setup({ onInvalid: "skip" });
    skipping.raw.publish(1);
    const other = skipping.stream.group("workers");
    expect(other.fetch("a", 5)).toEqual([]);
    expect(other.info()).toMatchObject({ floor: 1, dead: 0 });
  });

  it("turns old payloads into today's shape first", () => {
    const { raw, stream } = setup({
      upcast: (payload, { timestamp }) => {
        if (timestamp === 0) throw new Error("before time");
        return typeof payload === "string" ? { id: payload, total: 0 } : payload;
      },
    });
    raw.publishMany(["old", { id: "new", total: 1 }]);
    expect(stream.readSince(0, 9).map((event) => event.payload)).toEqual([
      { id: "old", total: 0 },
      { id: "new", total: 1 },
    ]);
    expect(stream.group("g").fetch("a", 1)[0]?.payload).toEqual({ id: "old", total: 0 });
    const broken = setup({
      upcast: () => {
        throw new Error("cannot tell");
      },
    });
    broken.raw.publish(1);
    expect(() => broken.stream.readSince(0, 1)).toThrow(
      /offset 1 could not be upcast: cannot tell/,
    );
  });
});
