/** 128 + the signal's number, as shells have it. */
const STOPPED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/** What {@link untilStopped} gives. */
export interface Stopped {
  readonly signal: AbortSignal;
  /** Resolves when a signal came. */
  readonly happened: Promise<void>;
  /** Of the signal that came; 0 before. */
  exitCode(): number;
}

/** Listens for Ctrl-C and SIGTERM; the second one ends the process at once. */
export function untilStopped(): Stopped {
  const stop = new AbortController();
  let code = 0;
  const happened = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(STOPPED_BY[signal]);
        code = STOPPED_BY[signal];
        stop.abort();
        resolve();
      });
    }
  });
  return { signal: stop.signal, happened, exitCode: () => code };
}
