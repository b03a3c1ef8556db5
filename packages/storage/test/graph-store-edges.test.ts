import type { StoredEdge } from "@alkdev/storage/sqlite";
import { describe, expect, test } from "vitest";
import { events, type Fixture, fixture, graphOf, person, task } from "./graph-store-fixture.ts";

const failsWith = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) });

const waits = (source: string, target: string, more: object = {}) => ({
  type: "waits_for",
  source,
  target,
  ...more,
});
const relates = (source: string, target: string, more: object = {}) => ({
  ...waits(source, target, more),
  type: "relates",
});
const link = (source: string, target: string, more: object = {}) => ({
  ...waits(source, target, more),
  type: "link",
});

/** Tasks a, b, c and a person p. */
function peopled(): Fixture {
  const all = fixture();
  all.graph.insertNodes([task("a"), task("b"), task("c"), person("p")]);
  return all;
}

describe("graph store: refused edges (M26, M27)", () => {
  test.each<[string, unknown, string]>([
    ["no object", 7, ""],
    ["no source", { type: "relates", target: "a" }, "/source"],
    ["a target that is no text", relates("a", 7 as never), "/target"],
    ["an empty key", relates("a", "b", { key: "" }), "/key"],
    ["a null key", relates("a", "b", { key: null }), "/key"],
    ["an unknown type", { ...relates("a", "b"), type: "none" }, "/type"],
    ["an attribute the type lacks", waits("a", "b", { attributes: { x: 1 } }), "/attributes/x"],
    ["a wrong attribute", waits("a", "b", { attributes: { weight: "1" } }), "/attributes/weight"],
    ["a flag that is no boolean", relates("a", "b", { undirected: 1 }), "/undirected"],
    [
      "the store's metadata",
      relates("a", "b", { metadata: { _metagraph: 1 } }),
      "/metadata/_metagraph",
    ],
  ])("%s", (_what, edge, path) => {
    const { client, graph } = peopled();
    const before = events(client).length;
    for (const write of ["insertEdges", "upsertEdges"] as const) {
      const call = (): unknown => graph[write]([relates("a", "c"), edge as never]);
      const issues = [expect.objectContaining({ path })];
      expect(call).toThrow(failsWith("INVALID_ATTRIBUTES", { issues }));
    }
    expect(graph.countEdges()).toBe(0);
    expect(events(client)).toHaveLength(before);
  });

  test.each<[string, object, string, RegExp]>([
    ["a source that is not there", waits("none", "b"), "/source", /there is no node "none"/],
    ["a target that is not there", waits("a", "none"), "/target", /there is no node "none"/],
    [
      "ends of other types",
      waits("p", "a"),
      "",
      /leads from task to task, not from person to task/,
    ],
    [
      "ends the wrong way round",
      { ...waits("a", "p"), type: "owns" },
      "",
      /not from task to person/,
    ],
    ["a loop", relates("a", "a"), "/target", /no loops/],
    ["one that stands already", relates("a", "b"), "", /joins these nodes already/],
  ])("%s", (_what, edge, path, message) => {
    const { client, graph } = peopled();
    graph.insertEdges([relates("a", "b")]);
    const before = events(client).length;
    const issue = expect.objectContaining({ path, message: expect.stringMatching(message) });
    expect(() => graph.insertEdges([relates("b", "c"), edge as never])).toThrow(
      failsWith("EDGE_NOT_ALLOWED", { issues: [issue] }),
    );
    expect(graph.countEdges()).toBe(1);
    expect(events(client)).toHaveLength(before);
  });

  test("all edges that are not allowed are told at once, and why", () => {
    const { graph } = peopled();
    const many = Array.from({ length: 1_500 }, (_, i) => waits(`x${i}`, "a"));
    const call = (): unknown => graph.insertEdges([waits("a", "b"), waits("a", "a"), ...many]);
    expect(call).toThrow(failsWith("EDGE_NOT_ALLOWED", { count: 1_501 }));
    expect(call).toThrow(/edge "a" to "a" \/target: .*; and 1496 more/s);
  });

  test("a node of another graph is no end", () => {
    const all = peopled();
    const other = graphOf(all, "task_graph");
    other.insertNodes([task("a"), task("z")]);
    expect(() => all.graph.insertEdges([relates("a", "z")])).toThrow(failsWith("EDGE_NOT_ALLOWED"));
  });

  test("a key that is taken, twice in a call or in the graph", () => {
    const { graph } = peopled();
    const pair = [relates("a", "b", { key: "k" }), relates("b", "c", { key: "k" })];
    expect(() => graph.insertEdges(pair)).toThrow(
      failsWith("INVALID_ATTRIBUTES", { issues: [expect.objectContaining({ path: "/key" })] }),
    );
    graph.insertEdges(pair.slice(0, 1));
    expect(() => graph.insertEdges(pair.slice(1))).toThrow(
      failsWith("ALREADY_EXISTS", { key: "k" }),
    );
    expect(graph.countEdges()).toBe(1);
  });

  test.each<[string, string, object]>([
    [
      "an undirected edge in a directed graph",
      "directed_graph",
      link("a", "b", { undirected: true }),
    ],
    [
      "a directed edge in an undirected graph",
      "friend_graph",
      { type: "knows", source: "a", target: "b", undirected: false },
    ],
  ])("%s", (_what, type, edge) => {
    const graph = graphOf(fixture(), type);
    const [nodeType] = graph.describe().nodeTypes;
    graph.insertNodes(["a", "b"].map((key) => ({ key, type: nodeType as string })));
    expect(() => graph.insertEdges([edge as never])).toThrow(
      failsWith("EDGE_NOT_ALLOWED", { issues: [expect.objectContaining({ path: "/undirected" })] }),
    );
  });
});

