import {
  defineModule,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  nodeAttributes,
} from "@alkdev/storage/graphs";
import { ACL_GRAPH_ID, createGraphStore, registerGraphType } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { type Caller, type CoreSetup, testCore } from "./operations-fixture.ts";

const TaskGraph = defineModule(
  { name: "task_graph" },
  {
    Config: graphConfig({ type: "directed" }),
    TaskNode: nodeAttributes({ title: Type.String(), size: Type.Optional(Type.Number()) }),
    WaitsForEdge: edgeAttributes({}),
    WaitsForEdgeConstraints: edgeConstraints({ from: ["task"], to: ["task"] }),
  },
);

interface GraphSetup extends CoreSetup {
  readonly owner: Caller;
  readonly graphId: string;
}

/** A hub, and a graph a → b → c, a → d in `acme`. */
async function withGraph(): Promise<GraphSetup> {
  const setup = testCore();
  const owner = setup.as("owner");
  setup.core.tenants.withTenant("acme", (db) => {
    registerGraphType(db, TaskGraph);
  });
  const { items } = await owner.call("graph_types.list", {
    filter: { name: { eq: "task_graph" } },
  });
  const graph = { name: "tasks", graphTypeId: items[0].id };
  const { id: graphId } = await owner.call("graphs.create", graph);
  await owner.call("nodes.insertMany", { graphId, nodes: ["a", "b", "c", "d"].map(task) });
  const edges = ["ab", "bc", "ad"].map(([source, target]) => edge(source, target));
  await owner.call("edges.insertMany", { graphId, edges });
  return { ...setup, owner, graphId };
}

const task = (key: string, index: number) => ({
  key,
  type: "task",
  attributes: { title: `task ${key}`, size: index },
});
const edge = (source = "", target = "") => ({ type: "waits_for", source, target });
const keysOf = (nodes: readonly { readonly key: string }[]): string[] =>
  nodes.map(({ key }) => key);

