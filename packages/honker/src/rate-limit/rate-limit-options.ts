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
