import { createGraphStore } from "@alkdev/storage/sqlite";
import { eventually, FakeClock, tempDatabase } from "@alkdev/testkit";
import { describe, expect, test } from "vitest";
import {
  aborted,
  type CallEvent,
  callsFixture,
  completed,
  contentOf,
  failed,
  requested,
  responded,
} from "./call-projection-fixture.ts";

const withCode = (code: string) => expect.objectContaining({ code });

describe("call projection: what it refuses (M37)", () => {
  test.each([
    ["an empty consumer", { consumer: "" }],
    ["no consumer", { consumer: undefined as never }],
    ["an empty graph name", { graphName: "" }],
    ["batches of nothing", { batchSize: 0 }],
    ["batches of 10,001", { batchSize: 10_001 }],
    ["a limit that is no number", { maxPayloadBytes: Number.NaN }],
    ["a negative limit", { maxPayloadBytes: -1 }],
    ["no share of the time", { share: 0 }],
    ["more than all of the time", { share: 1.1 }],
    ["a share that is no number", { share: Number.NaN }],
  ])("%s", (_, options) => {
    expect(() => callsFixture(options)).toThrow(withCode("INVALID_ARGUMENT"));
  });

  test("a second consumer for one graph, and a consumer that reads for somebody else", async () => {
    const { projection, project, stream, publish } = callsFixture();
    publish(requested("r-1"));
    await projection.catchUp();
    const other = project({ consumer: "hub:b:calls" });
    await expect(other.catchUp()).rejects.toThrow(withCode("CONFLICT"));
    stream.saveOffset("observability", 1);
    const taken = project({ consumer: "observability", graphName: "other" });
    await expect(taken.catchUp()).rejects.toThrow(withCode("CONFLICT"));
  });

  test("to run inside a transaction", async () => {
    const { client, projection } = callsFixture();
    const attempts: Promise<unknown>[] = [];
    client.transaction(() => {
      attempts.push(projection.catchUp(), projection.rebuild());
    });
    for (const attempt of await Promise.allSettled(attempts)) {
      expect(attempt).toMatchObject({ reason: { code: "TRANSACTION_STATE" } });
    }
  });

  test("options of a rebuild that are none", async () => {
    const { projection } = callsFixture();
    const wrong = { old: "burn" } as never;
    await expect(projection.rebuild(wrong)).rejects.toThrow(withCode("INVALID_ARGUMENT"));
    await expect(projection.rebuild({ pruned: true } as never)).rejects.toThrow(
      withCode("INVALID_ARGUMENT"),
    );
  });

  test("to go on with a graph that was deleted or archived, until it is rebuilt or active again", async () => {
    const { db, projection, publish } = callsFixture();
    publish(requested("r-1"));
    await projection.catchUp();
    const store = createGraphStore(db);
    const id = projection.calls.graph()?.id as string;
    store.archiveGraph(id);
    publish(requested("r-2"));
    await expect(projection.catchUp()).rejects.toThrow(withCode("READ_ONLY"));
    store.updateGraph(id, { status: "active" });
    expect(await projection.catchUp()).toBe(1);
    store.deleteGraph(id);
    publish(requested("r-3"));
    await expect(projection.catchUp()).rejects.toThrow(withCode("NOT_FOUND"));
    expect(projection.calls.graph()).toBeNull();
    await projection.rebuild();
    expect(projection.calls.roots().items).toHaveLength(3);
  });

  test("answers while the database is closed", async () => {
    const { client, projection } = callsFixture();
    client.close();
    await expect(projection.catchUp()).rejects.toThrow(withCode("CLOSED"));
    expect(() => projection.calls.roots()).toThrow(withCode("CLOSED"));
  });
});

