import { StorageError } from "../../errors.ts";
import { checkGraphFields } from "./check-graph.ts";
import {
  FROM_GRAPHS,
  GRAPH_COLUMNS,
  type GraphStatus,
  graphOf,
  type StoredGraph,
} from "./graph-row.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "./paging.ts";
import type { Page } from "./rows.ts";
import type { StoreContext } from "./store-context.ts";
import { paramsOf, type SqlPart } from "./where.ts";

/** Which graphs, in the order of their ids: those made by the store, oldest first. */
export interface ListGraphsOptions extends PageOptions {
  /** Name of their graph type. */
  readonly type?: string;
  readonly status?: GraphStatus;
  /** Null: those of the system. */
  readonly ownerId?: string | null;
  /** Null: those of the organisation as a whole. */
  readonly projectId?: string | null;
}

const COLUMNS = [
  ["type", "t.name"],
  ["status", "g.status"],
  ["ownerId", "g.owner_id"],
  ["projectId", "g.project_id"],
] as const;
const CURSOR = { list: "graphs", length: 1 };

/** Graphs of a file, page by page. @throws StorageError `INVALID_ARGUMENT` */
export function listGraphs(
  store: StoreContext,
  options: ListGraphsOptions = {},
): Page<StoredGraph> {
  const { limit: most, cursor, ...filter } = options;
  checkGraphFields(filter, []);
  for (const field of Object.keys(filter)) {
    if (COLUMNS.some(([known]) => known === field)) continue;
    throw new StorageError("INVALID_ARGUMENT", `graphs cannot be listed by ${field}`);
  }
  const limit = pageLimit(most);
  const position = readCursor(cursor, CURSOR);
  const parts: SqlPart[] = [];
  for (const [field, column] of COLUMNS) {
    const value = filter[field];
    if (value === undefined) continue;
    parts.push(
      value === null
        ? { sql: `${column} IS NULL`, params: [] }
        : { sql: `${column} = +?`, params: [value] },
    );
  }
  if (position !== null) parts.push({ sql: "g.id > +?", params: position });
  const where = ["1", ...parts.map(({ sql }) => sql)].join(" AND ");
  const statement = store.sql(
    `SELECT ${GRAPH_COLUMNS} ${FROM_GRAPHS} WHERE ${where} ORDER BY g.id LIMIT ?`,
  );
  const graphs = statement.rows([...paramsOf(parts), limit + 1]).map(graphOf);
  return pageOf(graphs, limit, { list: CURSOR.list, at: ({ id }) => [id] });
}
