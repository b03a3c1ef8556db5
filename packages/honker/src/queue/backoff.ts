import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";

/** The same wait before every retry. */
export interface FixedBackoff {
  readonly kind: "fixed";
  /** Milliseconds. */
  readonly delayMs: number;
}

/** A wait that grows with every attempt: `baseMs * factor ^ (attempt - 1)`, at most `maxMs`. */
export interface ExponentialBackoff {
  readonly kind: "exponential";
  /** Milliseconds before the first retry. */
  readonly baseMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** Milliseconds, default 3,600,000 (an hour). */
  readonly maxMs?: number;
  /**
   * Share of the wait that is left to chance, 0 to 1, default 0.1: with 0.1 a wait of 10 s becomes 9 to
   * 10 s. Raise it when many jobs fail together and must not come back together; 1 is "full jitter",
   * see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
   */
  readonly jitter?: number;
}

/** A wait that can be stored with a job. */
export type StoredBackoff = FixedBackoff | ExponentialBackoff;

/** Computes the wait in milliseconds from the number of the attempt that failed, from 1, and its error. */
export type BackoffFunction = (attempt: number, error: unknown) => number;

/** How long a failed job waits before it is tried again. */
export type Backoff = StoredBackoff | BackoffFunction;

/** Longest wait: a year. More is a mistake of a function or an overflow of the power. */
const LONGEST_MS = 366 * 86_400_000;

/** What a queue uses unless told otherwise: 1 s, 2 s, 4 s and so on to an hour, with a little jitter. */
export const DEFAULT_BACKOFF: StoredBackoff = { kind: "exponential", baseMs: 1_000 };

/** Checks an option. @throws `INVALID_ARGUMENT` */
export function requireBackoff(backoff: Backoff, what: string): void {
  if (typeof backoff === "function") return;
  const milliseconds = { min: 0, max: LONGEST_MS };
  if (backoff?.kind === "fixed") {
    requireNumber(backoff.delayMs, `${what}.delayMs`, milliseconds);
    return;
  }
  if (backoff?.kind !== "exponential") {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `${what} must be a function or have kind "fixed" or "exponential"`,
      { hint: 'For example { kind: "exponential", baseMs: 1000 }' },
    );
  }
  requireNumber(backoff.baseMs, `${what}.baseMs`, milliseconds);
  if (backoff.factor !== undefined) {
    requireNumber(backoff.factor, `${what}.factor`, { min: 1, max: 1_000 });
  }
  if (backoff.maxMs !== undefined) requireNumber(backoff.maxMs, `${what}.maxMs`, milliseconds);
  if (backoff.jitter !== undefined) {
    requireNumber(backoff.jitter, `${what}.jitter`, { min: 0, max: 1 });
  }
}

/**
 * Whole milliseconds to wait after attempt number `attempt` (from 1) failed with `error`.
 *
 * @throws `INVALID_ARGUMENT` when a function returns no number from 0 to a year
 */
export function backoffDelayMs(backoff: Backoff, attempt: number, error: unknown): number {
  if (typeof backoff === "function") {
    const delay = backoff(attempt, error);
    requireNumber(delay, "the delay that a backoff function returns", { min: 0, max: LONGEST_MS });
    return Math.round(delay);
  }
  if (backoff.kind === "fixed") return Math.round(backoff.delayMs);
  const { baseMs, factor = 2, maxMs = 3_600_000, jitter = 0.1 } = backoff;
  const full = Math.min(baseMs * factor ** (attempt - 1), maxMs);
  return Math.round(full * (1 - jitter * Math.random()));
}
