import { type Arm, armsOf, type FollowOptions } from "./direction.ts";
import type { GraphContext } from "./graph-context.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "./paging.ts";
import { NODE_COLUMNS, nodeOf, type Page, type StoredNode } from "./rows.ts";
import { typeSql } from "./type-filter.ts";

/** Which neighbours. */
export interface NeighboursOptions extends FollowOptions, PageOptions {
  /** Name of their node type. Default any. */
  readonly nodeType?: string;
}

const NOTHING = "SELECT NULL WHERE 0";
const CURSOR = { list: "neighbours", length: 1 };

/** The nodes that edges join a node with, each once, by key, page by page. */
export function neighbours(
  graph: GraphContext,
  key: string,
  options: NeighboursOptions = {},
): Page<StoredNode> {
  const limit = pageLimit(options.limit);
  const [after = ""] = readCursor(options.cursor, CURSOR) ?? [];
  const arms = armsOf(graph, options);
  // UNION, also with nothing, merges what the indexes give in order: it is read as far as the page goes
  const sql = `WITH far(far_key) AS (
      ${[...arms.map(armSql), NOTHING].join(" UNION ")} ORDER BY 1
    )
    SELECT ${NODE_COLUMNS} FROM far CROSS JOIN nodes
    WHERE graph_id = +?1 AND key = far_key${typeSql("nodeType", options.nodeType)}
    ORDER BY far_key LIMIT ?4`;
  const rows = graph.sql(sql).rows([graph.id, key, after, limit + 1]);
  return pageOf(rows.map(nodeOf), limit, { list: CURSOR.list, at: (node) => [node.key] });
}

function armSql({ near, far, filter }: Arm): string {
  return `SELECT ${far} FROM edges
    WHERE graph_id = +?1 AND ${near} = +?2 AND ${far} > +?3${filter}`;
}

/** How many edges a node has. */
export function degree(graph: GraphContext, key: string, options: FollowOptions = {}): number {
  const counts = armsOf(graph, options).map(
    ({ near, filter }) =>
      `(SELECT count(*) FROM edges WHERE graph_id = +?1 AND ${near} = +?2${filter})`,
  );
  return graph.sql(`SELECT ${counts.join(" + ")}`).row([graph.id, key])?.[0] as number;
}