describe("call projection: what becomes of a call (M37)", () => {
  const cases: readonly (readonly [string, readonly CallEvent[], object])[] = [
    ["a request is pending", [], { status: "pending", completedAt: null, durationMs: null }],
    ["an answer completes", [responded("r", { n: 1 })], { status: "completed", output: { n: 1 } }],
    ["an error fails", [failed("r")], { status: "failed", error: { code: "NOT_FOUND" } }],
    ["an abort aborts", [aborted("r")], { status: "aborted" }],
    ["completed completes", [completed("r")], { status: "completed" }],
    ["the first end counts", [aborted("r"), responded("r"), failed("r")], { status: "aborted" }],
    [
      "a late answer is kept",
      [completed("r"), responded("r", 7)],
      { status: "completed", output: 7 },
    ],
    [
      "only the first of them",
      [completed("r"), responded("r", 7), responded("r", 8)],
      { output: 7 },
    ],
    [
      "a second request changes nothing",
      [requested("r", { operationId: "x" })],
      { operationId: "fs.read" },
    ],
  ];
  test.each(cases)("%s", async (_, events, expected) => {
    const { projection, publish } = callsFixture();
    publish(requested("r"), ...events);
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject(expected);
  });

  test("a subscription runs on after an answer, and keeps the last one", async () => {
    const { projection, publish } = callsFixture({ isSubscription: (id) => id === "fs.watch" });
    publish(requested("r", { operationId: "fs.watch" }), responded("r", 1), responded("r", 2));
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject({ status: "running", output: 2 });
    publish(completed("r"), responded("r", 3));
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject({ status: "completed", output: 2 });
  });

  test("numbered answers that come twice or late do not replace newer ones; the request says what it is", async () => {
    const { client, projection } = callsFixture();
    const raw = client.stream("call-protocol");
    raw.publish({ ...requested("r"), answers: "many" });
    for (const sequence of [1, 2, 1]) raw.publish({ ...responded("r", sequence), sequence });
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject({ status: "running", output: 2 });
  });

  test("times are those of the events, and an end before its request lasts no time", async () => {
    const clock = new FakeClock(Date.UTC(2026, 5, 1));
    const { projection, publish } = callsFixture({}, tempDatabase({ clock }));
    publish(requested("r"), responded("early"));
    clock.advance(1_234);
    publish(responded("r"), requested("early"));
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject({
      startedAt: "2026-06-01T00:00:00.000Z",
      completedAt: "2026-06-01T00:00:01.234Z",
      durationMs: 1_234,
    });
    expect(projection.calls.duration("r")).toBe(1_234);
    expect(projection.calls.get("early")).toMatchObject({ status: "completed", durationMs: 0 });
  });

  test("an identity is kept without whatever else a caller put there", async () => {
    const { client, projection } = callsFixture();
    client.stream("call-protocol").publish({
      ...requested("r"),
      identity: {
        id: "ada",
        scopes: ["graphs:read", "not a scope", 7],
        resources: { "project:1": ["read", ""], odd: 1 },
        token: "secret-token",
      },
      metadata: { authorization: "secret-token" },
    });
    await projection.catchUp();
    expect(projection.calls.get("r")?.identity).toEqual({
      id: "ada",
      scopes: ["graphs:read"],
      resources: { "project:1": ["read"], odd: [] },
    });
    expect(JSON.stringify(contentOf(projection))).not.toContain("secret-token");
  });

  test("what is too large or too deep is left out, and said", async () => {
    const { client, projection, publish } = callsFixture({ maxPayloadBytes: 1_000 });
    const large = "x".repeat(10_000_000);
    let deep: unknown = 1;
    for (let level = 0; level < 600; level++) deep = [deep];
    publish(requested("r", { input: large }), responded("r", large));
    publish(responded("early", large), requested("early"));
    client.stream("call-protocol").publish({ ...failed("deep"), details: deep });
    publish(requested("deep"));
    await projection.catchUp();
    expect(projection.calls.get("r")).toMatchObject({
      status: "completed",
      leftOut: ["input", "output"],
    });
    expect(projection.calls.get("r")).not.toHaveProperty("output");
    expect(projection.calls.get("early")?.leftOut).toEqual(["output"]);
    expect(projection.calls.get("deep")?.leftOut).toEqual(["details"]);
  });

  test("events that cannot be read go to the dead letters with their reason, and others go on", async () => {
    const { client, projection, stream, publish } = callsFixture();
    const raw = client.stream("call-protocol");
    const unreadable = [
      7,
      null,
      {},
      { type: "call.requested" },
      { type: "call.requested", requestId: "" },
      { type: "call.requested", requestId: "x".repeat(513) },
      { type: "call.requested", requestId: "a\0b" },
      { type: "call.requested", requestId: "r", operationId: 1 },
    ];
    raw.publishMany(unreadable);
    client.execute(
      "INSERT INTO _honker_stream (topic, payload, created_at) VALUES ('call-protocol', '{', 0)",
    );
    raw.publishMany([{ type: "call.heartbeat", requestId: "r" }, { type: "call.future" }]);
    publish(requested("good"));
    await projection.catchUp();
    const letters = stream.deadLetters("hub:a:calls").list();
    expect(letters).toHaveLength(unreadable.length + 1);
    expect(letters[5]?.reason).toContain("requestId has 513 characters");
    expect(projection.calls.roots().items.map(({ requestId }) => requestId)).toEqual(["good"]);
    expect(projection.status()).toMatchObject({ lag: 0 });
  });
});

