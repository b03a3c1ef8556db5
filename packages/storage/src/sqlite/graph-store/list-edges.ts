import type { GraphContext } from "./graph-context.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "./paging.ts";
import { EDGE_COLUMNS, edgeOf, type Page, type StoredEdge } from "./rows.ts";
import { typeSql } from "./type-filter.ts";
import { paramsOf, type SqlPart, type Where, whereSql } from "./where.ts";

/** Which edges. */
export interface EdgeFilter {
  /** Name of their edge type. Default any. */
  readonly type?: string;
  /** Key of the node they start at, as they are stored. Default any. */
  readonly source?: string;
  /** Key of the node they lead to, as they are stored. Default any. */
  readonly target?: string;
  /** What their attributes must be. Default anything. */
  readonly where?: Where;
}

/** Which edges, in the order of their source, target and id. */
export interface ListEdgesOptions extends EdgeFilter, PageOptions {}

const CURSOR = { list: "edges", length: 3 };
const ORDER = "ORDER BY source_node_key, target_node_key, id";
const AFTER = `AND (source_node_key, target_node_key, id) > (?, ?, ?)`;

/** Edges of a graph, page by page. @throws StorageError `INVALID_ARGUMENT` */
export function listEdges(graph: GraphContext, options: ListEdgesOptions = {}): Page<StoredEdge> {
  const limit = pageLimit(options.limit);
  const position = readCursor(options.cursor, CURSOR);
  const { sql, params } = edgeFilterSql(options);
  const statement = graph.sql(
    `SELECT ${EDGE_COLUMNS} FROM edges WHERE graph_id = +?${sql}
      ${position === null ? "" : AFTER} ${ORDER} LIMIT ?`,
  );
  const rows = statement.rows([graph.id, ...params, ...(position ?? []), limit + 1]);
  return pageOf(rows.map(edgeOf), limit, {
    list: CURSOR.list,
    at: ({ source, target, id }) => [source, target, id],
  });
}

/** How many edges there are. @throws StorageError `INVALID_ARGUMENT` */
export function countEdges(graph: GraphContext, filter: EdgeFilter = {}): number {
  const { sql, params } = edgeFilterSql(filter);
  const statement = graph.sql(`SELECT count(*) FROM edges WHERE graph_id = +?${sql}`);
  return statement.row([graph.id, ...params])?.[0] as number;
}

function edgeFilterSql({ type, source, target, where }: EdgeFilter): SqlPart {
  const ends: SqlPart[] = [];
  if (source !== undefined) ends.push({ sql: " AND source_node_key = +?", params: [source] });
  if (target !== undefined) ends.push({ sql: " AND target_node_key = +?", params: [target] });
  const attributes = whereSql(where);
  return {
    sql: [...ends.map(({ sql }) => sql), typeSql("edgeType", type), attributes.sql].join(""),
    params: [...paramsOf(ends), ...attributes.params],
  };
}
