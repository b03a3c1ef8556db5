import { fork } from "node:child_process";
import { once } from "node:events";
import { type Database, open } from "@alkdev/honker";
import { createPubSub, type EnvelopeEvent, type TypedEventTarget } from "@alkdev/pubsub";
import { StorageError } from "@alkdev/storage";
import {
  createCompositeEventTarget,
  createHonkerEventTarget,
  type HonkerEventTargetOptions,
} from "@alkdev/storage/sqlite";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

interface Events {
  "graph:created": { readonly graphId: string };
  step: number;
}

/** Durable options whose retries do not keep a test waiting. */
const durable = (db: Database, consumerName = "test:1:reader"): HonkerEventTargetOptions => ({
  db,
  mode: "durable",
  streamName: "events",
  consumerName,
  retryDelayMs: 1,
});

function collect(target: TypedEventTarget, topic: string): unknown[] {
  const payloads: unknown[] = [];
  target.addEventListener(topic, (event) => void payloads.push(event.detail.payload));
  return payloads;
}

function step(payload: number): EnvelopeEvent {
  return new CustomEvent("step:1", { detail: { type: "step", id: "1", payload } });
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([
  ["Honker", createHonkerEventTarget],
  ["composite", createCompositeEventTarget],
] as const)("the %s event target in a transaction (M20, M21)", (_name, create) => {
  it.each(["ephemeral", "durable"] as const)(
    "tells nobody before the commit, and nobody at all after a rollback (%s)",
    async (mode) => {
      const db = tempDatabase();
      db.execute("CREATE TABLE t (x)");
      const target = create({ ...durable(db), mode });
      const pubsub = createPubSub<Events>({ eventTarget: target });
      const seen = collect(target, "step:1");
      await immediate();
      expect(() =>
        db.transaction((tx) => {
          tx.execute("INSERT INTO t VALUES (0)");
          pubsub.publish("step", "1", 0);
          throw new Error("undo");
        }),
      ).toThrow("undo");
      const tx = db.transaction();
      tx.execute("INSERT INTO t VALUES (1)");
      pubsub.publish("step", "1", 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(seen).toEqual([]);
      tx.commit();
      db.transaction(() => pubsub.publish("step", "1", 2));
      await eventually("both arrived", () => seen.length >= 2);
      await immediate();
      expect(seen).toEqual([1, 2]);
      expect(db.rows("SELECT x FROM t")).toEqual([[1]]);
    },
  );
});

describe("the composite event target (M21, OQ-30)", () => {
  it.each(["ephemeral", "durable"] as const)(
    "calls local listeners from memory before dispatch returns, and only once (%s)",
    async (mode) => {
      const db = tempDatabase();
      const target = createCompositeEventTarget({ ...durable(db), mode });
      const seen = collect(target, "step:1");
      await immediate();
      for (let i = 0; i < 50; i++) {
        target.dispatchEvent(step(i));
        expect(seen).toHaveLength(i + 1);
      }
      const plain = createHonkerEventTarget({ ...durable(db, "test:1:last"), mode });
      plain.dispatchEvent(step(99));
      await eventually("the event of another target arrived", () => seen.includes(99));
      expect(seen).toEqual([...Array(50).keys(), 99]);
    },
  );

  it("reaches other processes through the file, and hears them", async () => {
    const db = tempDatabase();
    const target = createCompositeEventTarget({ db, mode: "ephemeral" });
    const pongs = collect(target, "pong:1");
    const child = fork(new URL("./children/composite.ts", import.meta.url), [db.path], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "message");
    const pings = collect(target, "ping:1");
    const pubsub = createPubSub<{ ping: number }>({ eventTarget: target });
    for (let i = 0; i < 10; i++) pubsub.publish("ping", "1", i);
    await eventually("ten answers", () => pongs.length === 10, 10_000);
    const numbers = [...Array(10).keys()];
    expect(pongs).toEqual(numbers);
    expect(pings).toEqual(numbers);
  });

  it("delivers again after a crash what a durable listener had not dealt with", async () => {
    const db = tempDatabase();
    const first = createCompositeEventTarget(durable(db));
    const started: unknown[] = [];
    // a callback that never settles, as in a process that is killed meanwhile
    first.addEventListener("step:1", (event) => {
      started.push(event.detail.payload);
      return new Promise(() => {});
    });
    await immediate();
    first.dispatchEvent(step(1));
    expect(started).toEqual([1]);
    first.close();
    const second = createCompositeEventTarget(durable(db));
    const seen = collect(second, "step:1");
    await eventually("the event came again", () => seen.length === 1);
    expect(seen).toEqual([1]);
  });
});

describe("the durable event target (M20)", () => {
  it("goes on after a restart where its callbacks had ended", async () => {
    const db = tempDatabase();
    const first = createHonkerEventTarget(durable(db));
    const early = collect(first, "step:1");
    for (let i = 0; i < 10; i++) first.dispatchEvent(step(i));
    await eventually("all ten arrived", () => early.length === 10);
    await first.settled();
    first.close();
    for (let i = 10; i < 15; i++) db.stream("events").publish(step(i).detail);
    const second = createHonkerEventTarget(durable(db));
    const late = collect(second, "step:1");
    await eventually("five more arrived", () => late.length >= 5);
    await immediate();
    expect(late.at(-1)).toBe(14);
    // the offset of the last event before close() is saved with the next request only
    expect(late.slice(-5)).toEqual([10, 11, 12, 13, 14]);
    expect(late.length).toBeLessThanOrEqual(6);
  });

  it("gives the next event only when the callbacks of the one before have settled", async () => {
    const db = tempDatabase();
    const target = createHonkerEventTarget(durable(db));
    const log: string[] = [];
    target.addEventListener("step:1", async (event) => {
      log.push(`begin ${event.detail.payload}`);
      await new Promise((resolve) => setTimeout(resolve, 3));
      log.push(`end ${event.detail.payload}`);
    });
    for (let i = 0; i < 3; i++) target.dispatchEvent(step(i));
    await eventually("all ended", () => log.length === 6);
    expect(log).toEqual(["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"]);
  });

  it("gives an event again only to the callback that failed", async () => {
    const db = tempDatabase();
    const errors: unknown[] = [];
    const target = createHonkerEventTarget({ ...durable(db), onError: (e) => errors.push(e) });
    let tries = 0;
    target.addEventListener("step:1", async () => {
      tries += 1;
      if (tries < 3) throw new Error(`try ${tries}`);
    });
    const seen = collect(target, "step:1");
    target.dispatchEvent(step(1));
    target.dispatchEvent(step(2));
    await eventually("both arrived", () => seen.length === 2 && tries >= 4);
    expect(tries).toBe(4);
    expect(seen).toEqual([1, 2]);
    expect(errors.map(String)).toEqual(["Error: try 1", "Error: try 2"]);
  });

  it("puts an event that keeps failing among the dead letters and goes on", async () => {
    const db = tempDatabase();
    const errors: unknown[] = [];
    const target = createHonkerEventTarget({
      ...durable(db),
      maxDeliveries: 3,
      onError: (e) => errors.push(e),
    });
    let broken = true;
    const seen: unknown[] = [];
    target.addEventListener("step:1", (event) => {
      if (event.detail.payload === 1 && broken) throw new Error("cannot");
      seen.push(event.detail.payload);
    });
    for (const i of [0, 1, 2]) target.dispatchEvent(step(i));
    const dead = db.queue("_events:events:test:1:reader").dead;
    await eventually("the event is a dead letter", () => dead.list().length === 1);
    expect(seen).toEqual([0, 2]);
    expect(dead.list()[0]).toMatchObject({ payload: step(1).detail, error: /cannot/ });
    broken = false;
    dead.redrive();
    await eventually("it is delivered after all", () => seen.includes(1));
    expect(dead.list()).toEqual([]);
  });

  it("passes over topics outside its prefix, and rows that are no envelopes", async () => {
    const db = tempDatabase();
    const target = createHonkerEventTarget({ ...durable(db), prefix: "step" });
    const other = collect(target, "graph:created:g1");
    const seen = collect(target, "step:1");
    db.stream("events").publish({ anything: true });
    const pubsub = createPubSub<Events>({ eventTarget: target });
    pubsub.publish("graph:created", "g1", { graphId: "g1" });
    pubsub.publish("step", "1", 7);
    await eventually("the event arrived", () => seen.length === 1);
    expect(other).toEqual([]);
  });

  it("reports a consumer name that is taken by another live target of this process", async () => {
    const db = tempDatabase();
    const errors: unknown[] = [];
    const first = createHonkerEventTarget(durable(db));
    collect(first, "step:1");
    await immediate();
    const second = createHonkerEventTarget({ ...durable(db), onError: (e) => errors.push(e) });
    collect(second, "step:1");
    await eventually("it is refused", () => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: "CONSUMER_ACTIVE" });
  });

  it.each([
    [{ mode: "durable" }, /needs a streamName/],
    [{ mode: "durable", streamName: "s" }, /needs a consumerName/],
    [{ mode: "durable", streamName: "", consumerName: "c" }, /needs a streamName/],
    [{ mode: "sometimes" }, /mode must be/],
  ])("refuses %j", (options, message) => {
    const db = tempDatabase();
    for (const create of [createHonkerEventTarget, createCompositeEventTarget]) {
      const make = (): unknown => create({ db, ...options } as HonkerEventTargetOptions);
      expect(make).toThrow(StorageError);
      expect(make).toThrow(message);
    }
  });
});

describe.each([
  ["Honker", createHonkerEventTarget],
  ["composite", createCompositeEventTarget],
] as const)("details that are no envelopes, through the %s target (M20, M21)", (_name, create) => {
  it.each(["ephemeral", "durable"] as const)("arrive as they are (%s)", async (mode) => {
    const db = tempDatabase();
    const target = create({ ...durable(db), mode });
    const seen: unknown[] = [];
    target.addEventListener("plain", (event) => void seen.push(event.detail));
    target.addEventListener("other", () => void seen.push("wrong topic"));
    await immediate();
    const details = [{ a: 1 }, [1, "x"], "text", 0, false, null];
    for (const detail of details) {
      target.dispatchEvent(new CustomEvent("plain", { detail }) as never);
    }
    await eventually("all arrived", () => seen.length >= details.length);
    expect(seen).toEqual(details);
  });

  it("keep their topic as dead letters", async () => {
    const db = tempDatabase();
    const target = create({ ...durable(db), maxDeliveries: 1, onError: () => undefined });
    let broken = true;
    const seen: unknown[] = [];
    target.addEventListener("plain", ({ detail }) => {
      if (broken) throw new Error("cannot");
      seen.push(detail);
    });
    target.dispatchEvent(new CustomEvent("plain", { detail: 7 }) as never);
    const { dead } = db.queue("_events:events:test:1:reader");
    await eventually("it is a dead letter", () => dead.list().length === 1);
    broken = false;
    dead.redrive();
    await eventually("it is delivered after all", () => seen.length === 1);
    expect(seen).toEqual([7]);
  });
});

describe("the ephemeral event target (M20)", () => {
  it("carries what the seed's samples send: notify(topic, envelope)", async () => {
    const db = tempDatabase();
    const target = createHonkerEventTarget({ db, mode: "ephemeral" });
    const pubsub = createPubSub<Events>({ eventTarget: target });
    const created = pubsub.subscribe("graph:created", "g1");
    db.notify("graph:created:g1", { type: "graph:created", id: "g1", payload: { graphId: "g1" } });
    expect((await created.next()).value?.payload).toEqual({ graphId: "g1" });
  });

  it("shares one channel among all topics of its prefix", async () => {
    const db = tempDatabase();
    const target = createHonkerEventTarget({ db, mode: "ephemeral", prefix: "call." });
    const pubsub = createPubSub<{ "call.responded": number }>({ eventTarget: target });
    const subscriptions = Array.from({ length: 100 }, (_, i) =>
      pubsub.subscribe("call.responded", `req-${i}`),
    );
    for (let i = 0; i < 100; i++) pubsub.publish("call.responded", `req-${i}`, i);
    for (const [i, subscription] of subscriptions.entries()) {
      expect((await subscription.next()).value?.payload).toBe(i);
    }
    expect(db.rows("SELECT DISTINCT channel FROM _honker_notifications")).toEqual([["call."]]);
  });

  it("says so when its database is closed", () => {
    const db = tempDatabase();
    const target = createHonkerEventTarget({ db, mode: "ephemeral" });
    const other = open(db.path);
    db.close();
    expect(() => target.dispatchEvent(step(1))).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
    other.close();
  });
});
