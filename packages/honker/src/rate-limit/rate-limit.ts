import type { Core } from "../core/core.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { sweepFixedWindows, tryFixedWindow } from "./fixed-window.ts";
import { sweepSlidingWindows, trySlidingWindow } from "./sliding-window.ts";

/** How a limit is asked. */
export interface RateLimitOptions {
  /** How much is allowed per window, a whole number from 1. */
  readonly limit: number;
  /** Seconds of a window. Whole seconds for `"fixed"`. */
  readonly perSeconds: number;
  /**
   * Default `"sliding"`: never more than `limit` within any `perSeconds`, wherever they begin.
   * `"fixed"`: Honker's own, windows that begin at multiples of `perSeconds`, so that around such a
   * boundary up to twice the limit may pass; shared with programs that use Honker's function.
   */
  readonly algorithm?: "sliding" | "fixed";
  /** How much this call takes, a whole number, default 1. Raise it for calls that weigh more. */
  readonly cost?: number;
}

/** What a limit answered. */
export interface RateLimitResult {
  readonly allowed: boolean;
  /** How much is left after this call. */
  readonly remaining: number;
  /** Milliseconds until a call of this cost can be allowed; 0 when it was. */
  readonly retryAfterMs: number;
}

/** A limit with its options checked and filled in. */
export interface RateLimitRequest {
  readonly name: string;
  readonly limit: number;
  readonly perMs: number;
  readonly cost: number;
}

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