describe("M42: graphs over a hub", () => {
  it("finds nodes by attributes, page by page, and edges by their ends", async () => {
    const { owner, graphId } = await withGraph();
    const query = { graphId, where: { size: { gte: 1 } }, limit: 2 };
    const orderBy = { attribute: "size", direction: "desc" };
    const first = await owner.call("nodes.query", { ...query, orderBy });
    expect(keysOf(first.items)).toEqual(["d", "c"]);
    const rest = await owner.call("nodes.query", { ...query, orderBy, cursor: first.cursor });
    expect([keysOf(rest.items), rest.cursor]).toEqual([["b"], null]);
    const edges = await owner.call("edges.query", { graphId, source: "a" });
    expect(edges.items).toMatchObject([
      { source: "a", target: "b", type: "waits_for" },
      { source: "a", target: "d" },
    ]);
    const other = { ...query, cursor: edges.cursor ?? first.cursor };
    expect((await owner.refused("nodes.query", other)).code).toBe("INVALID_ARGUMENT");
  });

  it("follows edges", async () => {
    const { owner, as, graphId } = await withGraph();
    const member = as("member");
    const near = await member.call("graphs.neighbours", { graphId, key: "a" });
    expect(keysOf(near.items)).toEqual(["b", "d"]);
    const back = { graphId, key: "c", direction: "in", edgeType: "waits_for" };
    expect(keysOf((await member.call("graphs.neighbours", back)).items)).toEqual(["b"]);
    const path = { graphId, from: "a", to: "c" };
    expect(await member.call("graphs.shortestPath", path)).toEqual({ path: ["a", "b", "c"] });
    expect(await member.call("graphs.shortestPath", { ...path, maxDepth: 1 })).toEqual({
      path: null,
    });
    const reach = await member.call("graphs.reachable", { graphId, roots: ["a"], limit: 3 });
    expect(reach).toEqual({
      nodes: [
        { key: "a", depth: 0 },
        { key: "b", depth: 1 },
        { key: "d", depth: 1 },
      ],
      complete: false,
    });
    const part = await owner.call("graphs.subgraph", { graphId, roots: ["b"] });
    expect([keysOf(part.nodes), part.edges.length, part.complete]).toEqual([["b", "c"], 1, true]);
  });

  it("gives up a search for a path that would keep others waiting", async () => {
    const { core, owner, graphId } = await withGraph();
    core.tenants.withTenant("acme", (db) => {
      const graph = createGraphStore(db).graph(graphId);
      const keys = Array.from({ length: 20_001 }, (_, n) => `n${n}`);
      graph.insertNodes(keys.map(task));
      graph.insertEdges(keys.map((key) => edge("d", key)));
    });
    const path = { graphId, from: "d", to: "n5" };
    expect(await owner.call("graphs.shortestPath", path)).toEqual({ path: ["d", "n5"] });
    const { code } = await owner.refused("graphs.shortestPath", { ...path, to: "a" });
    expect(code).toBe("LIMIT_REACHED");
    const other = { ...path, to: "a", edgeType: "other" };
    expect(await owner.call("graphs.shortestPath", other)).toEqual({ path: null });
  });

  it("inserts 10,000 nodes in one commit, or none of them", async () => {
    const { owner, graphId } = await withGraph();
    const nodes = Array.from({ length: 10_000 }, (_, n) => task(`n${n}`, n));
    const { ids } = await owner.call("nodes.insertMany", { graphId, nodes });
    expect(new Set(ids).size).toBe(10_000);
    const wrong = [task("x", 0), { ...task("y", 1), attributes: { title: 7 } }, task("a", 2)];
    const refused = await owner.refused("nodes.insertMany", { graphId, nodes: wrong });
    expect(refused).toMatchObject({ code: "INVALID_ATTRIBUTES" });
    expect(await owner.call("nodes.find", { graphId, key: "x" })).toBeNull();
    const taken = await owner.refused("nodes.insertMany", { graphId, nodes: [task("a", 0)] });
    expect(taken.code).toBe("ALREADY_EXISTS");
    const lost = await owner.refused("edges.insertMany", { graphId, edges: [edge("a", "nobody")] });
    expect(lost.code).toBe("EDGE_NOT_ALLOWED");
  });

  it("upserts and deletes many, once per request id", async () => {
    const { owner, graphId } = await withGraph();
    const nodes = [{ ...task("a", 0), attributes: { title: "new" } }, task("b", 1), task("e", 9)];
    const upserted = { created: 1, updated: 1, unchanged: 1 };
    expect(await owner.call("nodes.upsertMany", { graphId, nodes }, "r")).toEqual(upserted);
    expect(await owner.call("nodes.upsertMany", { graphId, nodes }, "r")).toEqual(upserted);
    const edges = [edge("a", "b"), edge("e", "a")];
    expect(await owner.call("edges.upsertMany", { graphId, edges })).toEqual({
      created: 1,
      updated: 0,
      unchanged: 1,
    });
    const keys = { graphId, keys: ["e", "nobody"] };
    expect(await owner.call("nodes.deleteMany", keys)).toEqual({ deleted: 1 });
    const { items } = await owner.call("edges.query", { graphId });
    const names = { graphId, keys: [items[0].id] };
    expect(await owner.call("edges.deleteMany", names)).toEqual({ deleted: 1 });
    expect((await owner.call("edges.query", { graphId })).items).toHaveLength(items.length - 1);
  });

  it("says that a quota is used up, and takes back the whole call", async () => {
    const { owner, as, graphId } = await withGraph();
    await as("root").call("tenants.setQuota", { orgId: "acme", quota: { maxNodes: 5 } });
    const nodes = [task("e", 1), task("f", 2)];
    const refused = await owner.refused("nodes.insertMany", { graphId, nodes });
    expect(refused).toMatchObject({ code: "QUOTA_EXCEEDED", details: { limit: "maxNodes" } });
    expect(await owner.call("nodes.find", { graphId, key: "e" })).toBeNull();
  });

  it("lets nobody write the graph of permissions", async () => {
    const { owner, as } = await withGraph();
    const principal = { key: "account:owner", type: "principal", attributes: { scopes: ["*"] } };
    const forged = { graphId: ACL_GRAPH_ID, nodes: [principal] };
    for (const who of [owner, as("root", "acme")]) {
      for (const id of ["nodes.insertMany", "nodes.upsertMany"]) {
        expect((await who.refused(id, forged)).code).toBe("READ_ONLY");
      }
      const keys = { graphId: ACL_GRAPH_ID, keys: ["x"] };
      for (const id of ["nodes.deleteMany", "edges.deleteMany"]) {
        expect((await who.refused(id, keys)).code).toBe("READ_ONLY");
      }
    }
  });

  it("is read by members and written by owners, and unknown to others", async () => {
    const { as, graphId } = await withGraph();
    const nodes = [task("z", 1)];
    expect((await as("member").refused("nodes.query", { graphId })).code).toBe("none");
    const write = await as("member").refused("nodes.insertMany", { graphId, nodes });
    expect(write.code).toBe("ACCESS_DENIED");
    const other = await as("outsider", "globex").refused("nodes.query", { graphId });
    expect(other.code).toBe("NOT_FOUND");
  });

  it.each([
    ["no nodes", "nodes.insertMany", { nodes: [] }],
    ["10,001 nodes", "nodes.insertMany", { nodes: Array.from({ length: 10_001 }, task as never) }],
    ["a key that is too long", "graphs.neighbours", { key: "k".repeat(513) }],
    ["an unknown direction", "graphs.neighbours", { key: "k", direction: "up" }],
    ["an unknown comparison", "nodes.query", { where: { size: { like: "x" } } }],
    ["too deep a path", "graphs.shortestPath", { from: "a", to: "b", maxDepth: 65 }],
  ])("refuses %s", async (_, id, input) => {
    const { code } = await testCore()
      .as("owner")
      .refused(id, { graphId: "g", ...input });
    expect(code).toBe("VALIDATION_ERROR");
  });
});
