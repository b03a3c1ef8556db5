import type { Core } from "../core/core.ts";
import type { RateLimitRequest, RateLimitResult } from "./rate-limit-options.ts";

const COUNT = "SELECT count FROM _honker_rate_limits WHERE name = ? AND window_start = ?";
const TAKE = `INSERT INTO _honker_rate_limits (name, window_start, count, alk_ends_at)
  VALUES (?, ?, ?, ?) ON CONFLICT (name, window_start) DO UPDATE SET
  count = count + excluded.count,
  alk_ends_at = max(coalesce(alk_ends_at, 0), excluded.alk_ends_at)`;
const FORGET = `DELETE FROM _honker_rate_limits WHERE rowid IN (SELECT rowid
  FROM _honker_rate_limits WHERE alk_ends_at <= ? ORDER BY alk_ends_at LIMIT ?)`;
const SWEEP = "DELETE FROM _honker_rate_limits WHERE window_start < ?";

/** Windows that are over, deleted with each new one: more than are made, so they cannot pile up. */
const FORGET_PER_WINDOW = 4;

/** The same rows and rule as Honker's `honker_rate_limit_try`, with a cost and an answer in numbers. */
export function tryFixedWindow(core: Core, request: RateLimitRequest): RateLimitResult {
  const { name, limit, cost } = request;
  const perSeconds = request.perMs / 1_000;
  const windowStart = Math.floor(core.nowSeconds() / perSeconds) * perSeconds;
  const endsAt = windowStart + perSeconds;
  const used = (): number => Number(core.prepare(COUNT).row([name, windowStart])?.[0] ?? 0);
  const refused = (count: number): RateLimitResult => ({
    allowed: false,
    remaining: Math.max(0, limit - count),
    retryAfterMs: endsAt * 1_000 - core.nowMs(),
  });
  // a look first: a limit that is reached costs no write lock
  const seen = used();
  if (seen + cost > limit) return refused(seen);
  return core.transaction(() => {
    const count = used();
    if (count + cost > limit) return refused(count);
    core.prepare(TAKE).run([name, windowStart, cost, endsAt]);
    if (count === 0) core.prepare(FORGET).run([core.nowSeconds(), FORGET_PER_WINDOW]);
    return { allowed: true, remaining: limit - count - cost, retryAfterMs: 0 };
  });
}

/** Deletes every window that began more than `olderThanSeconds` ago, as Honker's sweep does. */
export function sweepFixedWindows(core: Core, olderThanSeconds: number): number {
  return core.prepare(SWEEP).run([core.nowSeconds() - olderThanSeconds]).changes;
}
