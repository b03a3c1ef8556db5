import { fromGraphology, type GraphologySource, toGraphology } from "@alkdev/storage/sqlite";
import { DirectedGraph, MultiGraph, UndirectedGraph } from "graphology";
import { describe, expect, test } from "vitest";
import { events, fixture, graphOf, person, task } from "./graph-store-fixture.ts";

const failsWith = (code: string) => expect.objectContaining({ code });

describe("graph store: graphology (M37)", () => {
  test("a graph goes to graphology and back, and is the same", () => {
    const all = fixture();
    const { graph } = all;
    graph.insertNodes([task("a", { size: { width: 1 } }), task("b"), person("p")]);
    graph.insertEdges([
      { key: "ab", type: "waits_for", source: "a", target: "b", attributes: { weight: 2 } },
      { type: "owns", source: "p", target: "a" },
      { key: "r", type: "relates", source: "a", target: "b", undirected: true },
    ]);
    const exported = toGraphology(graph);
    expect(exported).toMatchObject({
      attributes: { name: "tasks", type: "task_graph" },
      options: { type: "mixed", multi: true, allowSelfLoops: false },
    });
    const memory = new MultiGraph(exported.options);
    memory.import(exported);
    expect([memory.order, memory.size]).toEqual([3, 3]);
    expect(memory.getNodeAttributes("a")).toEqual({
      title: "a",
      size: { width: 1 },
      _type: "task",
    });
    expect(memory.isUndirected("r")).toBe(true);

    const copy = graphOf(all, "task_graph");
    expect(fromGraphology(copy, memory.export())).toEqual({ nodes: 3, edges: 3 });
    const plain = (which: typeof graph) => ({
      nodes: which
        .listNodes()
        .items.map(({ key, type, attributes }) => ({ key, type, attributes })),
      edges: which.listEdges().items.map(({ type, source, target, attributes, undirected }) => ({
        ...{ type, source, target, attributes, undirected },
      })),
    });
    expect(plain(copy)).toEqual(plain(graph));
    expect(copy.getEdge("ab")?.attributes).toEqual({ weight: 2 });
  });

  test("a foreign graph gets the types it is told, undirected where graphology is", () => {
    const graph = graphOf(fixture(), "friend_graph");
    const memory = new UndirectedGraph();
    memory.addEdge(memory.addNode("ann"), memory.addNode("bob"));
    const types = { nodeType: "person", edgeType: "knows" };
    expect(fromGraphology(graph, memory.export(), types)).toEqual({ nodes: 2, edges: 1 });
    expect(graph.listEdges().items[0]).toMatchObject({ type: "knows", undirected: true });
    const again = new UndirectedGraph();
    again.import(toGraphology(graph));
    expect(again.neighbors("ann")).toEqual(["bob"]);
  });

  test("rows may come from generators, more than are checked at once", () => {
    const graph = graphOf(fixture(), "directed_graph");
    const count = 25_000;
    const source: GraphologySource = {
      nodes: (function* () {
        for (let i = 0; i < count; i++) yield { key: `n${i}` };
      })(),
      edges: (function* () {
        for (let i = 1; i < count; i++) yield { source: `n${i}`, target: `n${i - 1}` };
      })(),
    };
    const types = { nodeType: "thing", edgeType: "link" };
    expect(fromGraphology(graph, source, types)).toEqual({ nodes: count, edges: count - 1 });
    const memory = new DirectedGraph();
    memory.import(toGraphology(graph));
    expect(memory.size).toBe(count - 1);
  });

  test("a graph that does not fit is refused as a whole", () => {
    const all = fixture();
    const { client } = all;
    const graph = graphOf(all, "directed_graph");
    const before = events(client).length;
    const nodes = [{ key: "a", attributes: { _type: "thing" } }];
    const loop = { source: "a", target: "a", attributes: { _type: "link" } };
    for (const [source, code] of [
      [{ nodes, edges: [loop] }, "EDGE_NOT_ALLOWED"],
      [{ nodes: [{ key: "a" }], edges: [] }, "INVALID_ATTRIBUTES"],
      [{ nodes: [null], edges: [] }, "INVALID_ARGUMENT"],
      [{ nodes, edges: [{ ...loop, target: "b" }] }, "EDGE_NOT_ALLOWED"],
    ] as const) {
      expect(() => fromGraphology(graph, source as never)).toThrow(failsWith(code));
      expect(graph.countNodes()).toBe(0);
    }
    expect(events(client)).toHaveLength(before);
  });

  test("a type attribute that is taken is refused; another one can be named", () => {
    const { graph } = fixture();
    graph.insertNodes([task("a", { _type: "mine" })]);
    expect(() => toGraphology(graph)).toThrow(failsWith("INVALID_ARGUMENT"));
    expect(toGraphology(graph, { typeAttribute: "nodeType" }).nodes[0]?.attributes).toEqual({
      title: "a",
      _type: "mine",
      nodeType: "task",
    });
  });
});
