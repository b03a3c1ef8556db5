import type { GraphContext } from "./graph-context.ts";
import { attributeOrder, columnOrder, type OrderBy } from "./order.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "./paging.ts";
import { NODE_COLUMNS, nodeOf, type Page, type StoredNode } from "./rows.ts";
import { typeSql } from "./type-filter.ts";
import { paramsOf, type SqlPart, type Where, whereSql } from "./where.ts";

/** Which nodes. */
export interface NodeFilter {
  /** Name of their node type. Default any. */
  readonly type?: string;
  /** What their attributes must be. Default anything. */
  readonly where?: Where;
}

/** Which nodes, in which order. */
export interface ListNodesOptions extends NodeFilter, PageOptions {
  /** Default: by key. */
  readonly orderBy?: OrderBy;
}

/** Nodes of a graph, page by page. @throws StorageError `INVALID_ARGUMENT` */
export function listNodes(graph: GraphContext, options: ListNodesOptions = {}): Page<StoredNode> {
  const limit = pageLimit(options.limit);
  const order =
    options.orderBy === undefined ? columnOrder("key") : attributeOrder(options.orderBy, "key");
  const cursor = { list: `nodes ${order.name}`, length: options.orderBy === undefined ? 1 : 2 };
  const position = readCursor(options.cursor, cursor);
  const filter = nodeFilterSql(options);
  const after = position === null ? [] : [order.after(position)];
  const sql = `SELECT ${NODE_COLUMNS} FROM nodes WHERE graph_id = +?${filter.sql}
    ${after.map((part) => `AND ${part.sql}`).join(" ")} ${order.sql} LIMIT ?`;
  const rows = graph.sql(sql).rows([graph.id, ...filter.params, ...paramsOf(after), limit + 1]);
  return pageOf(rows.map(nodeOf), limit, {
    list: cursor.list,
    at: (node) => order.at(node, node.key),
  });
}

/** How many nodes there are. @throws StorageError `INVALID_ARGUMENT` */
export function countNodes(graph: GraphContext, filter: NodeFilter = {}): number {
  const { sql, params } = nodeFilterSql(filter);
  const statement = graph.sql(`SELECT count(*) FROM nodes WHERE graph_id = +?${sql}`);
  return statement.row([graph.id, ...params])?.[0] as number;
}

function nodeFilterSql({ type, where }: NodeFilter): SqlPart {
  const ofType = typeSql("nodeType", type);
  const { sql, params } = whereSql(where);
  return { sql: ofType + sql, params };
}
