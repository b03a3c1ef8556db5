import { defineModule, graphConfig, nodeAttributes } from "@alkdev/storage/graphs";
import { registerGraphType, type StoredNode } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { events, fixture, graphOf, person, task } from "./graph-store-fixture.ts";

const failsWith = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

function issuesOf(call: () => unknown): readonly { path: string; subject: string }[] {
  try {
    call();
  } catch (error) {
    const { code, details } = error as { code: string; details: { issues: never } };
    expect(code).toBe("INVALID_ATTRIBUTES");
    return details.issues;
  }
  throw new Error("nothing was refused");
}

describe("graph store: refused nodes (M26, M27)", () => {
  const deep = (levels: number): object => {
    let value = {};
    for (let i = 0; i < levels; i++) value = { value };
    return value;
  };

  test.each<[string, unknown, string]>([
    ["no object", 7, ""],
    ["null", null, ""],
    ["no key", { type: "task" }, "/key"],
    ["an empty key", { key: "", type: "task", attributes: { title: "t" } }, "/key"],
    ["a key that is a number", { key: 1, type: "task", attributes: { title: "t" } }, "/key"],
    ["a key of 513 characters", task("k".repeat(513)), "/key"],
    ["a key with a NUL", task("a\0b"), "/key"],
    ["a key with half a surrogate pair", task("\udc00"), "/key"],
    ["an unknown type", { key: "a", type: "none" }, "/type"],
    ["an inherited type", { key: "a", type: "constructor" }, "/type"],
    ["no type", { key: "a" }, "/type"],
    ["a missing attribute", { key: "a", type: "task" }, "/attributes/title"],
    ["an attribute of another kind", task("a", { title: 1 }), "/attributes/title"],
    ["a value outside a union", task("a", { state: "later" }), "/attributes/state"],
    ["a wrong nested value", task("a", { size: { width: "3" } }), "/attributes/size/width"],
    [
      "an attribute the type lacks",
      { ...person("a"), attributes: { name: "a", age: 3 } },
      "/attributes/age",
    ],
    ["attributes that are an array", { key: "a", type: "task", attributes: [] }, "/attributes"],
    ["attributes that are text", { key: "a", type: "task", attributes: "{}" }, "/attributes"],
    ["NaN", task("a", { extra: { n: Number.NaN } }), "/attributes/extra/n"],
    ["a bigint", task("a", { extra: 1n }), "/attributes/extra"],
    ["a date", task("a", { extra: [new Date()] }), "/attributes/extra/0"],
    ["bytes", task("a", { extra: Buffer.from("x") }), "/attributes/extra"],
    ["a map", task("a", { extra: new Map() }), "/attributes/extra"],
    ["a function", task("a", { "a/b~c": () => 1 }), "/attributes/a~1b~0c"],
    ["a hole in an array", task("a", { extra: new Array(2) }), "/attributes/extra/0"],
    ["nesting without end", task("a", { extra: deep(10_000) }), ""],
    ["metadata that is null", { ...task("a"), metadata: null }, "/metadata"],
    ["metadata that is not JSON", { ...task("a"), metadata: { x: Infinity } }, "/metadata/x"],
    [
      "the store's metadata",
      { ...task("a"), metadata: { _metagraph: {} } },
      "/metadata/_metagraph",
    ],
  ])("%s", (_what, node, path) => {
    const { client, graph } = fixture();
    const before = events(client).length;
    for (const write of ["insertNodes", "upsertNodes"] as const) {
      const issues = issuesOf(() => graph[write]([task("good"), node as never]));
      expect(issues.map((issue) => issue.path)).toContainEqual(expect.stringContaining(path));
    }
    expect(graph.countNodes()).toBe(0);
    expect(events(client)).toHaveLength(before);
  });

  test("every problem of every node is told at once, and counted beyond the first thousand", () => {
    const { graph } = fixture();
    const nodes = Array.from({ length: 1_200 }, (_, i) => task(`n${i}`, { title: i }));
    const call = (): unknown => graph.insertNodes([task("a"), task("a"), ...nodes]);
    const issues = issuesOf(call);
    expect(issues).toHaveLength(1_000);
    expect(issues[0]).toEqual({ subject: 'node "a"', path: "/key", message: "is given twice" });
    expect(issues[1]).toMatchObject({ subject: 'node "n0"', path: "/attributes/title" });
    expect(call).toThrow(failsWith("INVALID_ATTRIBUTES", { count: 1_201 }));
    expect(call).toThrow(/and 1196 more/);
  });

  test("a key that is taken, and nothing of the call is kept", () => {
    const { client, graph } = fixture();
    graph.insertNodes([task("a")]);
    const before = events(client).length;
    expect(() => graph.insertNodes([task("b"), task("a"), task("c")])).toThrow(
      failsWith("ALREADY_EXISTS", { key: "a" }),
    );
    expect(graph.countNodes()).toBe(1);
    expect(events(client)).toHaveLength(before);
  });

  test.each([["null"], ["text"], ["an object"]])("rows that are %s", (what) => {
    const { graph } = fixture();
    const rows = { null: null, text: "ab", "an object": { key: "a" } }[what] as never;
    for (const write of [
      () => graph.insertNodes(rows),
      () => graph.upsertNodes(rows),
      () => graph.deleteNodes(rows),
      () => graph.getNodes(rows),
      () => graph.insertEdges(rows),
      () => graph.upsertEdges(rows),
      () => graph.deleteEdges(rows),
    ]) {
      expect(write).toThrow(failsWith("INVALID_ARGUMENT"));
    }
  });

  test("an upsert that would change the type of a node", () => {
    const { graph } = fixture();
    graph.insertNodes([person("a")]);
    expect(() => graph.upsertNodes([task("b"), task("a")])).toThrow(
      failsWith("ALREADY_EXISTS", { key: "a", expected: "task", found: "person" }),
    );
    expect(graph.countNodes()).toBe(1);
  });
});