describe("call projection: edges (M37)", () => {
  test("join a call to its parent and to what it depends on, whichever was requested first", async () => {
    const { projection, publish } = callsFixture();
    publish(
      requested("child", {
        parentRequestId: "root",
        metadata: { dependsOn: ["late", "root", "child"] },
      }),
      requested("root"),
    );
    await projection.catchUp();
    expect(projection.status().waiting).toBe(1);
    publish(requested("late", { parentRequestId: "never" }));
    await projection.catchUp();
    expect(contentOf(projection)).toMatchObject({
      edges: ["child depends_on late", "child depends_on root", "root triggered child"],
    });
    const { calls } = projection;
    expect(calls.children("root").items).toMatchObject([{ requestId: "child" }]);
    expect(calls.dependencies("child").items).toMatchObject([
      { requestId: "late", parentRequestId: "never" },
      { requestId: "root" },
    ]);
    expect(calls.roots().items).toMatchObject([{ requestId: "root" }]);
  });

  test("calls that name each other as parents go round without end nowhere", async () => {
    const { projection, publish } = callsFixture();
    publish(
      requested("a", { parentRequestId: "b" }),
      requested("b", { parentRequestId: "a" }),
      requested("self", { parentRequestId: "self" }),
    );
    await projection.catchUp();
    expect(projection.calls.lineage("a")).toMatchObject([{ requestId: "b" }]);
    expect(projection.calls.get("self")).toMatchObject({ parentRequestId: null });
  });
});

describe("call projection: questions (M37)", () => {
  test("all are answered before anything was projected", () => {
    const { calls } = callsFixture().projection;
    expect(calls.graph()).toBeNull();
    expect(calls.get("r")).toBeNull();
    expect(calls.duration("r")).toBeNull();
    expect(calls.toGraphology()).toBeNull();
    expect(calls.slowest()).toEqual([]);
    expect(calls.lineage("r")).toEqual([]);
    expect(calls.descendants("r")).toEqual({ calls: [], complete: true });
    expect(calls.roots()).toEqual({ items: [], cursor: null });
    expect(calls.statusCounts()).toEqual({
      pending: 0,
      running: 0,
      completed: 0,
      failed: 0,
      aborted: 0,
    });
  });

  test("about the tree, failures, times and counts", async () => {
    const clock = new FakeClock(Date.UTC(2026, 5, 1));
    const { projection, publish } = callsFixture({}, tempDatabase({ clock }));
    publish(requested("root"));
    for (const [id, parent] of [
      ["a", "root"],
      ["b", "root"],
      ["a1", "a"],
      ["a2", "a"],
    ] as const) {
      publish(requested(id, { parentRequestId: parent }));
    }
    for (const [id, ms] of [
      ["a1", 10],
      ["a2", 20],
      ["a", 5],
      ["b", 1],
    ] as const) {
      clock.advance(ms);
      publish(id === "a2" || id === "b" ? failed(id) : responded(id));
    }
    await projection.catchUp();
    const { calls } = projection;
    const ids = (list: readonly { readonly requestId: string }[]) => list.map((it) => it.requestId);
    expect(ids(calls.lineage("a1"))).toEqual(["a", "root"]);
    expect(ids(calls.descendants("root").calls).sort()).toEqual(["a", "a1", "a2", "b"]);
    expect(ids(calls.descendants("root", { depth: 1 }).calls).sort()).toEqual(["a", "b"]);
    expect(calls.descendants("root", { limit: 2 }).complete).toBe(false);
    expect(ids(calls.failures().items)).toEqual(["b", "a2"]);
    expect(ids(calls.failures({ since: new Date(Date.UTC(2026, 5, 1) + 31) }).items)).toEqual([
      "b",
    ]);
    expect(ids(calls.slowest({ limit: 2 }))).toEqual(["b", "a"]);
    expect(calls.statusCounts()).toMatchObject({ pending: 1, completed: 2, failed: 2 });
    expect(calls.toGraphology()?.edges).toHaveLength(4);
    expect(() => calls.slowest({ limit: 0 })).toThrow(withCode("INVALID_ARGUMENT"));
    expect(() => calls.failures({ since: new Date(Number.NaN) })).toThrow(
      withCode("INVALID_ARGUMENT"),
    );
  });
});

