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
  range: { readonly after: number; readonly limit: number; readonly filter?: CompiledFilter | undefined },
): StreamBatch {
  const { after, limit, filter } = range;
  if (filter !== undefined) return readFiltered(core, topic, { after, limit, filter });
  const params = [topic, after, limit];
  // the sizes are read from the row headers: a sixth of the cost of reading the rows
  const bytes = core.prepare(AFTER_BYTES).row(params)?.[0] ?? 0;
  const rows =
    Number(bytes) <= BATCH_BYTES
      ? core.prepare(AFTER).rows(params)
      : withinBytes(core, AFTER, params);
  return { rows, through: offsetOf(rows.at(-1)) ?? after };
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
  const found = withinBytes(core, sql, [topic, after, end, ...filter.params, limit]);
  const rows = found.filter((row) => filter.matches(row[1], row[5]));
  return { rows, through: found.complete ? Number(end) : (offsetOf(found.at(-1)) ?? after) };
}

