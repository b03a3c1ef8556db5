import type { Core } from "../core/core.ts";
import type { RateLimitRequest, RateLimitResult } from "./rate-limit-options.ts";

const NEWEST = `SELECT at_ms, total FROM _alk_rate_events
  WHERE name = ? AND per_ms = ? AND at_ms <= ? ORDER BY at_ms DESC LIMIT 1`;
const BEFORE_WINDOW = `SELECT total - cost FROM _alk_rate_events
  WHERE name = ? AND per_ms = ? AND at_ms > ? ORDER BY at_ms LIMIT 1`;
const FREED_AT = `SELECT at_ms FROM _alk_rate_events
  WHERE name = ? AND per_ms = ? AND at_ms > ? AND total >= ? ORDER BY at_ms LIMIT 1`;
const TAKE = `INSERT INTO _alk_rate_events (name, per_ms, at_ms, cost, total, ends_at_ms)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name, per_ms, at_ms) DO UPDATE SET
  cost = cost + excluded.cost, total = excluded.total`;
const DROP_FUTURE = "DELETE FROM _alk_rate_events WHERE name = ? AND per_ms = ? AND at_ms > ?";
const FORGET = `DELETE FROM _alk_rate_events WHERE rowid IN (SELECT rowid
  FROM _alk_rate_events WHERE ends_at_ms <= ? ORDER BY ends_at_ms LIMIT ?)`;
const SWEEP = "DELETE FROM _alk_rate_events WHERE ends_at_ms <= ?";

/** Events that left their window, deleted with each new one: more than come, so they cannot pile up. */
const FORGET_PER_EVENT = 4;

/** What a window holds at one moment. */
interface Window {
  /** Now, or the newest event when the clock went back. */
  readonly at: number;
  /** Running sum of the newest event. */
  readonly total: number;
  readonly used: number;
}

/**
 * An exact log: allowed when the events of the last `perMs`, and this one, cost at most `limit`. A log
 * rather than a leaky bucket, because a bucket lets nearly twice its size through in one window.
 */
export function trySlidingWindow(core: Core, request: RateLimitRequest): RateLimitResult {
  const { name, limit, perMs, cost } = request;
  // a look first: a limit that is reached costs no write lock
  const seen = readWindow(core, request);
  if (seen.used + cost > limit) return refused(core, request, seen);
  return core.transaction(() => {
    const { at, total, used } = readWindow(core, request);
    if (used + cost > limit) return refused(core, request, { at, total, used });
    core.prepare(DROP_FUTURE).run([name, perMs, core.nowMs() + perMs]);
    core.prepare(TAKE).run([name, perMs, at, cost, total + cost, at + perMs]);
    core.prepare(FORGET).run([Math.min(at, core.nowMs()), FORGET_PER_EVENT]);
    return { allowed: true, remaining: limit - used - cost, retryAfterMs: 0 };
  });
}

/** Deletes every event that left its window. */
export function sweepSlidingWindows(core: Core): number {
  return core.prepare(SWEEP).run([core.nowMs()]).changes;
}

/**
 * A clock that goes back by less than a window counts as standing still at the newest event, so that the
 * limit holds. After a larger jump the newer events lie in a far future: they are left out.
 */
function readWindow(core: Core, { name, perMs }: RateLimitRequest): Window {
  const now = core.nowMs();
  const newest = core.prepare(NEWEST).row([name, perMs, now + perMs]);
  if (newest === undefined) return { at: now, total: 0, used: 0 };
  const [newestAt, total] = newest.map(Number) as [number, number];
  const at = Math.max(now, newestAt);
  const before = core.prepare(BEFORE_WINDOW).row([name, perMs, at - perMs])?.[0];
  return { at, total, used: before === undefined ? 0 : total - Number(before) };
}

function refused(core: Core, request: RateLimitRequest, window: Window): RateLimitResult {
  const { name, perMs, limit, cost } = request;
  const { at, total, used } = window;
  // the event whose leaving makes room: everything up to it is at least what is too much
  const freed = core.prepare(FREED_AT).row([name, perMs, at - perMs, total + cost - limit]);
  const freedAt = Number(freed?.[0] ?? at) + perMs;
  return {
    allowed: false,
    remaining: Math.max(0, limit - used),
    retryAfterMs: Math.max(1, freedAt - core.nowMs()),
  };
}