describe("call projection: live (M37)", () => {
  test("follows what is published until it is stopped, and goes on where it was", async () => {
    const { projection, publish } = callsFixture();
    projection.start();
    projection.start();
    publish(requested("r-1"));
    await eventually("the call is there", () => projection.calls.get("r-1"));
    publish(responded("r-1"));
    await eventually("it is completed", () => projection.calls.get("r-1")?.status === "completed");
    await projection.stop();
    await projection.stop();
    publish(requested("r-2"));
    expect(projection.calls.get("r-2")).toBeNull();
    projection.start();
    await eventually("the second call is there", () => projection.calls.get("r-2"));
  });

  test("leaves the process alone for most of the time, and projects everything in the end", async () => {
    const { projection, publish } = callsFixture({ share: 0.5, batchSize: 2 });
    publish(...Array.from({ length: 20 }, (_, at) => requested(`r-${at}`)));
    projection.start();
    await eventually("all calls are there", () => projection.calls.statusCounts().pending === 20);
    await projection.stop();
    expect(projection.status().lag).toBe(0);
  });

  test("tries again what fails, says so, and ends with the database", async () => {
    const errors: unknown[] = [];
    const { db, client, projection, publish } = callsFixture({
      onError: (error) => errors.push(error),
    });
    publish(requested("r-1"));
    await projection.catchUp();
    const store = createGraphStore(db);
    const id = projection.calls.graph()?.id as string;
    store.archiveGraph(id);
    projection.start();
    publish(requested("r-2"));
    await eventually("it fails", () => errors.length > 0);
    store.updateGraph(id, { status: "active" });
    await eventually("the call is there", () => projection.calls.get("r-2"));
    client.close();
    await projection.stop();
    expect(errors.every((error) => (error as { code: string }).code === "READ_ONLY")).toBe(true);
  });

  test("retention never takes events that are not projected", async () => {
    const { projection, stream, publish } = callsFixture();
    await projection.catchUp();
    publish(requested("r-1"));
    expect(stream.prune({ maxCount: 0 })).toBe(0);
    await projection.catchUp();
    expect(stream.prune({ maxCount: 0 })).toBe(1);
  });
});

describe("call projection: rebuild (M37)", () => {
  test("puts an equal graph in place and archives the old one, or deletes it", async () => {
    const { db, projection, publish } = callsFixture({ batchSize: 2 });
    publish(requested("r-1"), responded("r-1"), requested("r-2", { parentRequestId: "r-1" }));
    await projection.catchUp();
    const before = contentOf(projection);
    const old = projection.calls.graph()?.id as string;
    const done = await projection.rebuild();
    expect(done).toEqual({
      graphId: projection.calls.graph()?.id,
      previousGraphId: old,
      events: 3,
    });
    expect(contentOf(projection)).toEqual(before);
    const store = createGraphStore(db);
    expect(store.getGraph(old)?.status).toBe("archived");
    const again = await projection.rebuild({ old: "delete" });
    expect(again.previousGraphId).toBeNull();
    expect(store.getGraph(done.graphId)).toBeNull();
    expect(contentOf(projection)).toEqual(before);
    publish(failed("r-2"));
    expect(await projection.catchUp()).toBe(1);
  });

  test("shows the old graph, kept up to date, until the new one is whole; goes on after an abort", async () => {
    const { projection, publish } = callsFixture({ batchSize: 1 });
    publish(requested("r-1"), requested("r-2"), requested("r-3"));
    await projection.catchUp();
    const old = projection.calls.graph()?.id;
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("enough"));
    await expect(projection.rebuild({ signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(projection.calls.graph()?.id).toBe(old);
    expect(projection.status().rebuildOffset).toBe(1);
    publish(responded("r-1"));
    await projection.catchUp();
    expect(projection.calls.get("r-1")?.status).toBe("completed");
    const { events } = await projection.rebuild();
    expect(events).toBe(3);
    expect(projection.calls.graph()?.id).not.toBe(old);
    expect(projection.calls.get("r-1")?.status).toBe("completed");
  });

  test("refuses to forget calls whose events were pruned, unless told to", async () => {
    const { projection, stream, publish } = callsFixture();
    publish(requested("r-1"));
    await projection.catchUp();
    stream.prune({ maxCount: 0 });
    publish(requested("r-2"));
    await expect(projection.rebuild()).rejects.toThrow(withCode("NOT_FOUND"));
    await projection.rebuild({ pruned: "forget" });
    expect(projection.calls.roots().items).toMatchObject([{ requestId: "r-2" }]);
    await projection.rebuild();
  });
});
