/**
 * Nanoseconds on CLOCK_MONOTONIC. On Linux and macOS every process of one machine reads the same
 * clock, so a stamp taken in one process can be subtracted in another.
 */
export function now(): number {
  return Number(process.hrtime.bigint());
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds since a stamp of {@link now}. */
export function secondsSince(start: number): number {
  return (now() - start) / 1e9;
}

/** Milliseconds since a stamp of {@link now}. */
export function msSince(start: number): number {
  return (now() - start) / 1e6;
}
