import type { GraphContext } from "./graph-context.ts";
import { parts } from "./read-nodes.ts";
import { EDGE_COLUMNS, edgeName, edgeOf, type StoredEdge } from "./rows.ts";

const BY_KEY = `SELECT ${EDGE_COLUMNS} FROM edges WHERE graph_id = +? AND key = +?`;
const BY_ID = `SELECT ${EDGE_COLUMNS} FROM edges WHERE id = +? AND graph_id = +? AND key IS NULL`;
const BY_KEYS = `SELECT ${EDGE_COLUMNS} FROM edges
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?))`;
const BY_IDS = `SELECT ${EDGE_COLUMNS} FROM edges
  WHERE id IN (SELECT value FROM json_each(?)) AND graph_id = +? AND key IS NULL`;

/** The edge of that key, or of that id where it has no key; null where there is none. */
export function readEdge(graph: GraphContext, name: string): StoredEdge | null {
  const row = graph.sql(BY_KEY).row([graph.id, name]) ?? graph.sql(BY_ID).row([name, graph.id]);
  return row === undefined ? null : edgeOf(row);
}

/** The edges of these keys, or ids where they have none, by that name. */
export function readEdges(graph: GraphContext, names: Iterable<string>): Map<string, StoredEdge> {
  const found = new Map<string, StoredEdge>();
  for (const part of parts(names)) {
    const text = JSON.stringify(part);
    for (const row of graph.sql(BY_KEYS).rows([graph.id, text])) add(edgeOf(row));
    if (part.every((name) => found.has(name))) continue;
    for (const row of graph.sql(BY_IDS).rows([text, graph.id])) add(edgeOf(row));
  }
  return found;

  function add(edge: StoredEdge): void {
    const name = edgeName(edge);
    // a key that happens to be another edge's id wins
    if (!found.has(name)) found.set(name, edge);
  }
}
