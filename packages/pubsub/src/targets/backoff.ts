import { PubSubError } from "../errors.ts";

/** How long to wait between tries that fail. */
export interface BackoffOptions {
  /** Wait before the first retry, in milliseconds. Default 100. It doubles with every failure. */
  readonly baseMs?: number;
  /** Longest wait, in milliseconds. Default 10,000. */
  readonly maxMs?: number;
  /** A number from 0 to 1 that spreads the retries of many. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Wait before a try, in milliseconds: `base · 2^failures`, at most `max`, of which between half and all
 * is waited, so that a thousand clients do not come back at the same moment.
 *
 * @param failures how many tries failed before; 0 for the first retry
 */
export function backoffMs(failures: number, options: BackoffOptions = {}): number {
  const { baseMs = 100, maxMs = 10_000, random = Math.random } = options;
  if (!(baseMs >= 0) || !(maxMs >= baseMs)) {
    throw new PubSubError(
      "INVALID_ARGUMENT",
      `backoff of ${baseMs} to ${maxMs} ms; it must grow from at least 0`,
    );
  }
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
  return full * (0.5 + random() / 2);
}

/** Waits, or less when the signal aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Resolves with the work, or after the time; a failure that comes later is not reported. */
export async function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, pause(ms, done.signal)]);
  } finally {
    done.abort();
    work.catch(() => undefined);
  }
}
