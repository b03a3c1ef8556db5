import { setImmediate } from "node:timers/promises";
import type { Database, SqlValue } from "@alkdev/honker";
import type { Attributes, EvolvingRow } from "../../graphs/index.ts";

/** A node or edge of some type as it is stored; rows without a type are nobody's. */
export interface StoredRow extends EvolvingRow {
  readonly id: string;
  readonly rowid: number;
  /** As stored, to write the row only if nobody else has. */
  readonly texts: { readonly attributes: string; readonly metadata: string };
}

/** Which rows {@link storedRows} reads, and how. */
export interface StoredRowsOptions {
  /** Id of the graph type whose graphs hold them. */
  readonly graphTypeId: string;
  /** How many rows of the table are looked at in one go. */
  readonly batchSize: number;
}

/** Some rows, and how many there are in the type's graphs between the ones before and the next. */
export interface StoredRowBatch {
  readonly rows: readonly StoredRow[];
  readonly seen: number;
}

const NODES_AFTER = `SELECT n.rowid, g.id, n.id, n.key, n.attributes, n.metadata,
    json_extract(n.metadata, '$._metagraph.nodeType')
  FROM nodes n LEFT JOIN graphs g ON g.id = n.graph_id AND g.graph_type_id = +?1
  WHERE n.rowid > +?2 ORDER BY n.rowid LIMIT +?3`;
const EDGES_AFTER = `SELECT e.rowid, g.id, e.id, coalesce(e.key, e.id), e.attributes, e.metadata,
    json_extract(e.metadata, '$._metagraph.edgeType')
  FROM edges e LEFT JOIN graphs g ON g.id = e.graph_id AND g.graph_type_id = +?1
  WHERE e.rowid > +?2 ORDER BY e.rowid LIMIT +?3`;
const COUNT_NODES = `SELECT count(*) FROM graphs g CROSS JOIN nodes n ON n.graph_id = g.id
  WHERE g.graph_type_id = ?`;
const COUNT_EDGES = `SELECT count(*) FROM graphs g CROSS JOIN edges e ON e.graph_id = g.id
  WHERE g.graph_type_id = ?`;

/** How many nodes and edges the graphs of a type hold. */
export function countRows(client: Database, graphTypeId: string): number {
  const count = (sql: string): number => Number(client.rows(sql, [graphTypeId])[0]?.[0]);
  return count(COUNT_NODES) + count(COUNT_EDGES);
}

/**
 * All typed rows of the graphs of a type, nodes first, a batch at a time. It walks over the tables by
 * rowid, so that a table of any size costs the same memory.
 */
export function* storedRows(
  client: Database,
  { graphTypeId, batchSize }: StoredRowsOptions,
): Generator<StoredRowBatch> {
  for (const each of ["node", "edge"] as const) {
    const statement = client.prepare(each === "node" ? NODES_AFTER : EDGES_AFTER);
    // a row that SQL wrote may have any rowid
    let after = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const found = statement.rows([graphTypeId, after, batchSize]);
      const ours = found.filter((row) => row[1] !== null);
      yield { seen: ours.length, rows: ours.flatMap((row) => typedRow(each, row)) };
      const last = found.at(-1);
      if (last === undefined || found.length < batchSize) break;
      after = Number(last[0]);
    }
  }
}

/**
 * As {@link storedRows}, with other code running between two batches. A row that is written meanwhile
 * may be missed or met again: what must not miss one looks again in the transaction that counts on it.
 */
export async function* storedRowsInTurns(
  client: Database,
  { signal, ...options }: StoredRowsOptions & { readonly signal: AbortSignal | undefined },
): AsyncGenerator<StoredRowBatch> {
  for (const batch of storedRows(client, options)) {
    signal?.throwIfAborted();
    yield batch;
    await setImmediate();
  }
  signal?.throwIfAborted();
}

/** The row of a result with the columns rowid, graph, id, key, attributes, metadata, type. */
export function typedRow(of: "node" | "edge", row: readonly SqlValue[]): readonly StoredRow[] {
  const [rowid, graphId, id, key, attributes, metadata, type] = row as [number, ...string[]];
  if (typeof type !== "string" || attributes === undefined || metadata === undefined) return [];
  return [
    {
      of,
      type,
      rowid,
      graphId: String(graphId),
      id: String(id),
      key: String(key),
      attributes: JSON.parse(attributes) as Attributes,
      metadata: JSON.parse(metadata) as Attributes,
      texts: { attributes, metadata },
    },
  ];
}
