import type { Core } from "../core/core.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { sweepFixedWindows, tryFixedWindow } from "./fixed-window.ts";
import type { RateLimitOptions, RateLimitResult } from "./rate-limit-options.ts";
import { sweepSlidingWindows, trySlidingWindow } from "./sliding-window.ts";

/** Longest window: ten years. */
const MAX_PER_SECONDS = 315_360_000;

/** Takes `cost` from the limit `name` if it allows. @throws `INVALID_ARGUMENT` */
export function tryRateLimit(core: Core, name: string, options: RateLimitOptions): RateLimitResult {
  const { limit, perSeconds, algorithm = "sliding", cost = 1 } = options;
  requireName(name, "name of a rate limit");
  requireNumber(limit, "limit", { min: 1, integer: true });
  requireNumber(cost, "cost", { min: 1, integer: true });
  requireNumber(perSeconds, "perSeconds", {
    min: algorithm === "fixed" ? 1 : 0.001,
    max: MAX_PER_SECONDS,
    integer: algorithm === "fixed",
  });
  if (cost > limit) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `cost ${cost} is more than the limit ${limit} of "${name}": it could never be allowed`,
      { hint: "Split the work or raise the limit", details: { name, cost, limit } },
    );
  }
  const request = { name, limit, perMs: Math.ceil(perSeconds * 1_000), cost };
  switch (algorithm) {
    case "fixed":
      return tryFixedWindow(core, request);
    case "sliding":
      return trySlidingWindow(core, request);
    default:
      throw new HonkerError(
        "INVALID_ARGUMENT",
        `algorithm must be "sliding" or "fixed", got ${JSON.stringify(algorithm)}`,
      );
  }
}

/**
 * Deletes what no limit looks at any more. Windows used here go away by themselves; this is for rows
 * that Honker's own function wrote, whose length is not stored.
 *
 * @param olderThanSeconds windows of Honker that began longer ago than this are deleted
 * @returns how many rows were deleted
 */
export function sweepRateLimits(core: Core, olderThanSeconds: number): number {
  requireNumber(olderThanSeconds, "olderThanSeconds", { min: 0 });
  return core.transaction(
    () => sweepFixedWindows(core, olderThanSeconds) + sweepSlidingWindows(core),
  );
}
