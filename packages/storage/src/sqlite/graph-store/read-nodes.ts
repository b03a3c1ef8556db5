import type { GraphContext } from "./graph-context.ts";
import { NODE_COLUMNS, nodeOf, type StoredNode } from "./rows.ts";

const BY_KEY = `SELECT ${NODE_COLUMNS} FROM nodes WHERE graph_id = +? AND key = +?`;
const BY_KEYS = `SELECT ${NODE_COLUMNS} FROM nodes
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?))`;

/** Keys that one statement looks for. */
export const KEYS_PER_READ = 1_000;

/** The node of that key, or null. */
export function readNode(graph: GraphContext, key: string): StoredNode | null {
  const row = graph.sql(BY_KEY).row([graph.id, key]);
  return row === undefined ? null : nodeOf(row);
}

/** The nodes of these keys that exist, by key. */
export function readNodes(graph: GraphContext, keys: Iterable<string>): Map<string, StoredNode> {
  const found = new Map<string, StoredNode>();
  const statement = graph.sql(BY_KEYS);
  for (const part of parts(keys)) {
    for (const row of statement.rows([graph.id, JSON.stringify(part)])) {
      const node = nodeOf(row);
      found.set(node.key, node);
    }
  }
  return found;
}

/** Distinct keys in parts that one statement takes. */
export function* parts(keys: Iterable<string>): Generator<readonly string[]> {
  const distinct = [...new Set(keys)];
  for (let from = 0; from < distinct.length; from += KEYS_PER_READ) {
    yield distinct.slice(from, from + KEYS_PER_READ);
  }
}
