import type { Arm } from "./direction.ts";
import type { GraphContext } from "./graph-context.ts";
import { KEYS_PER_READ } from "./read-nodes.ts";

/** One edge that was followed. */
export interface Step {
  readonly from: string;
  readonly to: string;
}

const EXISTING = `SELECT key FROM nodes
  WHERE graph_id = +? AND key IN (SELECT value FROM json_each(?))`;

/** The nodes among `keys` that exist. */
export function existingKeys(graph: GraphContext, keys: readonly string[]): readonly string[] {
  const rows = graph.sql(EXISTING).rows([graph.id, JSON.stringify(keys)]);
  return rows.map(([key]) => key as string);
}

/**
 * Follows the edges of many nodes at once. A search goes level by level with it, rather than in one
 * recursive statement, which could not say that a node was visited already at a smaller depth and would
 * go round every cycle until its depth is used up (ADR-075).
 */
export function* follow(
  graph: GraphContext,
  arms: readonly Arm[],
  keys: readonly string[],
): Generator<Step> {
  const sql = arms
    .map(
      ({ near, far, filter }) => `SELECT ${near}, ${far} FROM json_each(?1) AS wanted
        CROSS JOIN edges WHERE graph_id = +?2 AND ${near} = wanted.value${filter}`,
    )
    .join(" UNION ALL ");
  const statement = graph.sql(sql);
  for (let from = 0; from < keys.length; from += KEYS_PER_READ) {
    const part = JSON.stringify(keys.slice(from, from + KEYS_PER_READ));
    for (const row of statement.rows([part, graph.id])) {
      yield { from: row[0] as string, to: row[1] as string };
    }
  }
}
