import { describe, expect, test } from "vitest";
import { events, fixture, task } from "./graph-store-fixture.ts";

const failsWith = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

describe("graph store: refused graphs (M27)", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["no object", null as never, "INVALID_ARGUMENT"],
    ["no name", { type: "task_graph" }, "INVALID_ARGUMENT"],
    ["an empty name", { type: "task_graph", name: "" }, "INVALID_ARGUMENT"],
    ["a name that is no text", { type: "task_graph", name: 3 }, "INVALID_ARGUMENT"],
    ["half a surrogate pair", { type: "task_graph", name: "\ud800" }, "INVALID_ARGUMENT"],
    ["no type", { name: "x" }, "INVALID_ARGUMENT"],
    ["a type that is not stored", { type: "none", name: "x" }, "NOT_FOUND"],
    ["an unknown status", { type: "task_graph", name: "x", status: "gone" }, "INVALID_ARGUMENT"],
    ["an inherited status", { type: "task_graph", name: "x", toString: 1 }, "INVALID_ARGUMENT"],
    ["a misspelt field", { type: "task_graph", name: "x", owner: "a" }, "INVALID_ARGUMENT"],
    ["an empty owner", { type: "task_graph", name: "x", ownerId: "" }, "INVALID_ARGUMENT"],
    [
      "metadata that is no object",
      { type: "task_graph", name: "x", metadata: [] },
      "INVALID_ARGUMENT",
    ],
    [
      "metadata that is not JSON",
      { type: "task_graph", name: "x", metadata: { at: new Date() } },
      "INVALID_ARGUMENT",
    ],
    [
      "the store's own metadata",
      { type: "task_graph", name: "x", metadata: { _metagraph: { revision: 7 } } },
      "INVALID_ARGUMENT",
    ],
  ])("%s", (_what, input, code) => {
    const { store, client } = fixture();
    expect(() => store.createGraph(input as never)).toThrow(failsWith(code));
    expect(store.listGraphs().items).toHaveLength(1);
    expect(events(client)).toHaveLength(1);
  });

  test("an id that is taken", () => {
    const { store } = fixture();
    store.createGraph({ type: "task_graph", name: "one", id: "g-1" });
    expect(() => store.createGraph({ type: "task_graph", name: "two", id: "g-1" })).toThrow(
      failsWith("ALREADY_EXISTS", { graphId: "g-1" }),
    );
    expect(store.getGraph("g-1")?.name).toBe("one");
  });

  test.each<[string, Record<string, unknown>]>([
    ["another id", { id: "x" }],
    ["another type", { type: "loose_graph" }],
    ["an unknown field", { key: "x" }],
    ["a null name", { name: null }],
  ])("a change to %s", (_what, changes) => {
    const { store, graph } = fixture();
    expect(() => store.updateGraph(graph.id, changes)).toThrow(failsWith("INVALID_ARGUMENT"));
    expect(store.getGraph(graph.id)?.revision).toBe(1);
  });

  test("calls about a graph that is not there", () => {
    const { store } = fixture();
    expect(() => store.graph("none")).toThrow(failsWith("NOT_FOUND", { graphId: "none" }));
    expect(() => store.updateGraph("none", {})).toThrow(failsWith("NOT_FOUND"));
    expect(() => store.archiveGraph("none")).toThrow(failsWith("NOT_FOUND"));
    expect(store.getGraph("none")).toBeNull();
    expect(store.deleteGraph("none")).toBe(false);
  });

  test("every call on a closed database", () => {
    const { client, store, graph } = fixture();
    client.close();
    for (const call of [
      () => store.getGraph("x"),
      () => store.createGraph({ type: "task_graph", name: "x" }),
      () => graph.getNode("a"),
      () => graph.insertNodes([task("a")]),
      () => graph.reachable(["a"]),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "CLOSED" }));
    }
  });
});

