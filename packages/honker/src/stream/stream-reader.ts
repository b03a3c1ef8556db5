import type { Core } from "../core/core.ts";
import type { SqlValue } from "../sqlite/connection.ts";
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
const ONE = `SELECT ${EVENT_COLUMNS} FROM _honker_stream WHERE offset = ?`;
const WINDOW_END = `SELECT max(offset) FROM (
  SELECT offset FROM _honker_stream WHERE topic = ? AND offset > ? ORDER BY offset LIMIT ?)`;
const NEWEST_ISSUED = "SELECT seq FROM sqlite_sequence WHERE name = '_honker_stream'";

/** Rows that a filter tests per batch, so that a rare match does not block the process: about 5 ms. */
const FILTER_WINDOW = 16_384;

/** Reads up to `limit` events after `offset`; with a filter fewer, also when there are more to come. */
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
  if (filter === undefined) {
    const rows = core.prepare(AFTER).rows([topic, after, limit]);
    return { rows, through: Number(rows.at(-1)?.[0] ?? after) };
  }
  const end = core.prepare(WINDOW_END).row([topic, after, FILTER_WINDOW])?.[0];
  if (end === null || end === undefined) return { rows: [], through: after };
  const candidates = core
    .prepare(withinWindow(filter))
    .rows([topic, after, end, ...filter.params, limit]);
  const last = candidates.length === limit ? candidates.at(-1)?.[0] : end;
  return {
    rows: candidates.filter((row) => filter.matches(row[1], row[5])),
    through: Number(last),
  };
}

/** The columns of one event; `undefined` when it is no longer kept. */
export function readEvent(core: Core, offset: number): SqlValue[] | undefined {
  return core.prepare(ONE).row([offset]);
}

/** The largest offset ever issued in the file, by any stream, also when its event was pruned. */
export function newestOffset(core: Core): number {
  return Number(core.prepare(NEWEST_ISSUED).row([])?.[0] ?? 0);
}

function withinWindow(filter: CompiledFilter): string {
  return `SELECT ${EVENT_COLUMNS} FROM _honker_stream
    WHERE topic = ? AND offset > ? AND offset <= ?${filter.sql} ORDER BY offset LIMIT ?`;
}
