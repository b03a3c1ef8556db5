import { createGraphStore, type Direction, type Graph } from "@alkdev/storage/sqlite";
import fc from "fast-check";
import { MultiGraph } from "graphology";
import { describe, expect, test } from "vitest";
import { type Fixture, fixture, graphOf, person, planOf, task } from "./graph-store-fixture.ts";

const failsWith = (code: string) => expect.objectContaining({ code });

interface Line {
  readonly source: string;
  readonly target: string;
  readonly undirected: boolean;
}

const NODES = ["a", "b", "c", "d", "e", "f", "g"];
const lines: fc.Arbitrary<readonly Line[]> = fc.array(
  fc.record({
    source: fc.constantFrom(...NODES),
    target: fc.constantFrom(...NODES),
    undirected: fc.boolean(),
  }),
  { maxLength: 14 },
);
const direction = fc.constantFrom<Direction>("out", "in", "both");

/** The same edges in the store and in graphology. */
function both(all: Fixture, edges: readonly Line[]): { graph: Graph; memory: MultiGraph } {
  const graph = graphOf(all, "loose_graph");
  graph.insertNodes(NODES.map((key) => ({ key, type: "thing" })));
  graph.insertEdges(edges.map((edge) => ({ ...edge, type: "link" })));
  const memory = new MultiGraph({ type: "mixed" });
  for (const key of NODES) memory.addNode(key);
  for (const { source, target, undirected } of edges) {
    if (undirected) memory.addUndirectedEdge(source, target);
    else memory.addDirectedEdge(source, target);
  }
  return { graph, memory };
}

function adjacent(memory: MultiGraph, key: string, way: Direction): readonly string[] {
  if (way === "both") return memory.neighbors(key);
  const directed = way === "out" ? memory.outNeighbors(key) : memory.inNeighbors(key);
  return [...new Set([...directed, ...memory.undirectedNeighbors(key)])];
}

/** Distances by the textbook: a queue. */
function distances(memory: MultiGraph, root: string, way: Direction): ReadonlyMap<string, number> {
  const found = new Map([[root, 0]]);
  const queue = [root];
  for (const key of queue) {
    for (const next of adjacent(memory, key, way)) {
      if (found.has(next)) continue;
      found.set(next, (found.get(key) as number) + 1);
      queue.push(next);
    }
  }
  return found;
}