describe("graph store: graphs (M27)", () => {
  test("a graph has what it was given, and defaults for the rest", () => {
    const { store } = fixture();
    expect(store.createGraph({ type: "task_graph", name: "plain" })).toMatchObject({
      type: "task_graph",
      name: "plain",
      description: "",
      status: "draft",
      ownerId: null,
      projectId: null,
      metadata: {},
      revision: 1,
    });
    const full = {
      id: "g-1",
      type: "task_graph",
      name: 'quotes "and" such',
      description: "what for",
      status: "active",
      ownerId: "a-1",
      projectId: "p-1",
      metadata: { note: { deep: [null, 1.5] } },
    } as const;
    expect(store.createGraph(full)).toMatchObject(full);
    expect(store.getGraph("g-1")).toMatchObject(full);
  });

  test("a change counts the revision and leaves its event; an equal one leaves neither", () => {
    const { client, store, graph } = fixture();
    const before = events(client).length;
    const changed = store.updateGraph(graph.id, { name: "new", ownerId: "a-1", description: "" });
    expect(changed).toMatchObject({ name: "new", ownerId: "a-1", revision: 2 });
    store.updateGraph(graph.id, { name: "new", ownerId: "a-1" });
    expect(store.getGraph(graph.id)?.revision).toBe(2);
    expect(events(client).slice(before)).toEqual([
      ["graph:updated", { graphId: graph.id, changes: { name: "new", ownerId: "a-1" } }],
    ]);
  });

  test("only one of two changes of the same revision is made", () => {
    const { store, graph } = fixture();
    store.updateGraph(graph.id, { name: "mine" }, { ifRevision: 1 });
    expect(() => store.updateGraph(graph.id, { name: "theirs" }, { ifRevision: 1 })).toThrow(
      failsWith("CONFLICT", { expected: 1, found: 2 }),
    );
    expect(() => store.archiveGraph(graph.id, { ifRevision: 1 })).toThrow(failsWith("CONFLICT"));
    expect(store.getGraph(graph.id)?.name).toBe("mine");
  });

  test("an archived graph can be read and deleted, and written only after it is active again", () => {
    const { store, graph } = fixture();
    graph.insertNodes([task("a"), task("b")]);
    const [id] = graph.insertEdges([{ type: "waits_for", source: "a", target: "b" }]);
    store.archiveGraph(graph.id);
    const edge = { type: "waits_for", source: "b", target: "a" };
    for (const write of [
      () => graph.insertNodes([task("c")]),
      () => graph.upsertNodes([task("a")]),
      () => graph.patchNode("a", { title: "x" }),
      () => graph.replaceNode("a", { attributes: { title: "x" } }),
      () => graph.deleteNodes(["a"]),
      () => graph.insertEdges([edge]),
      () => graph.upsertEdges([edge]),
      () => graph.patchEdge(id as string, { weight: 1 }),
      () => graph.deleteEdges([id as string]),
      () => store.updateGraph(graph.id, { name: "x" }),
      () => store.updateGraph(graph.id, { name: "x", status: "archived" }),
    ]) {
      expect(write).toThrow(failsWith("READ_ONLY", { graphId: graph.id }));
    }
    expect(store.archiveGraph(graph.id).revision).toBe(2);
    expect(graph.getNode("a")?.revision).toBe(1);
    expect(graph.neighbours("a").items).toHaveLength(1);
    store.updateGraph(graph.id, { status: "active" });
    graph.insertNodes([task("c")]);
    store.archiveGraph(graph.id);
    expect(store.deleteGraph(graph.id)).toBe(true);
  });

  test("a deleted graph takes its nodes and edges along; its handle finds nothing", () => {
    const { client, store, graph } = fixture();
    graph.insertNodes([task("a"), task("b")]);
    graph.insertEdges([{ type: "waits_for", source: "a", target: "b" }]);
    store.deleteGraph(graph.id);
    expect(client.rows("SELECT count(*) FROM nodes UNION ALL SELECT count(*) FROM edges")).toEqual([
      [0],
      [0],
    ]);
    expect(graph.getNode("a")).toBeNull();
    expect(graph.listEdges().items).toEqual([]);
    expect(() => graph.insertNodes([task("a")])).toThrow(failsWith("NOT_FOUND"));
    expect(() => graph.describe()).toThrow(failsWith("NOT_FOUND"));
    expect(events(client).at(-1)).toEqual(["graph:deleted", { graphId: graph.id }]);
  });

  test("graphs are listed by type, status, owner and project, oldest first, page by page", () => {
    const { store, graph } = fixture();
    const made = [0, 1, 2, 3, 4, 5].map((i) =>
      store.createGraph({
        type: i % 2 === 0 ? "task_graph" : "loose_graph",
        name: `g${i}`,
        status: i < 3 ? "active" : "draft",
        ownerId: i === 4 ? null : `owner-${i % 3}`,
        projectId: "p",
      }),
    );
    const names = (options: object) => store.listGraphs(options).items.map(({ name }) => name);
    expect(names({ type: "loose_graph" })).toEqual(["g1", "g3", "g5"]);
    expect(names({ status: "active" })).toEqual(["g0", "g1", "g2"]);
    expect(names({ ownerId: "owner-0" })).toEqual(["g0", "g3"]);
    expect(names({ ownerId: null, projectId: "p" })).toEqual(["g4"]);
    expect(names({ projectId: null })).toEqual(["tasks"]);
    expect(names({ type: "none" })).toEqual([]);
    const first = store.listGraphs({ limit: 4 });
    expect(first.items.map(({ id }) => id)).toEqual([
      graph.id,
      ...made.slice(0, 3).map((g) => g.id),
    ]);
    const second = store.listGraphs({ limit: 4, cursor: first.cursor });
    expect(second.items).toHaveLength(3);
    expect(second.cursor).toBeNull();
  });

  test.each<[string, object]>([
    ["a limit of 0", { limit: 0 }],
    ["a limit that is no number", { limit: "10" }],
    ["a limit of NaN", { limit: Number.NaN }],
    ["a limit beyond 10,000", { limit: 10_001 }],
    ["a cursor that is none", { cursor: "first" }],
    ["an empty cursor", { cursor: "" }],
    [
      "a cursor of another list",
      { cursor: Buffer.from('["nodes key","a"]').toString("base64url") },
    ],
    [
      "a cursor with an object in it",
      { cursor: Buffer.from('["graphs",{}]').toString("base64url") },
    ],
    ["an unknown filter", { owner: "x" }],
    ["a filter by name", { name: "x" }],
    ["a status that is none", { status: "gone" }],
  ])("a list with %s is refused", (_what, options) => {
    const { store } = fixture();
    expect(() => store.listGraphs(options)).toThrow(failsWith("INVALID_ARGUMENT"));
  });

  test("a graph whose type is gone can be read, and not written", () => {
    const { client, store, graph } = fixture();
    graph.insertNodes([task("a")]);
    client.execute("UPDATE graphs SET graph_type_id = NULL WHERE id = ?", [graph.id]);
    expect(store.getGraph(graph.id)).toMatchObject({ type: null, typeId: null });
    expect(graph.getNode("a")?.type).toBe("task");
    expect(graph.describe()).toMatchObject({ nodeTypes: [], edgeTypes: [] });
    expect(() => graph.insertNodes([task("b")])).toThrow(failsWith("NOT_FOUND"));
  });

  test("while its type is being migrated a graph can be read, and not written", () => {
    const { client, graph } = fixture();
    graph.insertNodes([task("a")]);
    client.execute("UPDATE graph_types SET version = 3 WHERE name = 'task_graph'");
    expect(graph.getNode("a")?.key).toBe("a");
    expect(() => graph.patchNode("a", { title: "b" })).toThrow(failsWith("MIGRATION_STATE"));
    client.execute("UPDATE graph_types SET version = 4 WHERE name = 'task_graph'");
    graph.patchNode("a", { title: "b" });
  });

  test("the clock that was given is the one that counts", async () => {
    const { createGraphStore } = await import("@alkdev/storage/sqlite");
    const { db } = fixture();
    let now = Date.UTC(2026, 5, 1);
    const store = createGraphStore(db, { clock: { now: () => now } });
    const { id, createdAt } = store.createGraph({ type: "task_graph", name: "x" });
    expect(createdAt.toISOString()).toBe("2026-06-01T00:00:00.000Z");
    now += 90_999;
    expect(store.updateGraph(id, { name: "y" })).toMatchObject({
      createdAt,
      updatedAt: new Date("2026-06-01T00:01:30Z"),
    });
  });
});
