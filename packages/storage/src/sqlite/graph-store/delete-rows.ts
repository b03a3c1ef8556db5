import { requireArray } from "./check-nodes.ts";
import { notifyKeys } from "./events.ts";
import type { GraphContext } from "./graph-context.ts";
import { readEdges } from "./read-edges.ts";
import { parts } from "./read-nodes.ts";

/** Edges of the nodes of one part, which the foreign keys will delete with them. */
const EDGES_OF = `SELECT coalesce(key, id) FROM edges
    WHERE graph_id = +?1 AND source_node_key IN (SELECT value FROM json_each(?2))
  UNION
  SELECT coalesce(key, id) FROM edges
    WHERE graph_id = +?1 AND target_node_key IN (SELECT value FROM json_each(?2))`;
const DELETE_NODES = `DELETE FROM nodes
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?)) RETURNING key`;
const DELETE_EDGES = "DELETE FROM edges WHERE id IN (SELECT value FROM json_each(?))";

/** Deletes nodes and their edges. Returns how many nodes were there. */
export function deleteNodes(graph: GraphContext, keys: readonly string[]): number {
  requireArray(keys, "keys");
  return graph.write(() => {
    const nodes: string[] = [];
    const edges: string[] = [];
    for (const part of parts(keys)) {
      const text = JSON.stringify(part);
      for (const [name] of graph.sql(EDGES_OF).rows([graph.id, text])) edges.push(name as string);
      for (const [key] of graph.sql(DELETE_NODES).rows([graph.id, text])) nodes.push(key as string);
    }
    notifyKeys(graph, "edges:deleted", edges);
    notifyKeys(graph, "nodes:deleted", nodes);
    return nodes.length;
  });
}

/** Deletes edges by their keys, or ids where they have none. Returns how many were there. */
export function deleteEdges(graph: GraphContext, names: readonly string[]): number {
  requireArray(names, "keys");
  return graph.write(() => {
    const found = readEdges(graph, names);
    for (const part of parts([...found.values()].map(({ id }) => id))) {
      graph.sql(DELETE_EDGES).run([JSON.stringify(part)]);
    }
    notifyKeys(graph, "edges:deleted", [...found.keys()]);
    return found.size;
  });
}