describe("graph store: traversal agrees with graphology (M37)", () => {
  const all = (): Fixture => fixture();

  test("neighbours, page by page", () => {
    const shared = all();
    fc.assert(
      fc.property(lines, direction, fc.integer({ min: 1, max: 3 }), (edges, way, limit) => {
        const { graph, memory } = both(shared, edges);
        for (const key of NODES) {
          const found: string[] = [];
          let cursor: string | null = null;
          do {
            const page: ReturnType<Graph["neighbours"]> = graph.neighbours(key, {
              direction: way,
              limit,
              cursor,
            });
            found.push(...page.items.map((node) => node.key));
            cursor = page.cursor;
          } while (cursor !== null);
          expect(found).toEqual([...adjacent(memory, key, way)].sort());
        }
      }),
      { numRuns: 40 },
    );
  });

  test("degrees", () => {
    const shared = all();
    fc.assert(
      fc.property(lines, (edges) => {
        const { graph, memory } = both(shared, edges);
        for (const key of NODES) {
          const undirected = memory.undirectedDegree(key);
          expect(graph.degree(key)).toBe(memory.outDegree(key) + undirected);
          expect(graph.degree(key, { direction: "in" })).toBe(memory.inDegree(key) + undirected);
          expect(graph.degree(key, { direction: "both" })).toBe(memory.degree(key));
        }
      }),
      { numRuns: 40 },
    );
  });

  test("what is reachable, and how far it is", () => {
    const shared = all();
    const depth = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
    fc.assert(
      fc.property(lines, direction, depth, (edges, way, deepest) => {
        const { graph, memory } = both(shared, edges);
        const options = { direction: way, ...(deepest === undefined ? {} : { depth: deepest }) };
        const expected = [...distances(memory, "a", way)].filter(
          ([, far]) => far <= (deepest ?? Number.POSITIVE_INFINITY),
        );
        const { depths, complete } = graph.reachable(["a"], options);
        expect([...depths].sort()).toEqual(expected.sort());
        expect(complete).toBe(true);
        const far = [...depths.values()];
        expect(far).toEqual([...far].sort((x, y) => x - y));
      }),
      { numRuns: 60 },
    );
  });

  test("shortest paths are as short as they can be, and paths", () => {
    const shared = all();
    const deepest = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
    fc.assert(
      fc.property(lines, direction, deepest, (edges, way, maxDepth) => {
        const { graph, memory } = both(shared, edges);
        const options = { direction: way, ...(maxDepth === undefined ? {} : { maxDepth }) };
        const far = distances(memory, "a", way);
        for (const to of NODES) {
          const path = graph.shortestPath("a", to, options);
          const expected = far.get(to) ?? Number.POSITIVE_INFINITY;
          if (expected === Number.POSITIVE_INFINITY || expected > (maxDepth ?? expected)) {
            expect(path).toBeNull();
            continue;
          }
          expect(path).toHaveLength(expected + 1);
          expect([path?.[0], path?.at(-1)]).toEqual(["a", to]);
          for (const [i, key] of (path ?? []).entries()) {
            const next = path?.[i + 1];
            if (next !== undefined) expect(adjacent(memory, key, way)).toContain(next);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("a subgraph has the nodes that are reached, and every edge between them", () => {
    const shared = all();
    fc.assert(
      fc.property(lines, fc.integer({ min: 0, max: 2 }), (edges, depth) => {
        const { graph, memory } = both(shared, edges);
        const keys = new Set(
          [...distances(memory, "a", "out")].filter(([, far]) => far <= depth).map(([key]) => key),
        );
        const found = graph.subgraph(["a"], { depth });
        expect(found.nodes.map(({ key }) => key).sort()).toEqual([...keys].sort());
        const ends = (list: readonly { source: string; target: string }[]) =>
          list.map(({ source, target }) => source + target).sort();
        expect(ends(found.edges)).toEqual(
          ends(edges.filter(({ source, target }) => keys.has(source) && keys.has(target))),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe("graph store: traversal (M37)", () => {
  function tasks(): Fixture {
    const all = fixture();
    all.graph.insertNodes([task("a"), task("b"), task("c"), person("p")]);
    all.graph.insertEdges([
      { type: "waits_for", source: "a", target: "b" },
      { type: "waits_for", source: "b", target: "c" },
      { type: "owns", source: "p", target: "b" },
      { type: "relates", source: "a", target: "p" },
    ]);
    return all;
  }

  test("only edges and nodes of a type", () => {
    const { graph } = tasks();
    const keys = (key: string, options: object) =>
      graph.neighbours(key, options).items.map((node) => node.key);
    expect(keys("a", {})).toEqual(["b", "p"]);
    expect(keys("a", { edgeType: "waits_for" })).toEqual(["b"]);
    expect(keys("a", { nodeType: "person" })).toEqual(["p"]);
    expect(keys("b", { direction: "in", edgeType: "owns" })).toEqual(["p"]);
    expect(keys("none", {})).toEqual([]);
    expect(graph.degree("b", { direction: "both", edgeType: "waits_for" })).toBe(2);
    expect(graph.degree("none")).toBe(0);
    expect([...graph.reachable(["a"], { edgeType: "waits_for" }).depths.keys()]).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(graph.shortestPath("a", "c", { edgeType: "relates" })).toBeNull();
    expect(graph.subgraph(["a"], { edgeType: "relates" }).edges).toHaveLength(1);
  });

  test("several roots, of which some do not exist", () => {
    const { graph } = tasks();
    expect([...graph.reachable(["p", "none", "c", "p"]).depths]).toEqual([
      ["c", 0],
      ["p", 0],
      ["b", 1],
    ]);
    expect(graph.reachable([])).toEqual({ depths: new Map(), complete: true });
  });

  test("a limit keeps the nearest and says that there are more", () => {
    const { graph } = tasks();
    expect(graph.reachable(["a"], { limit: 3 })).toEqual({
      depths: new Map([
        ["a", 0],
        ["b", 1],
        ["p", 1],
      ]),
      complete: false,
    });
    expect(graph.reachable(["a"], { limit: 4 }).complete).toBe(true);
    expect(graph.reachable(["a", "b"], { limit: 1 })).toMatchObject({ complete: false });
    expect(graph.subgraph(["a"], { limit: 1 })).toMatchObject({ edges: [], complete: false });
  });

  test("a path to oneself is oneself; to what is not there, none", () => {
    const { graph } = tasks();
    expect(graph.shortestPath("a", "a")).toEqual(["a"]);
    expect(graph.shortestPath("none", "none")).toBeNull();
    expect(graph.shortestPath("a", "none")).toBeNull();
    expect(graph.shortestPath("a", "b", { maxDepth: 0 })).toBeNull();
  });

  test.each<[string, object]>([
    ["an unknown direction", { direction: "up" }],
    ["an inherited direction", { direction: "toString" }],
    ["an empty edge type", { edgeType: "" }],
    ["an edge type that is a number", { edgeType: 1 }],
  ])("%s is refused", (_what, options) => {
    const { graph } = tasks();
    for (const call of [
      () => graph.neighbours("a", options),
      () => graph.degree("a", options),
      () => graph.reachable(["a"], options),
      () => graph.subgraph(["a"], options),
      () => graph.shortestPath("a", "b", options),
    ]) {
      expect(call).toThrow(failsWith("INVALID_ARGUMENT"));
    }
  });

  test.each<[string, (graph: Graph) => unknown]>([
    ["a depth below 0", (graph) => graph.reachable(["a"], { depth: -1 })],
    ["a depth that is no number", (graph) => graph.subgraph(["a"], { depth: "2" as never })],
    ["a limit of 0", (graph) => graph.reachable(["a"], { limit: 0 })],
    ["a limit of a million and one", (graph) => graph.reachable(["a"], { limit: 1_000_001 })],
    ["a path of half an edge", (graph) => graph.shortestPath("a", "b", { maxDepth: 0.5 })],
    ["a search of one node", (graph) => graph.shortestPath("a", "b", { maxNodes: 1 })],
    ["a path of NaN edges", (graph) => graph.shortestPath("a", "b", { maxDepth: Number.NaN })],
    ["roots that are text", (graph) => graph.reachable("abc" as never)],
    [
      "a neighbours' cursor of a list",
      (graph) => graph.neighbours("a", { cursor: graph.listNodes({ limit: 1 }).cursor }),
    ],
    ["an empty node type", (graph) => graph.neighbours("a", { nodeType: "" })],
  ])("%s is refused", (_what, call) => {
    expect(() => call(tasks().graph)).toThrow(failsWith("INVALID_ARGUMENT"));
  });

  test.each<[string, string, (graph: Graph) => unknown]>([
    ["a directed graph", "directed_graph", (graph) => graph.neighbours("a")],
    ["a mixed graph", "loose_graph", (graph) => graph.neighbours("a", { direction: "in" })],
    ["edges of a type", "loose_graph", (graph) => graph.neighbours("a", { edgeType: "link" })],
  ])("neighbours in %s are read as far as the page goes", (_what, type, call) => {
    const all = fixture();
    const { id } = graphOf(all, type);
    const plan = planOf(all, () => call(createGraphStore(all.db).graph(id)));
    expect(plan).toMatch(/SEARCH edges USING (COVERING )?INDEX edges_(source|target|edge_type)/);
    expect(plan).toMatch(/SEARCH nodes USING INDEX nodes_graph_id_key \(graph_id=\? AND key=\?\)/);
    expect(plan).not.toMatch(/TEMP B-TREE|SCAN (edges|nodes)/);
  });

  test.each<[string, (graph: Graph) => unknown, RegExp]>([
    [
      "nodes of a type, by key",
      (graph) => graph.listNodes({ type: "person" }),
      /nodes USING INDEX nodes_node_type \(<expr>=\? AND graph_id=\?\)/,
    ],
    [
      "the page after, of nodes of a type",
      (graph) => graph.listNodes({ type: "person", cursor: pageAfter("nodes key", ["p"]) }),
      /nodes USING INDEX nodes_node_type \(<expr>=\? AND graph_id=\? AND key>\?\)/,
    ],
    [
      "edges of a type, by their ends",
      (graph) => graph.listEdges({ type: "link" }),
      /edges USING INDEX edges_edge_type \(<expr>=\? AND graph_id=\?\)/,
    ],
  ])("%s are found without a look at others", (_what, call, search) => {
    const all = fixture();
    const { id } = graphOf(all, "loose_graph");
    expect(planOf(all, () => call(createGraphStore(all.db).graph(id)))).toMatch(search);
  });

  const pageAfter = (list: string, position: readonly string[]): string =>
    Buffer.from(JSON.stringify([list, ...position])).toString("base64url");

  test("a ring of 5,000 nodes, and a star of 5,000", () => {
    const graph = graphOf(fixture(), "directed_graph");
    const keys = Array.from({ length: 5_000 }, (_, i) => `n${i}`);
    graph.insertNodes(keys.map((key) => ({ key, type: "thing" })));
    graph.insertEdges(
      keys.map((key, i) => ({ type: "link", source: key, target: `n${(i + 1) % 5_000}` })),
    );
    expect(graph.reachable(["n0"]).depths.get("n4999")).toBe(4_999);
    expect(graph.shortestPath("n0", "n4999")).toHaveLength(5_000);
    expect(graph.shortestPath("n0", "n4999", { direction: "both" })).toEqual(["n0", "n4999"]);
    expect(graph.shortestPath("n0", "n9", { maxNodes: 10 })).toHaveLength(10);
    expect(() => graph.shortestPath("n0", "n9", { maxNodes: 9 })).toThrow(
      failsWith("LIMIT_REACHED"),
    );
    graph.insertNodes([{ key: "hub", type: "thing" }]);
    graph.insertEdges(keys.map((key) => ({ type: "link", source: "hub", target: key })));
    expect(graph.degree("hub")).toBe(5_000);
    expect(graph.subgraph(["hub"], { depth: 1 })).toMatchObject({ complete: true });
    expect(graph.neighbours("hub", { limit: 3 }).items.map(({ key }) => key)).toEqual([
      "n0",
      "n1",
      "n10",
    ]);
  });
});
