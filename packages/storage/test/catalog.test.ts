import { createPubSub } from "@alkdev/pubsub";
import {
  type EventsOf,
  envelopeCheck,
  openCatalogQueue,
  openCatalogStream,
  payloadSchema,
  systemCatalog,
  tenantCatalog,
} from "@alkdev/storage/catalog";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, expectTypeOf, it } from "vitest";

describe("the catalog (M24)", () => {
  it("lists every channel, stream and queue of the design", () => {
    expect(Object.keys(systemCatalog.channels)).toEqual([
      "account:created",
      "account:updated",
      "org:created",
      "org:member_added",
      "auth:key_verified",
      "tenant:state_changed",
    ]);
    expect(Object.keys(systemCatalog.streams)).toEqual(["audit-events", "call-protocol"]);
    expect(Object.keys(systemCatalog.queues)).toEqual([
      "key-management",
      "account-maintenance",
      "system-maintenance",
      "schema-migration",
      "tenant-backup",
    ]);
    expect(Object.keys(tenantCatalog.channels)).toEqual(
      expect.arrayContaining([
        "graph:created",
        "graph:updated",
        "nodes:created",
        "acl:delegation_changed",
      ]),
    );
    expect(Object.keys(tenantCatalog.streams)).toEqual(["call-protocol", "session-events"]);
    expect(Object.keys(tenantCatalog.queues)).toEqual([
      "acl-evaluation",
      "secret-rotation",
      "graph-maintenance",
      "schema-migration",
    ]);
  });

  it("types payloads", () => {
    type Channels = EventsOf<typeof tenantCatalog.channels>;
    expectTypeOf<Channels["nodes:created"]>().toEqualTypeOf<{ graphId: string; keys: string[] }>();
    expectTypeOf<EventsOf<typeof systemCatalog.channels>["org:created"]>().toEqualTypeOf<{
      orgId: string;
      slug: string;
      ownerId: string;
    }>();
  });

  it("refuses events that are not listed and payloads that do not fit, and publishes nothing", () => {
    const pubsub = createPubSub<Record<string, unknown>>({
      validate: envelopeCheck(tenantCatalog.channels),
    });
    const publish = (type: string, payload: unknown) => () => pubsub.publish(type, "", payload);
    expect(publish("nodes:created", { graphId: "g", keys: ["a"] })).not.toThrow();
    expect(publish("nodes:created", { graphId: "g", keys: [""] })).toThrow(/keys\.0/);
    expect(publish("nodes:created", { graphId: "g", keys: ["a"], extra: 1 })).toThrow(/extra/);
    expect(publish("nodes:created", null)).toThrow(/nodes:created/);
    expect(publish("graphs:created", { graphId: "g" })).toThrow(/not in the catalog/);
  });

  it("does not deliver what does not fit, and says why", async () => {
    const target = new EventTarget();
    const errors: Error[] = [];
    const pubsub = createPubSub<EventsOf<typeof tenantCatalog.channels>>({
      eventTarget: target as never,
      validate: envelopeCheck(tenantCatalog.channels),
      onError: (error) => void errors.push(error as Error),
    });
    const deleted = pubsub.subscribe("graph:deleted", "g1");
    const send = (payload: unknown): boolean =>
      target.dispatchEvent(
        new CustomEvent("graph:deleted:g1", {
          detail: { type: "graph:deleted", id: "g1", payload },
        }),
      );
    send({ graph: "misspelt" });
    send({ graphId: "g1" });
    expect((await deleted.next()).value?.payload).toEqual({ graphId: "g1" });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(/graph:deleted/);
  });

  it("opens queues that refuse a wrong job, and bury one that was written behind their back", async () => {
    const db = tempDatabase();
    const queue = openCatalogQueue({ db, entries: tenantCatalog.queues }, "acl-evaluation");
    expect(() => queue.enqueue({ principal: "p" } as never)).toThrow(
      expect.objectContaining({ code: "INVALID_PAYLOAD" }),
    );
    db.queue("acl-evaluation").enqueue({ principal: "p" });
    queue.enqueue({ principalId: "p1" });
    const done: unknown[] = [];
    const worker = queue.work((job) => void done.push(job.payload));
    await eventually("one is done and one is dead", () => done.length + queue.dead.count() === 2);
    await worker.stop();
    expect(done).toEqual([{ principalId: "p1" }]);
    expect(queue.dead.list()[0]).toMatchObject({ payload: { principal: "p" } });
    expect(queue.dead.list()[0]?.error).toMatch(/principalId/);
  });

  it("opens streams that refuse a wrong event, and put one aside that was written behind their back", async () => {
    const db = tempDatabase();
    const calls = openCatalogStream({ db, entries: tenantCatalog.streams }, "call-protocol");
    expect(() => calls.publish({ type: "call.requested" } as never)).toThrow(
      expect.objectContaining({ code: "INVALID_PAYLOAD" }),
    );
    db.stream("call-protocol").publish({ type: "call.wrong" });
    calls.publish({ type: "call.completed", requestId: "r1" });
    const events = calls.subscribe("test:1:projector");
    expect((await events.next()).value?.payload).toEqual({
      type: "call.completed",
      requestId: "r1",
    });
    events.close();
    expect(calls.deadLetters("test:1:projector").list()).toHaveLength(1);
  });

  it("names what is not in it", () => {
    const source = { db: tempDatabase(), entries: tenantCatalog.queues };
    expect(() => openCatalogQueue(source, "nope" as never)).toThrow(/Known are acl-evaluation/);
  });

  it("lists at most twenty issues of a payload", () => {
    const schema = payloadSchema(tenantCatalog.channels["nodes:created"].payload);
    const result = schema["~standard"].validate({ graphId: "g", keys: Array(10_000).fill(1) });
    expect(result.issues).toHaveLength(20);
  });
});