describe("graph store: parallel edges", () => {
  test("two types may join the same nodes, and one type may lead both ways", () => {
    const { graph } = peopled();
    graph.insertEdges([waits("a", "b"), relates("a", "b"), relates("b", "a")]);
    graph.insertEdges([relates("a", "b", { undirected: true })]);
    expect(graph.countEdges()).toBe(4);
  });

  test.each<[string, object[]]>([
    ["in one call", [relates("a", "b"), relates("a", "b", { key: "k" })]],
    [
      "undirected, either way round",
      [relates("a", "b", { undirected: true }), relates("b", "a", { undirected: true })],
    ],
  ])("%s they are refused", (_what, edges) => {
    const { graph } = peopled();
    expect(() => graph.insertEdges(edges as never)).toThrow(failsWith("EDGE_NOT_ALLOWED"));
    graph.insertEdges(edges.slice(0, 1) as never);
    expect(() => graph.insertEdges(edges.slice(1) as never)).toThrow(failsWith("EDGE_NOT_ALLOWED"));
    expect(graph.countEdges()).toBe(1);
  });

  test("a graph type with multi-edges and loops takes any number of them", () => {
    const graph = graphOf(fixture(), "loose_graph");
    graph.insertNodes([
      { key: "a", type: "thing" },
      { key: "b", type: "thing" },
    ]);
    const edges = [
      link("a", "b"),
      link("a", "b"),
      link("a", "a"),
      link("a", "a", { undirected: true }),
    ];
    expect(new Set(graph.insertEdges(edges)).size).toBe(4);
    expect(graph.upsertEdges(edges)).toEqual({ created: 4, updated: 0, unchanged: 0 });
  });

  test("in an undirected graph edges are undirected unless said otherwise", () => {
    const graph = graphOf(fixture(), "friend_graph");
    graph.insertNodes([
      { key: "a", type: "person" },
      { key: "b", type: "person" },
    ]);
    graph.insertEdges([{ type: "knows", source: "a", target: "b" }]);
    expect(graph.listEdges().items[0]?.undirected).toBe(true);
    expect(graph.upsertEdges([{ type: "knows", source: "b", target: "a" }]).unchanged).toBe(1);
  });

  test("an undirected edge may join its types either way round", () => {
    const { graph } = peopled();
    graph.insertEdges([{ type: "owns", source: "a", target: "p", undirected: true }]);
    expect(graph.neighbours("p").items.map(({ key }) => key)).toEqual(["a"]);
  });
});

