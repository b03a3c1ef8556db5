// The graph that every contender of bench/storage-graph.ts holds, and how its file is opened.
import { open } from "@alkdev/honker";
import {
  defineModule,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  nodeAttributes,
} from "@alkdev/storage/graphs";
import {
  createGraphStore,
  createTenantDatabase,
  type EdgeInput,
  type Graph,
  type GraphStore,
  type NodeInput,
  registerGraphType,
} from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";

export const TaskGraph = defineModule(
  { name: "bench_graph" },
  {
    Config: graphConfig({ type: "directed" }),
    TaskNode: nodeAttributes({
      title: Type.String(),
      state: Type.Union([Type.Literal("open"), Type.Literal("done")]),
      rank: Type.Integer({ minimum: 0 }),
    }),
    WaitsForEdge: edgeAttributes({ weight: Type.Number() }),
    WaitsForEdgeConstraints: edgeConstraints({ from: ["task"], to: ["task"] }),
  },
);

export const GRAPH_ID = "bench";
/** Values that `rank` takes; each has a hundredth of a hundredth of the nodes. */
export const RANKS = 10_000;

export function nodesOf(count: number): NodeInput[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `task-${i}`,
    type: "task",
    attributes: {
      title: `Task number ${i}`,
      state: i % 3 === 0 ? "open" : "done",
      rank: i % RANKS,
    },
  }));
}

/** No two of the same ends, no loops, in no order that an index would like. */
export function edgesOf(count: number, nodes: number): EdgeInput[] {
  const seen = new Set<number>();
  const edges: EdgeInput[] = [];
  for (let i = 0; edges.length < count; i++) {
    const source = (i * 7_919) % nodes;
    const target = (i * 104_729 + Math.floor(i / nodes) * 7 + 1) % nodes;
    if (source === target || seen.has(source * nodes + target)) continue;
    seen.add(source * nodes + target);
    const ends = { source: `task-${source}`, target: `task-${target}` };
    edges.push({ type: "waits_for", ...ends, attributes: { weight: i % 10 } });
  }
  return edges;
}

/** The graph in a file, which is made where there is none. */
export function openGraph(path: string): { store: GraphStore; graph: Graph; close: () => void } {
  const client = open(path);
  const db = createTenantDatabase(client);
  registerGraphType(db, TaskGraph);
  const store = createGraphStore(db);
  if (store.getGraph(GRAPH_ID) === null) {
    store.createGraph({ type: "bench_graph", name: "bench", id: GRAPH_ID });
  }
  return { store, graph: store.graph(GRAPH_ID), close: () => client.close() };
}
