import type { Database } from "@alkdev/honker";
import { ACL_GRAPH_ID } from "../tables/metagraph/acl-edges.ts";

/** Rows that one step deleted. */
export interface DeletedRows {
  readonly graphs: number;
  readonly nodes: number;
  readonly edges: number;
}

/** Rows per commit: some milliseconds, for which other writers wait. */
const CHUNK = 2_000;

/**
 * Graphs whose deletion has begun are listed apart from the graphs: a row of `graphs` can be changed by
 * its owner, who must not get half a graph back.
 */
const BEGUN_PREFIX = "deleting_graph:";
const BEGUN = `SELECT substr(key, ${BEGUN_PREFIX.length + 1}) FROM _alk_storage_state
  WHERE key >= '${BEGUN_PREFIX}' AND key < 'deleting_graph;' LIMIT 1`;
/** An archived graph takes no other change, so the last one was its archiving. */
const EXPIRED = `status = 'archived' AND updated_at <= ?1 AND id <> '${ACL_GRAPH_ID}'`;
const NEXT = `SELECT id FROM graphs WHERE ${EXPIRED} ORDER BY updated_at, id LIMIT 1`;
/** Without its type nobody can write to it any more; it can be un-archived until this commit. */
const BEGIN = `UPDATE graphs SET graph_type_id = NULL WHERE ${EXPIRED} AND id = ?2`;
const IS_BEGUN = "SELECT 1 FROM _alk_storage_state WHERE key = ?";
const SET_BEGUN = "INSERT INTO _alk_storage_state (key, value) VALUES (?, '')";
const SET_ENDED = "DELETE FROM _alk_storage_state WHERE key = ?";
const DELETE_EDGES = `DELETE FROM edges WHERE rowid IN (
  SELECT rowid FROM edges WHERE graph_id = ? LIMIT ${CHUNK})`;
const DELETE_NODES = `DELETE FROM nodes WHERE rowid IN (
  SELECT rowid FROM nodes WHERE graph_id = ? LIMIT ${CHUNK})`;
const DELETE_GRAPH = "DELETE FROM graphs WHERE id = ?";

/** A graph whose deletion has begun, or else the one that expired first; null when there is none. */
export function nextExpiredGraph(client: Database, untilSeconds: number): string | null {
  const row = client.prepare(BEGUN).row() ?? client.prepare(NEXT).row([untilSeconds]);
  return row === undefined ? null : (row[0] as string);
}

/**
 * Deletes edges, or else nodes, or else the graph itself, in one commit. Nothing where it is not expired
 * any more and its deletion has not begun.
 */
export function deleteSomeOfGraph(
  client: Database,
  graphId: string,
  untilSeconds: number,
): DeletedRows {
  const key = BEGUN_PREFIX + graphId;
  const nothing = { graphs: 0, nodes: 0, edges: 0 };
  return client.transaction((tx): DeletedRows => {
    const run = (sql: string, params: readonly (string | number)[]): number =>
      client.prepare(sql).run(params).changes;
    if (client.prepare(IS_BEGUN).row([key]) === undefined) {
      if (run(BEGIN, [untilSeconds, graphId]) === 0) return nothing;
      run(SET_BEGUN, [key]);
    }
    const edges = run(DELETE_EDGES, [graphId]);
    if (edges === CHUNK) return { ...nothing, edges };
    const nodes = run(DELETE_NODES, [graphId]);
    if (nodes === CHUNK) return { ...nothing, nodes, edges };
    const graphs = run(DELETE_GRAPH, [graphId]);
    run(SET_ENDED, [key]);
    if (graphs > 0) tx.notify("graph:deleted", { graphId });
    return { graphs, nodes, edges };
  });
}
