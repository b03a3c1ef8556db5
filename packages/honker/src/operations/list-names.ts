import type { Core } from "../core/core.ts";

const STREAMS = `${distinct("_honker_stream", "topic")}
  UNION SELECT topic FROM _honker_stream_consumers UNION SELECT topic FROM _alk_stream_groups
  UNION ${distinct("_alk_stream_dead", "topic")} ORDER BY 1`;
const QUEUES = `${distinct("_honker_live", "queue")} UNION ${distinct("_honker_dead", "queue")}
  UNION SELECT queue FROM _alk_queues WHERE paused_at_ms IS NOT NULL ORDER BY 1`;

/** Names of the streams that have anything. */
export function streamNames(core: Core): string[] {
  return core
    .prepare(STREAMS)
    .rows([])
    .map(([name]) => String(name));
}

/** Names of the queues that have anything, or are paused. */
export function queueNames(core: Core): string[] {
  return core
    .prepare(QUEUES)
    .rows([])
    .map(([name]) => String(name));
}

/** A query that goes from name to name through an index that begins with them, not from row to row. */
function distinct(table: string, column: string): string {
  return `SELECT name FROM (WITH RECURSIVE names (name) AS (
    SELECT min(${column}) FROM ${table} UNION ALL
    SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > name) FROM names
      WHERE name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL)`;
}
