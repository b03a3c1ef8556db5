import type { StreamDelivery, StreamGroup } from "@alkdev/honker";
import { engineModes, eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";

const payloads = <T>(deliveries: readonly StreamDelivery<T>[]): T[] =>
  deliveries.map((delivery) => delivery.payload);

describe.each(engineModes)("M5: a group that shares a stream $mode", ({ extension }) => {
  function setup(options: Parameters<ReturnType<typeof stream>["group"]>[1] = {}, count = 0) {
    const clock = new FakeClock();
    const db = tempDatabase({ extension, clock });
    const events = db.stream<number>("orders");
    events.publishMany(Array.from({ length: count }, (_, i) => i + 1));
    return { clock, db, events, group: events.group("workers", options) };
  }
  const stream = () => tempDatabase({ extension }).stream<number>("orders");

  it("refuses bad options and names, and to take events inside a transaction", () => {
    const { db, events, group } = setup();
    const bad: object[] = [
      { ackDeadlineSeconds: 0 },
      { maxInFlight: 0 },
      { maxInFlight: 1.5 },
      { maxDeliveries: 0 },
      { backoff: -1 },
      { backoff: [] },
      { backoff: [1, Number.NaN] },
      { filter: { subject: "a..b" } },
    ];
    for (const options of bad) {
      expect(
        codeOf(() => events.group("g", options)),
        JSON.stringify(options),
      ).toBe("INVALID_ARGUMENT");
    }
    expect(codeOf(() => events.group(""))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => group.join(""))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => group.join("a", { batchSize: 0 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => group.fetch("a", 0))).toBe("INVALID_ARGUMENT");
    db.transaction(() => {
      expect(codeOf(() => group.join("a"))).toBe("TRANSACTION_STATE");
      expect(codeOf(() => group.fetch("a", 1))).toBe("TRANSACTION_STATE");
    });
    expect(events.groups()).toEqual([]);
  });

  it("gives each event to one member, and none twice", () => {
    const { group } = setup({}, 10);
    const a = group.fetch("a", 4);
    const b = group.fetch("b", 10);
    expect(payloads(a)).toEqual([1, 2, 3, 4]);
    expect(payloads(b)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(group.fetch("a", 1)).toEqual([]);
    expect([...a, ...b].map((delivery) => delivery.ack())).not.toContain(false);
    expect(group.info()).toEqual({
      name: "workers",
      floor: 10,
      offset: 10,
      inFlight: 0,
      waiting: 0,
      lag: 0,
      dead: 0,
    });
  });

  it("has its floor below the first event that is not acknowledged", () => {
    const { group } = setup({}, 3);
    const [first, second, third] = group.fetch("a", 3);
    third?.ack();
    expect(group.info()).toMatchObject({ floor: 0, offset: 3, inFlight: 2 });
    first?.ack();
    expect(group.info().floor).toBe(1);
    second?.ack();
    expect(group.info().floor).toBe(3);
  });

  it("delivers again after the deadline, and refuses the late acknowledgement", () => {
    const { clock, db, group } = setup({ ackDeadlineSeconds: 10 }, 1);
    const [first] = group.fetch("a", 1);
    clock.advance(9_999);
    expect(group.fetch("b", 1)).toEqual([]);
    clock.advance(1);
    const [second] = group.fetch("b", 1);
    expect(second).toMatchObject({ payload: 1, deliveries: 2 });
    expect(first?.ack()).toBe(false);
    expect(first?.extend()).toBe(false);
    expect(first?.nak()).toBe(false);
    expect(first?.term("no")).toBe(false);
    expect(codeOf(() => db.transaction((tx) => first?.ackTx(tx)))).toBe("LEASE_LOST");
    expect(second?.ack()).toBe(true);
    expect(second?.ack()).toBe(false);
  });

  it("accepts a late acknowledgement while nobody else has the event", () => {
    const { clock, group } = setup({ ackDeadlineSeconds: 10 }, 1);
    const [late] = group.fetch("a", 1);
    clock.advance(60_000);
    expect(late?.ack()).toBe(true);
  });

  it("extends a deadline", () => {
    const { clock, group } = setup({ ackDeadlineSeconds: 10 }, 1);
    const [delivery] = group.fetch("a", 1);
    clock.advance(9_000);
    expect(delivery?.extend(20)).toBe(true);
    clock.advance(19_999);
    expect(group.fetch("b", 1)).toEqual([]);
    clock.advance(1);
    expect(group.fetch("b", 1)).toHaveLength(1);
  });

  it("acknowledges with the effect or not at all", () => {
    const { db, group } = setup({}, 1);
    db.execute("CREATE TABLE effects (n INTEGER)");
    const [delivery] = group.fetch("a", 1);
    expect(() =>
      db.transaction((tx) => {
        tx.execute("INSERT INTO effects VALUES (1)");
        delivery?.ackTx(tx);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(group.info().inFlight).toBe(1);
    db.transaction((tx) => {
      tx.execute("INSERT INTO effects VALUES (1)");
      delivery?.ackTx(tx);
    });
    expect(group.info().inFlight).toBe(0);
    const ended = db.transaction((tx) => tx);
    expect(codeOf(() => delivery?.ackTx(ended))).toBe("TRANSACTION_STATE");
  });

  it("delivers a refused event again after its backoff", () => {
    const { clock, group } = setup({ backoff: [1, 5] }, 1);
    for (const seconds of [1, 5, 5]) {
      const [delivery] = group.fetch("a", 1);
      expect(delivery?.nak()).toBe(true);
      clock.advance(seconds * 1_000 - 1);
      expect(group.fetch("a", 1)).toEqual([]);
      expect(group.info()).toMatchObject({ waiting: 1, inFlight: 0 });
      clock.advance(1);
    }
    const [delivery] = group.fetch("a", 1);
    expect(delivery?.deliveries).toBe(4);
    expect(codeOf(() => delivery?.nak(-1))).toBe("INVALID_ARGUMENT");
    expect(delivery?.nak(0)).toBe(true);
    expect(group.fetch("a", 1)).toHaveLength(1);
  });

  it("doubles the backoff from one second up to a minute by default", () => {
    const { clock, group } = setup({ maxDeliveries: 20 }, 1);
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      group.fetch("a", 1)[0]?.nak();
      let seconds = 0;
      for (; group.info().inFlight === 0; seconds++) {
        clock.advance(1_000);
        const [again] = group.fetch("a", 1);
        if (again !== undefined) {
          waits.push(seconds + 1);
          again.nak(0);
          break;
        }
      }
    }
    expect(waits.slice(0, 2)).toEqual([1, 4]);
    expect(Math.max(...waits)).toBe(60);
  });

  it("gives up after so many deliveries, keeps the reason, and takes the event back on redrive", () => {
    const { clock, events, group } = setup({ maxDeliveries: 2, ackDeadlineSeconds: 1 }, 2);
    for (let i = 0; i < 2; i++) {
      for (const delivery of [...group.fetch("a", 1), ...group.fetch("a", 1)]) {
        if (delivery.payload === 1) delivery.nak(0, "card declined");
      }
      clock.advance(1_000);
    }
    expect(group.fetch("a", 2)).toEqual([]);
    expect(
      group.dead.list().map(({ offset, payload, reason, deliveries }) => ({
        offset,
        payload,
        reason,
        deliveries,
      })),
    ).toEqual([
      { offset: 1, payload: 1, reason: "card declined", deliveries: 2 },
      { offset: 2, payload: 2, reason: "not acknowledged before the deadline", deliveries: 2 },
    ]);
    expect(group.dead.list({ after: 1, limit: 1 })).toMatchObject([{ offset: 2 }]);
    expect(group.info()).toMatchObject({ floor: 2, dead: 2 });
    // a dead letter outlives its event
    expect(events.prune({ maxCount: 0 })).toBe(2);
    expect(group.dead.redrive([1, 99])).toBe(1);
    expect(group.dead.count()).toBe(1);
    const [again] = group.fetch("a", 2);
    expect(again).toMatchObject({ offset: 1, payload: 1, deliveries: 1, topic: "orders" });
    expect(again?.ack()).toBe(true);
    expect(group.dead.purge(3_600)).toBe(0);
    expect(group.dead.purge()).toBe(1);
    expect(group.dead.redrive()).toBe(0);
  });

  it("buries at once what its handler terminates", () => {
    const { group } = setup({}, 1);
    expect(group.fetch("a", 1)[0]?.term("not an order")).toBe(true);
    expect(group.dead.list()).toMatchObject([{ reason: "not an order", deliveries: 1 }]);
  });

  it("does not take innocents along when a member dies of one event", () => {
    const { clock, group } = setup({ maxDeliveries: 3, ackDeadlineSeconds: 1 }, 4);
    for (let crash = 0; crash < 8 && group.info().floor < 4; crash++) {
      for (;;) {
        const batch = group.fetch("a", 1);
        if (batch.length === 0 || batch[0]?.payload === 2) break;
        batch[0]?.ack();
      }
      clock.advance(1_000);
    }
    expect(group.dead.list()).toMatchObject([{ payload: 2, deliveries: 3 }]);
    expect(group.info()).toMatchObject({ floor: 4, inFlight: 0 });
  });

  it("holds no more than maxInFlight events", () => {
    const { events, group } = setup({ maxInFlight: 3 }, 10);
    const held = [...group.fetch("a", 2), ...group.fetch("b", 5)];
    expect(payloads(held)).toEqual([1, 2, 3]);
    expect(group.fetch("a", 5)).toEqual([]);
    held[1]?.ack();
    expect(payloads(group.fetch("a", 5))).toEqual([4]);
    expect(events.groups()).toMatchObject([{ name: "workers", inFlight: 3, lag: 6 }]);
  });

  it("delivers one event of a key at a time, in order, and other keys meanwhile", () => {
    const { clock, events, group } = setup({ orderedByKey: true, ackDeadlineSeconds: 10 });
    events.publishMany([1, 2, 3, 4, 5], (n) =>
      n === 5 ? {} : { key: n % 2 === 1 ? "odd" : "even" },
    );
    const [one, two, five] = group.fetch("a", 10);
    expect([one, two, five].map((delivery) => delivery?.payload)).toEqual([1, 2, 5]);
    expect(group.fetch("b", 10)).toEqual([]);
    one?.nak(5);
    expect(group.fetch("b", 10)).toEqual([]);
    two?.ack();
    expect(payloads(group.fetch("b", 10))).toEqual([4]);
    clock.advance(5_000);
    const [again] = group.fetch("b", 10);
    expect(again).toMatchObject({ payload: 1, deliveries: 2 });
    again?.term("no");
    const [three] = group.fetch("b", 10);
    expect(three?.payload).toBe(3);
    // given back from the dead letters it is the first of its key, but not while another is in work
    group.dead.redrive();
    expect(group.fetch("b", 10)).toEqual([]);
    three?.ack();
    expect(payloads(group.fetch("b", 10))).toEqual([1]);
  });

  it("passes over what its filter leaves out", () => {
    const { events, group } = setup({ filter: { subject: "eu.*" } });
    events.publishMany([1, 2, 3, 4], (n) => ({ subject: n % 2 === 0 ? "eu.x" : "us.x" }));
    const deliveries = group.fetch("a", 10);
    expect(payloads(deliveries)).toEqual([2, 4]);
    for (const delivery of deliveries) delivery.ack();
    events.publish(5, { subject: "us.x" });
    expect(group.fetch("a", 10)).toEqual([]);
    expect(group.info()).toMatchObject({ floor: 5, lag: 0 });
  });

  it("begins where it is told and goes on where it was", () => {
    const { events, group } = setup({}, 3);
    const last = events.group("last", { from: "end" });
    const offset = events.group("offset", { from: 1 });
    expect(last.fetch("a", 5)).toEqual([]);
    expect(payloads(offset.fetch("a", 1))).toEqual([2]);
    events.publish(4);
    expect(payloads(last.fetch("a", 5))).toEqual([4]);
    expect(payloads(events.group("offset", { from: "start" }).fetch("a", 5))).toEqual([3, 4]);
    expect(payloads(group.fetch("a", 9))).toEqual([1, 2, 3, 4]);
  });

  it("is forgotten with everything that belongs to it", () => {
    const { events, group } = setup({}, 2);
    group.fetch("a", 1)[0]?.term("no");
    group.fetch("a", 1);
    expect(group.delete()).toBe(true);
    expect(group.delete()).toBe(false);
    expect(events.groups()).toEqual([]);
    expect(group.dead.count()).toBe(0);
    expect(payloads(group.fetch("a", 5))).toEqual([1, 2]);
  });

  it("delivers large payloads whole", () => {
    const { db } = setup();
    const blobs = db.stream<string>("blobs");
    blobs.publish("x".repeat(100_000));
    const group = blobs.group("g", { maxDeliveries: 1 });
    const [delivery] = group.fetch("a", 1);
    expect(delivery?.payload).toHaveLength(100_000);
    delivery?.nak();
    expect(group.dead.list()[0]?.payload).toHaveLength(100_000);
  });

  it("wakes idle members on publish, on refusal and when there is room again", async () => {
    const { events, group } = setup({ maxInFlight: 1 });
    const seen: string[] = [];
    const end = new AbortController();
    const work = async (member: string, group: StreamGroup<number>) => {
      for await (const delivery of group.join(member, { signal: end.signal })) {
        seen.push(`${delivery.payload}.${delivery.deliveries}`);
        if (delivery.deliveries === 1) delivery.nak(0);
        else delivery.ack();
      }
    };
    const members = [work("a", group), work("b", group)];
    events.publishMany([1, 2, 3]);
    await eventually("all are acknowledged", () => group.info().floor === 3);
    expect(seen).toEqual(["1.1", "1.2", "2.1", "2.2", "3.1", "3.2"]);
    group.delete();
    events.publish(4);
    expect(group.info()).toMatchObject({ offset: 0, inFlight: 0 });
    end.abort();
    await Promise.all(members);
    expect(seen).toHaveLength(6);
  });

  it("wakes a member when a deadline has passed", async () => {
    const events = stream();
    events.publish(1);
    const group = events.group("workers", { ackDeadlineSeconds: 0.05 });
    group.fetch("dead", 1);
    const { value } = await group.join("alive").next();
    expect(value).toMatchObject({ payload: 1, deliveries: 2 });
  });

  it("gives events that were not handed out back at once, as if never delivered", async () => {
    const { group } = setup({ ackDeadlineSeconds: 60 }, 5);
    const members = group.join("a", { batchSize: 4 });
    const { value } = await members.next();
    expect(group.info().inFlight).toBe(4);
    members.close();
    expect(group.info()).toMatchObject({ inFlight: 1, waiting: 3 });
    expect(group.fetch("b", 9).map(({ payload, deliveries }) => [payload, deliveries])).toEqual([
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
    expect(value?.ack()).toBe(true);
  });

  it("hands no event out of memory whose deadline is over and that another member has", async () => {
    const { clock, group } = setup({ ackDeadlineSeconds: 10 }, 3);
    const slow = group.join("slow", { batchSize: 3 });
    await slow.next();
    clock.advance(8_000);
    // more than half of the deadline is gone: it is renewed before the event is handed out
    const second = (await slow.next()).value;
    clock.advance(9_000);
    expect(second?.ack()).toBe(true);
    const taken = [...group.fetch("b", 1), ...group.fetch("b", 1)];
    expect(payloads(taken)).toEqual([1, 3]);
    for (const delivery of taken) delivery.ack();
    const next = slow.next();
    slow.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