describe("graph store: nodes (M27)", () => {
  test("what is written is read, also what is unusual", () => {
    const { graph } = fixture();
    const attributes = {
      title: 'quote " and \\ and \u0000 and 💡',
      "a.b": { "c/d": [null, true, -1.5e-7, "", { e: [] }] },
      big: 2 ** 53,
      undefined: "u",
      $ref: "x",
      "": 0,
    };
    const proto: unknown = JSON.parse('{"title":"t","__proto__":{"x":1}}');
    const ids = graph.insertNodes([
      { key: "a", type: "task", attributes, metadata: { source: "test" } },
      { key: "Ünïcode 💡 key", type: "task", attributes: proto as never },
      { key: "bare", type: "task", attributes: { title: "t", gone: undefined } },
    ]);
    expect(graph.getNode("a")).toMatchObject({
      id: ids[0],
      type: "task",
      attributes,
      metadata: { source: "test" },
      revision: 1,
      version: null,
    });
    expect(JSON.stringify(graph.getNode("Ünïcode 💡 key")?.attributes)).toBe(
      '{"title":"t","__proto__":{"x":1}}',
    );
    expect(graph.getNode("bare")?.attributes).toEqual({ title: "t" });
    expect(graph.getNode("A")).toBeNull();
  });

  test("an attribute of 10 MB", () => {
    const { graph } = fixture();
    const title = "x".repeat(10_000_000);
    graph.insertNodes([task("a", { title })]);
    expect(graph.getNode("a")?.attributes.title).toHaveLength(10_000_000);
  });

  test("many nodes are read in the order of their keys, null for the missing", () => {
    const { graph } = fixture();
    const keys = Array.from({ length: 2_500 }, (_, i) => `n${i}`);
    graph.insertNodes(keys.map((key) => task(key)));
    const wanted = [...keys].reverse().concat("none", "n7");
    const found = graph.getNodes(wanted);
    expect(found.map((node) => node?.key ?? null)).toEqual(
      [...keys].reverse().concat(null as never, "n7"),
    );
    expect(graph.getNodes([])).toEqual([]);
  });

  test("no rows are no work: no event, no error", () => {
    const { client, graph } = fixture();
    const before = events(client).length;
    expect(graph.insertNodes([])).toEqual([]);
    expect(graph.upsertNodes([])).toEqual({ created: 0, updated: 0, unchanged: 0 });
    expect(graph.deleteNodes([])).toBe(0);
    expect(graph.insertEdges([])).toEqual([]);
    expect(graph.deleteEdges(["none"])).toBe(0);
    expect(events(client)).toHaveLength(before);
  });

  test("an upsert creates, changes, and leaves alone what is equal", () => {
    const { client, graph } = fixture();
    graph.insertNodes([{ ...task("a"), metadata: { by: "x" } }, task("b")]);
    const before = events(client).length;
    const result = graph.upsertNodes([task("a", { state: "done" }), task("b"), task("c")]);
    expect(result).toEqual({ created: 1, updated: 1, unchanged: 1 });
    expect(graph.getNode("a")).toMatchObject({
      attributes: { title: "a", state: "done" },
      metadata: { by: "x" },
      revision: 2,
    });
    expect(graph.getNode("b")?.revision).toBe(1);
    expect(events(client).slice(before)).toEqual([
      ["nodes:created", { graphId: graph.id, keys: ["c"] }],
      ["nodes:updated", { graphId: graph.id, keys: ["a"] }],
    ]);
    graph.upsertNodes([{ ...task("b"), metadata: { by: "y" } }]);
    expect(graph.getNode("b")).toMatchObject({ metadata: { by: "y" }, revision: 2 });
  });

  test("a patch merges as RFC 7396 says, and is checked as a whole", () => {
    const { graph } = fixture();
    graph.insertNodes([
      task("a", { state: "open", size: { width: 1 }, tags: [1, 2], x: { y: 1 } }),
    ]);
    const node = graph.patchNode("a", {
      state: null,
      tags: [3],
      x: { z: { deep: null, kept: 1 } },
    });
    expect(node.attributes).toEqual({
      title: "a",
      size: { width: 1 },
      tags: [3],
      x: { y: 1, z: { kept: 1 } },
    });
    expect(issuesOf(() => graph.patchNode("a", { title: null }))).toMatchObject([
      { subject: 'node "a"', path: "/attributes/title" },
    ]);
    expect(graph.getNode("a")?.revision).toBe(2);
  });

  test.each<[string, unknown, string]>([
    ["a patch that is null", null, "INVALID_ARGUMENT"],
    ["a patch that is an array", [], "INVALID_ARGUMENT"],
    ["a patch with a date", { title: new Date() }, "INVALID_ARGUMENT"],
    ["a patch that does not fit", { state: "later" }, "INVALID_ATTRIBUTES"],
  ])("%s is refused", (_what, patch, code) => {
    const { graph } = fixture();
    graph.insertNodes([task("a")]);
    expect(() => graph.patchNode("a", patch as never)).toThrow(failsWith(code));
    expect(graph.getNode("a")?.revision).toBe(1);
  });

  test("a patch of a node that is not there is refused", () => {
    const { graph } = fixture();
    expect(() => graph.patchNode("none", {})).toThrow(failsWith("NOT_FOUND", { key: "none" }));
    expect(() => graph.replaceNode("none", { attributes: {} })).toThrow(failsWith("NOT_FOUND"));
  });

  test("merge patches agree with the algorithm of the RFC", () => {
    const graph = graphOf(fixture(), "loose_graph");
    const value = fc.jsonValue({ maxDepth: 3 });
    const object = fc.dictionary(fc.string({ maxLength: 3 }), value, { maxKeys: 4 });
    let n = 0;
    fc.assert(
      fc.property(object, object, (target, patch) => {
        n += 1;
        // JSON has no -0
        const [was, change] = JSON.parse(JSON.stringify([target, patch]));
        graph.insertNodes([{ key: `n${n}`, type: "thing", attributes: was }]);
        expect(graph.patchNode(`n${n}`, change).attributes).toEqual(rfc7396(was, change));
      }),
      { numRuns: 200 },
    );
  });

  test("a replacement takes the place of all attributes", () => {
    const { client, graph } = fixture();
    graph.insertNodes([{ ...task("a", { state: "open" }), metadata: { by: "x" } }]);
    const node = graph.replaceNode("a", { attributes: { title: "b" } });
    expect(node).toMatchObject({ attributes: { title: "b" }, metadata: { by: "x" }, revision: 2 });
    expect(graph.replaceNode("a", { attributes: { title: "b" }, metadata: {} }).metadata).toEqual(
      {},
    );
    const before = events(client).length;
    expect(graph.replaceNode("a", { attributes: { title: "b" } }).revision).toBe(3);
    expect(events(client)).toHaveLength(before);
  });

  test("a write of an older revision is a conflict", () => {
    const { graph } = fixture();
    graph.insertNodes([task("a")]);
    const { revision, updatedAt } = graph.getNode("a") as StoredNode;
    graph.patchNode("a", { state: "open" }, { ifRevision: revision, ifUpdatedAt: updatedAt });
    expect(() => graph.patchNode("a", { state: "done" }, { ifRevision: revision })).toThrow(
      failsWith("CONFLICT", { expected: 1, found: 2 }),
    );
    // also where nothing would change
    expect(() => graph.patchNode("a", { state: "open" }, { ifRevision: revision })).toThrow(
      failsWith("CONFLICT"),
    );
    const earlier = new Date(updatedAt.getTime() - 5_000);
    expect(() => graph.patchNode("a", { state: "done" }, { ifUpdatedAt: earlier })).toThrow(
      failsWith("CONFLICT", { expected: earlier.toISOString() }),
    );
    expect(graph.getNode("a")?.attributes.state).toBe("open");
  });

  test.each<[string, object]>([
    ["a revision of 0", { ifRevision: 0 }],
    ["a revision that is text", { ifRevision: "1" }],
    ["a time that is a number", { ifUpdatedAt: 5 }],
    ["a date that is none", { ifUpdatedAt: new Date("no") }],
  ])("%s to compare with is refused", (_what, options) => {
    const { graph } = fixture();
    graph.insertNodes([task("a")]);
    expect(() => graph.patchNode("a", {}, options)).toThrow(failsWith("INVALID_ARGUMENT"));
  });

  test("deleting nodes tells of their edges too", () => {
    const { client, graph } = fixture();
    graph.insertNodes([task("a"), task("b"), task("c"), person("p")]);
    graph.insertEdges([
      { key: "ab", type: "waits_for", source: "a", target: "b" },
      { key: "bc", type: "waits_for", source: "b", target: "c" },
      { key: "pa", type: "owns", source: "p", target: "a" },
    ]);
    const [id] = graph.insertEdges([{ type: "relates", source: "c", target: "a" }]);
    const before = events(client).length;
    expect(graph.deleteNodes(["a", "none", "a"])).toBe(1);
    expect(graph.listEdges().items.map(({ key }) => key)).toEqual(["bc"]);
    const told = events(client).slice(before);
    expect(told.map(([channel]) => channel)).toEqual(["edges:deleted", "nodes:deleted"]);
    const keys = (told[0]?.[1] as { keys?: string[] } | undefined)?.keys ?? [];
    expect([...keys].sort()).toEqual([id, "ab", "pa"].sort());
    expect(told[1]?.[1]).toEqual({ graphId: graph.id, keys: ["a"] });
  });

  test("keys of one write go into events of at most a thousand", () => {
    const { client, graph } = fixture();
    const before = events(client).length;
    const keys = Array.from({ length: 2_001 }, (_, i) => `n${i}`);
    graph.insertNodes(keys.map((key) => task(key)));
    const told = events(client)
      .slice(before)
      .map(([, payload]) => (payload as { keys: string[] }).keys);
    expect(told.map(({ length }) => length)).toEqual([1_000, 1_000, 1]);
    expect(told.flat()).toEqual(keys);
  });

  test("a transaction that rolls back takes its rows and events along; a savepoint only its own", () => {
    const { client, db, graph } = fixture();
    const before = events(client).length;
    expect(() =>
      db.transaction(() => {
        graph.insertNodes([task("a")]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([graph.countNodes(), events(client).length]).toEqual([0, before]);
    db.transaction(() => {
      graph.insertNodes([task("a")]);
      expect(() => graph.insertNodes([task("b"), task("a")])).toThrow(failsWith("ALREADY_EXISTS"));
      expect(graph.getNode("b")).toBeNull();
      graph.insertNodes([task("c")]);
    });
    expect(graph.listNodes().items.map(({ key }) => key)).toEqual(["a", "c"]);
    expect(events(client).slice(before)).toEqual([
      ["nodes:created", { graphId: graph.id, keys: ["a"] }],
      ["nodes:created", { graphId: graph.id, keys: ["c"] }],
    ]);
  });

  test("an async transaction of a graph is refused and rolled back", () => {
    const { graph } = fixture();
    const work = async (): Promise<void> => {
      graph.insertNodes([task("a")]);
    };
    expect(() => graph.transaction(work as never)).toThrow(
      expect.objectContaining({ code: "ASYNC_TRANSACTION" }),
    );
    expect(graph.countNodes()).toBe(0);
  });

  test("a graph type that changes is noticed at the next write, and so is one whose change is undone", () => {
    const tenant = fixture();
    const { db } = tenant;
    const wider = defineModule(
      { name: "note_graph" },
      {
        Config: graphConfig({}),
        NoteNode: nodeAttributes({ text: Type.String(), mark: Type.Optional(Type.String()) }),
      },
    );
    const narrow = defineModule(
      { name: "note_graph" },
      { Config: graphConfig({}), NoteNode: nodeAttributes({ text: Type.String() }) },
    );
    registerGraphType(db, narrow);
    const notes = graphOf(tenant, "note_graph");
    const marked = (key: string) => ({ key, type: "note", attributes: { text: "t", mark: "m" } });
    expect(() => notes.insertNodes([marked("a")])).toThrow(failsWith("INVALID_ATTRIBUTES"));
    expect(() =>
      db.transaction(() => {
        registerGraphType(db, wider);
        notes.insertNodes([marked("a")]);
        throw new Error("undo");
      }),
    ).toThrow("undo");
    expect(() => notes.insertNodes([marked("a")])).toThrow(failsWith("INVALID_ATTRIBUTES"));
    registerGraphType(db, wider);
    notes.insertNodes([marked("a")]);
  });

  test("a node written by raw SQL without a type can be read, listed and deleted, and not changed", () => {
    const { client, graph } = fixture();
    client.execute("INSERT INTO nodes (id, graph_id, key, metadata) VALUES ('x', ?, 'raw', '[]')", [
      graph.id,
    ]);
    expect(graph.getNode("raw")).toMatchObject({ type: null, metadata: {}, revision: 1 });
    client.execute("UPDATE nodes SET metadata = ?", [
      '{"a":1,"_metagraph":{"nodeType":7,"revision":"x","version":[]}}',
    ]);
    const odd = { type: null, metadata: { a: 1 }, revision: 1, version: null };
    expect(graph.getNode("raw")).toMatchObject(odd);
    expect(() => graph.patchNode("raw", { a: 1 })).toThrow(failsWith("INVALID_ATTRIBUTES"));
    expect(graph.listNodes().items).toHaveLength(1);
    expect(graph.listNodes({ type: "task" }).items).toHaveLength(0);
    expect(graph.deleteNodes(["raw"])).toBe(1);
  });

  test("a version that a migration stamped stays", () => {
    const { client, graph } = fixture();
    graph.insertNodes([task("a")]);
    client.execute("UPDATE nodes SET metadata = json_set(metadata, '$._metagraph.version', 4)");
    expect(graph.patchNode("a", { state: "open" }).version).toBe(4);
  });
});

/** The algorithm of RFC 7396, section 2, as written there. */
function rfc7396(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result = new Map(Object.entries(isObject ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, rfc7396(result.get(name), value));
  }
  return Object.fromEntries(result);
}
