import type { GraphConfig } from "../../graphs/index.ts";
import { type GraphContext, graphNotFound } from "./graph-context.ts";
import { readGraph, type StoredGraph } from "./graph-row.ts";

/** A graph and what may be in it. */
export interface GraphDescription extends StoredGraph {
  /** How graphs of its type are built. */
  readonly config: GraphConfig;
  /** Names of the node types; none where the graph type is gone. */
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
}

/** A graph that has lost its type may hold edges of any kind. */
const ANYTHING: GraphConfig = { type: "mixed", multi: true, allowSelfLoops: true };

/** The graph and the types its nodes and edges may have. @throws StorageError `NOT_FOUND` */
export function describeGraph(graph: GraphContext): GraphDescription {
  return graph.store.read(() => {
    const stored = readGraph(graph.store, graph.id);
    if (stored === null) throw graphNotFound(graph.id);
    const rules = graph.rules();
    return {
      ...stored,
      config: rules?.config ?? ANYTHING,
      nodeTypes: [...(rules?.nodeTypes.keys() ?? [])],
      edgeTypes: [...(rules?.edgeTypes.keys() ?? [])],
    };
  });
}
