// The samples of the design document (ADR-039, 044, 047), as they are written there.
import { createPubSub } from "@alkdev/pubsub";
import {
  createHonkerEventTarget,
  createTenantDatabase,
  graphs,
  nodes,
  tenantSchema,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { drizzle } from "drizzle-honker";
import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it } from "vitest";

describe("the samples of the design", () => {
  const schema = { graphs, nodes };
  let db: ReturnType<typeof createTenantDatabase>;
  let graphId: string;
  beforeEach(() => {
    db = createTenantDatabase(tempDatabase());
    graphId = db.insert(graphs).values({ name: "calls" }).returning().get().id;
  });

  it("drizzle(honkerDb, { schema }) queries relations and reaches Honker through $client", () => {
    const again = drizzle(db.$client, { schema: tenantSchema });
    expect(again.$client.notify("graph:created", { graphId })).toBeGreaterThan(0);
    expect(again.query.graphs.findFirst({ where: eq(graphs.id, graphId) }).sync()?.name).toBe(
      "calls",
    );
  });

  it("a write and its notification commit together", async () => {
    const listener = db.$client.listen("nodes:created");
    db.transaction((tx) => {
      tx.insert(schema.nodes).values({ graphId, key: "call-1", attributes: {} }).run();
      tx.$honkerTx.notify("nodes:created", { graphId, key: "call-1" });
    });
    expect(() =>
      db.transaction((tx) => {
        tx.insert(schema.nodes).values({ graphId, key: "call-2", attributes: {} }).run();
        tx.$honkerTx.notify("nodes:created", { graphId, key: "call-2" });
        throw new Error("undo");
      }),
    ).toThrow("undo");
    db.$client.notify("nodes:created", "last");
    const payloads: unknown[] = [];
    for await (const event of listener) {
      payloads.push(event.payload);
      if (event.payload === "last") break;
    }
    expect(payloads).toEqual([{ graphId, key: "call-1" }, "last"]);
    expect(db.select().from(nodes).all()).toHaveLength(1);
  });

  it("graphs with a status, and nested transactions as savepoints", () => {
    db.transaction((tx) => {
      tx.insert(schema.graphs).values({ name: "session-1", status: "draft" }).run();
      tx.$honkerTx.notify("graphs:created", { name: "session-1" });
      expect(() =>
        tx.transaction((nestedTx) => {
          nestedTx.insert(schema.graphs).values({ name: "session-2" }).run();
          throw new Error("inner");
        }),
      ).toThrow("inner");
    });
    const names = db.select({ name: graphs.name }).from(graphs).all();
    expect(names.map(({ name }) => name)).toEqual(["calls", "session-1"]);
  });

  it("a durable stream with id, payload and timestamp, resumed by its consumer", async () => {
    const callStream = db.$client.stream("call-protocol");
    callStream.publish({ type: "call.requested", requestId: "req-1", operationId: "op-call" });
    callStream.publish({ type: "call.responded", requestId: "req-1" });
    const subscription = callStream.subscribe("dashboard");
    for await (const event of subscription) {
      expect(event.id).toBeGreaterThan(0);
      expect(event.timestamp).toBeGreaterThan(0);
      expect(event.payload).toMatchObject({ requestId: "req-1" });
      if (event.id === 2) break;
    }
    expect(callStream.getOffset("dashboard")).toBe(1);
  });

  it("a job enqueued with the write it belongs to", () => {
    const taskData = { title: "write it down" };
    db.transaction((tx) => {
      tx.insert(schema.nodes).values({ graphId, key: "task-1", attributes: taskData }).run();
      const q = db.$client.queue("task-processing");
      q.enqueueTx(tx.$honkerTx, { taskKey: "task-1", priority: 5 });
    });
    expect(db.$client.queue("task-processing").claimOne("w")?.payload).toEqual({
      taskKey: "task-1",
      priority: 5,
    });
  });

  it("a worker that iterates claimWaker(worker)", async () => {
    const q = db.$client.queue<{ keyVersion: number; batchSize: number }>("key-rotation");
    q.enqueue({ keyVersion: 2, batchSize: 100 }, { priority: 3 });
    const waker = q.claimWaker("rotator-1");
    for await (const job of waker) {
      expect(job.payload.keyVersion).toBe(2);
      expect(job.ack()).toBe(true);
      break;
    }
    expect(q.stats().pending).toBe(0);
  });

  it("a lock renewed without naming its time again", () => {
    const lock = db.$client.tryLock("scheduler-leader", "hub-instance-1", 30);
    expect(lock?.heartbeat()).toBe(true);
    expect(db.$client.tryLock("scheduler-leader", "hub-instance-2", 30)).toBeNull();
    expect(lock?.release()).toBe(true);
  });

  it("a schedule added by name, expression and options", () => {
    const scheduler = db.$client.scheduler();
    scheduler.add("retention-cleanup", "0 3 * * *", {
      queue: "maintenance",
      payload: { task: "cleanup-expired-graphs", olderThanDays: 90 },
    });
    expect(scheduler.list()).toMatchObject([{ name: "retention-cleanup", queue: "maintenance" }]);
  });

  it("one createPubSub call, whatever the event target", async () => {
    const db2 = db.$client;
    for (const eventTarget of [
      createHonkerEventTarget({ db: db2, mode: "ephemeral" }),
      createHonkerEventTarget({
        db: db2,
        mode: "durable",
        streamName: "call-protocol",
        consumerName: "hub:main:flowgraph",
      }),
    ]) {
      const pubsub = createPubSub<{ "call.requested": { requestId: string } }>({ eventTarget });
      const requests = pubsub.subscribe("call.requested", "");
      pubsub.publish("call.requested", "", { requestId: "req-1" });
      expect((await requests.next()).value?.payload).toEqual({ requestId: "req-1" });
      eventTarget.close();
    }
  });
});
