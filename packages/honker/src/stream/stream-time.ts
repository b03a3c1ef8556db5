import type { Core } from "../core/core.ts";
import { HonkerError } from "../errors.ts";
import { newestOffset } from "./stream-reader.ts";

const SECOND_AFTER = `SELECT created_at FROM _honker_stream
  WHERE topic = ? AND offset > ? ORDER BY offset LIMIT 1`;
// Honker's events know only their second, so they count as of its end: rather one too many than one lost
const FIRST_SINCE = `SELECT offset FROM _honker_stream
  WHERE topic = ? AND offset > ? AND coalesce(alk_created_ms, created_at * 1000 + 999) >= ?
  ORDER BY offset LIMIT 1`;

/**
 * The offset after which the events published at `date` or later begin. A binary search in the order of
 * offsets, so no index on time burdens each publish: where the clock was set back it finds one of the
 * places where the time passes `date`.
 *
 * @throws `INVALID_ARGUMENT` for an invalid date
 */
export function offsetBefore(core: Core, topic: string, date: Date): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new HonkerError("INVALID_ARGUMENT", "the date is invalid");
  const newest = newestOffset(core);
  const second = Math.floor(ms / 1_000);
  const secondAfter = core.prepare(SECOND_AFTER);
  let low = 0;
  let high = newest;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const created = secondAfter.row([topic, middle])?.[0];
    if (created === undefined || Number(created) >= second) high = middle;
    else low = middle + 1;
  }
  const first = core.prepare(FIRST_SINCE).row([topic, low, ms])?.[0];
  return first === undefined ? newest : Number(first) - 1;
}