describe("graph store: edges (M27)", () => {
  test("an edge without a key goes by its id", () => {
    const { client, graph } = peopled();
    const before = events(client).length;
    const [id, keyed] = graph.insertEdges([
      waits("a", "b", { attributes: { weight: 1 }, metadata: { by: "x" } }),
      waits("b", "c", { key: "bc" }),
    ]) as [string, string];
    expect(graph.getEdge(id)).toMatchObject({
      id,
      key: null,
      type: "waits_for",
      source: "a",
      target: "b",
      undirected: false,
      attributes: { weight: 1 },
      metadata: { by: "x" },
      revision: 1,
    });
    expect(graph.getEdge("bc")?.id).toBe(keyed);
    expect(graph.getEdge(keyed)).toBeNull();
    expect(graph.patchEdge(id, { weight: null }).attributes).toEqual({});
    expect(graph.replaceEdge("bc", { attributes: { weight: 2 } }, { ifRevision: 1 })).toMatchObject(
      {
        attributes: { weight: 2 },
        revision: 2,
      },
    );
    expect(graph.deleteEdges([id, "bc", "none", keyed])).toBe(2);
    const told = events(client).slice(before);
    expect(
      told.map(([channel, payload]) => [channel, (payload as { keys: string[] }).keys.sort()]),
    ).toEqual([
      ["edges:created", [id, "bc"].sort()],
      ["edges:updated", [id]],
      ["edges:updated", ["bc"]],
      ["edges:deleted", [id, "bc"].sort()],
    ]);
  });

  test("a key that is the id of another edge means the edge that has the key", () => {
    const { graph } = peopled();
    const [id] = graph.insertEdges([waits("a", "b")]) as [string];
    graph.insertEdges([waits("b", "c", { key: id })]);
    expect(graph.getEdge(id)?.source).toBe("b");
    expect(graph.deleteEdges([id])).toBe(1);
    expect(graph.getEdge(id)?.source).toBe("a");
  });

  test.each<[string, (edge: StoredEdge) => object, string]>([
    ["another revision", () => ({ options: { ifRevision: 2 } }), "CONFLICT"],
    ["attributes that do not fit", () => ({ patch: { weight: "x" } }), "INVALID_ATTRIBUTES"],
    ["a patch that is no object", () => ({ patch: 1 }), "INVALID_ARGUMENT"],
    ["another edge", () => ({ key: "none" }), "NOT_FOUND"],
  ])("a change with %s is refused", (_what, change, code) => {
    const { graph } = peopled();
    graph.insertEdges([waits("a", "b", { key: "ab" })]);
    const {
      key = "ab",
      patch = {},
      options = {},
    } = change(graph.getEdge("ab") as StoredEdge) as {
      key?: string;
      patch?: never;
      options?: object;
    };
    expect(() => graph.patchEdge(key, patch, options)).toThrow(failsWith(code));
    expect(graph.getEdge("ab")?.revision).toBe(1);
  });

  test("an upsert finds edges by key, and without a key by type and ends", () => {
    const { client, graph } = peopled();
    graph.insertEdges([waits("a", "b"), waits("b", "c", { key: "bc" })]);
    const before = events(client).length;
    const [stored] = graph.listEdges({ source: "a" }).items;
    const result = graph.upsertEdges([
      waits("a", "b", { attributes: { weight: 1 } }),
      waits("b", "c", { key: "bc" }),
      waits("a", "c", { key: "ac" }),
    ]);
    expect(result).toEqual({ created: 1, updated: 1, unchanged: 1 });
    expect(events(client).slice(before)).toEqual([
      ["edges:created", { graphId: graph.id, keys: ["ac"] }],
      ["edges:updated", { graphId: graph.id, keys: [stored?.id] }],
    ]);
    // the edge that has a key is found without it too
    expect(graph.upsertEdges([waits("a", "c", { attributes: { weight: 2 } })]).updated).toBe(1);
    expect(graph.getEdge("ac")?.attributes).toEqual({ weight: 2 });
  });

  test.each<[string, object[], string]>([
    ["other ends for a key", [waits("a", "c", { key: "ab" })], "ALREADY_EXISTS"],
    ["another type for a key", [relates("a", "b", { key: "ab" })], "ALREADY_EXISTS"],
    [
      "another direction for a key",
      [waits("a", "b", { key: "ab", undirected: true })],
      "ALREADY_EXISTS",
    ],
    ["a second key for the same ends", [waits("a", "b", { key: "x" })], "EDGE_NOT_ALLOWED"],
    ["the same edge twice", [waits("a", "b"), waits("a", "b", { key: "ab" })], "EDGE_NOT_ALLOWED"],
    ["the same new edge twice", [waits("b", "c"), waits("b", "c")], "EDGE_NOT_ALLOWED"],
  ])("an upsert with %s is refused", (_what, edges, code) => {
    const { graph } = peopled();
    graph.insertEdges([waits("a", "b", { key: "ab" })]);
    expect(() => graph.upsertEdges([relates("b", "c"), ...edges] as never)).toThrow(
      failsWith(code),
    );
    expect(graph.countEdges()).toBe(1);
  });

  test("edges are listed by type, ends and attributes in the order of their ends, page by page", () => {
    const { graph } = peopled();
    graph.insertEdges([
      waits("b", "c", { attributes: { weight: 2 } }),
      waits("a", "c", { attributes: { weight: 3 } }),
      relates("a", "b"),
      relates("a", "c", { undirected: true }),
    ]);
    const ends = (options: object) =>
      graph
        .listEdges(options)
        .items.map(({ source, target, type }) => `${source}${target} ${type}`);
    expect(ends({})).toEqual(["ab relates", "ac waits_for", "ac relates", "bc waits_for"]);
    expect(ends({ type: "relates" })).toEqual(["ab relates", "ac relates"]);
    expect(ends({ source: "a", target: "c" })).toEqual(["ac waits_for", "ac relates"]);
    expect(ends({ where: { weight: { gte: 3 } } })).toEqual(["ac waits_for"]);
    expect(graph.countEdges({ target: "c", type: "waits_for" })).toBe(2);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: ReturnType<typeof graph.listEdges> = graph.listEdges({ limit: 1, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
      graph.deleteEdges(seen.slice(-1));
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(4);
    expect(() => graph.listEdges({ cursor: "x" })).toThrow(failsWith("INVALID_ARGUMENT"));
    expect(() => graph.listEdges({ type: "" })).toThrow(failsWith("INVALID_ARGUMENT"));
  });

  test("more edges than one statement takes", () => {
    const graph = graphOf(fixture(), "directed_graph");
    const keys = Array.from({ length: 3_000 }, (_, i) => `n${i}`);
    graph.insertNodes(keys.map((key) => ({ key, type: "thing" })));
    const edges = keys.slice(1).map((key, i) => link(key, `n${i}`, { key: `e${i}` }));
    graph.insertEdges(edges);
    expect(graph.upsertEdges(edges)).toEqual({ created: 0, updated: 0, unchanged: 2_999 });
    const unkeyed = edges.map(({ source, target, type }) => ({ source, target, type }));
    expect(graph.upsertEdges(unkeyed).unchanged).toBe(2_999);
    expect(() => graph.insertEdges(unkeyed.slice(-1))).toThrow(failsWith("EDGE_NOT_ALLOWED"));
    expect(graph.deleteNodes(keys)).toBe(3_000);
    expect(graph.countEdges()).toBe(0);
  });
});
