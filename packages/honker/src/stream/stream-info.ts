import type { Core } from "../core/core.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { StreamInfo } from "./stream-options.ts";

const INFO = "SELECT count(*), min(offset), max(offset) FROM _honker_stream WHERE topic = ?";
const INFO_TO = `SELECT (SELECT count(*) FROM (SELECT 1 FROM _honker_stream WHERE topic = ?1 LIMIT ?2)),
  (SELECT min(offset) FROM _honker_stream WHERE topic = ?1),
  (SELECT max(offset) FROM _honker_stream WHERE topic = ?1)`;
const TIMESTAMP = `SELECT coalesce(alk_created_ms, created_at * 1000) FROM _honker_stream
  WHERE offset = ?`;

/** What is kept of a stream, counted as far as `countTo`. */
export function streamInfo(core: Core, topic: string, countTo?: number): StreamInfo {
  const row =
    countTo === undefined
      ? core.prepare(INFO).row([topic])
      : core.prepare(INFO_TO).row([topic, countTo]);
  const [count, first, last] = row as [number, SqlValue, SqlValue];
  const timestamp = (offset: SqlValue): number | null =>
    offset === null ? null : (core.prepare(TIMESTAMP).row([offset])?.[0] as number);
  return {
    name: topic,
    count,
    firstOffset: first as number | null,
    lastOffset: last as number | null,
    firstTimestamp: timestamp(first),
    lastTimestamp: timestamp(last),
  };
}
