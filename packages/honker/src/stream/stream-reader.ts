import type { Core } from "../core/core.ts";
import type { SqlInput, SqlValue } from "../sqlite/connection.ts";
import { EVENT_COLUMNS } from "./stream-event.ts";
import type { CompiledFilter } from "./stream-filter.ts";

/** Rows read at once, in the order of {@link EVENT_COLUMNS}. */
export interface StreamBatch {
  readonly rows: readonly SqlValue[][];
  /** Every event up to this offset was looked at; reading goes on after it. */
  readonly through: number;
}

const AFTER = `SELECT ${EVENT_COLUMNS} FROM _honker_stream
  WHERE topic = ? AND offset > ? ORDER BY offset LIMIT ?`;
const AFTER_BYTES = `SELECT sum(octet_length(payload)) FROM (
  SELECT payload FROM _honker_stream WHERE topic = ? AND offset > ? ORDER BY offset LIMIT ?)`;
const WINDOW_END = `SELECT max(offset) FROM (
  SELECT offset FROM _honker_stream WHERE topic = ? AND offset > ? ORDER BY offset LIMIT ?)`;
const NEWEST_ISSUED = "SELECT seq FROM sqlite_sequence WHERE name = '_honker_stream'";

/** Payload bytes of one batch; a single larger event still makes a batch of its own. */
const BATCH_BYTES = 1_048_576;
/** Rows that a filter tests per batch, so that a rare match does not block the process: about 5 ms. */
const FILTER_WINDOW = 16_384;

/** Reads up to `limit` events after `offset`, fewer when they are large. */
export function readBatch(
  core: Core,
  topic: string,
  range: {
    readonly after: number;
    readonly limit: number;
    readonly filter?: CompiledFilter | undefined;
  },
): StreamBatch {
  const { after, limit, filter } = range;
  if (filter !== undefined) return readFiltered(core, topic, { after, limit, filter });
  const params = [topic, after, limit];
  // the sizes are read from the row headers: a third of the cost of reading the rows
  const bytes = core.prepare(AFTER_BYTES).row(params)?.[0] ?? 0;
  const rows =
    Number(bytes) <= BATCH_BYTES
      ? core.prepare(AFTER).rows(params)
      : rowsWithinBytes(core, AFTER, params);
  return { rows, through: Number(rows.at(-1)?.[0] ?? after) };
}

/** The largest offset ever issued in the file, by any stream, also when its event was pruned. */
export function newestOffset(core: Core): number {
  return Number(core.prepare(NEWEST_ISSUED).row([])?.[0] ?? 0);
}

function readFiltered(
  core: Core,
  topic: string,
  range: { readonly after: number; readonly limit: number; readonly filter: CompiledFilter },
): StreamBatch {
  const { after, limit, filter } = range;
  const end = core.prepare(WINDOW_END).row([topic, after, FILTER_WINDOW])?.[0];
  if (end === null || end === undefined) return { rows: [], through: after };
  const sql = `SELECT ${EVENT_COLUMNS} FROM _honker_stream
    WHERE topic = ? AND offset > ? AND offset <= ?${filter.sql} ORDER BY offset LIMIT ?`;
  const found = rowsWithinBytes(core, sql, [topic, after, end, ...filter.params, limit]);
  const last = found.at(-1);
  const exhausted = found.length < limit && bytesOf(found) < BATCH_BYTES;
  return {
    rows: found.filter((row) => filter.matches(row[1], row[5])),
    through: exhausted || last === undefined ? Number(end) : Number(last[0]),
  };
}

/** Rows until their payloads reach the limit; one at a time, so that no more than that is in memory. */
function rowsWithinBytes(core: Core, sql: string, params: readonly SqlInput[]): SqlValue[][] {
  const rows: SqlValue[][] = [];
  let bytes = 0;
  for (const row of core.prepare(sql).iterate(params)) {
    rows.push(row);
    bytes += payloadBytes(row);
    if (bytes >= BATCH_BYTES) break;
  }
  return rows;
}

function bytesOf(rows: readonly SqlValue[][]): number {
  return rows.reduce((bytes, row) => bytes + payloadBytes(row), 0);
}

/** UTF-16 units rather than bytes: a bound within a factor of three is enough. */
function payloadBytes(row: readonly SqlValue[]): number {
  return String(row[2]).length;
}
