import type { SqlValue } from "@alkdev/honker";
import type { GraphContext } from "./graph-context.ts";
import { EDGE_COLUMNS, edgeOf, type StoredEdge } from "./rows.ts";

/** What makes two edges parallel: the same type between the same nodes, both directed or both not. */
export interface EdgeEnds {
  readonly type: string | null;
  readonly source: string;
  readonly target: string;
  readonly undirected: boolean;
}

const ANY_EDGE = "SELECT 1 FROM edges WHERE graph_id = +? LIMIT 1";
/** `->>` on each pair, and the order of the join, make it one index search per pair. */
const BETWEEN = `SELECT ${EDGE_COLUMNS.split(", ")
  .map((column) => `edges.${column}`)
  .join(", ")}
  FROM json_each(?) AS pair CROSS JOIN edges
  WHERE edges.graph_id = +? AND edges.source_node_key = pair.value ->> 0
    AND edges.target_node_key = pair.value ->> 1`;
const PAIRS_PER_READ = 1_000;

/** Equal for parallel edges and for no others; keys hold no NUL. */
export function edgeIdentity({ type, source, target, undirected }: EdgeEnds): string {
  if (!undirected) return `${type}\0>\0${source}\0${target}`;
  const [first, second] = source < target ? [source, target] : [target, source];
  return `${type}\0-\0${first}\0${second}`;
}

/** The stored edges that are parallel to any of these, by identity. */
export function readParallel(
  graph: GraphContext,
  ends: readonly EdgeEnds[],
): ReadonlyMap<string, StoredEdge> {
  const found = new Map<string, StoredEdge>();
  if (graph.sql(ANY_EDGE).row([graph.id]) === undefined) return found;
  const wanted = new Set<string>();
  const pairs: (readonly [string, string])[] = [];
  for (const end of ends) {
    wanted.add(edgeIdentity(end));
    pairs.push([end.source, end.target]);
    if (end.undirected) pairs.push([end.target, end.source]);
  }
  const statement = graph.sql(BETWEEN);
  for (let from = 0; from < pairs.length; from += PAIRS_PER_READ) {
    const part = JSON.stringify(pairs.slice(from, from + PAIRS_PER_READ));
    for (const row of statement.rows([part, graph.id])) keep(row);
  }
  return found;

  function keep(row: readonly SqlValue[]): void {
    const edge = edgeOf(row);
    const identity = edgeIdentity(edge);
    if (wanted.has(identity)) found.set(identity, edge);
  }
}
