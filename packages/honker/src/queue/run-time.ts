import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { EnqueueOptions } from "./queue-options.ts";

/** A run time as it is stored. */
export interface RunTime {
  /** Whole seconds since 1970, rounded up so that Honker's own claims never come early. */
  readonly runAt: number;
  /** Milliseconds since 1970 where whole seconds are not exact. */
  readonly runAtMs: number | null;
}

/** The end of year 9999, in seconds: what is later is a mistake of units. */
const LATEST_SECONDS = 253_402_300_799;

/** Splits a moment in milliseconds since 1970. */
export function runTime(ms: number): RunTime {
  const whole = Math.round(ms);
  const runAt = Math.ceil(whole / 1_000);
  return { runAt, runAtMs: runAt * 1_000 === whole ? null : whole };
}

/** When a job may run. @throws `INVALID_ARGUMENT` */
export function requestedRunTime(options: EnqueueOptions, nowMs: number): RunTime {
  const { runAt, delayMs } = options;
  const delaySeconds = options.delaySeconds ?? options.delay;
  const given = [runAt, delayMs, delaySeconds].filter((value) => value != null).length;
  if (given > 1) {
    throw new HonkerError(
      "INVALID_ARGUMENT",
      "runAt, delaySeconds and delayMs say the same thing; more than one was given",
    );
  }
  if (delayMs !== undefined) {
    requireNumber(delayMs, "delayMs", { min: 0, max: LATEST_SECONDS * 1_000 });
    return runTime(Math.min(nowMs + delayMs, LATEST_SECONDS * 1_000));
  }
  if (delaySeconds != null) {
    requireNumber(delaySeconds, "delaySeconds", { min: 0, max: LATEST_SECONDS });
    return runTime(Math.min(nowMs + delaySeconds * 1_000, LATEST_SECONDS * 1_000));
  }
  if (runAt == null) return { runAt: Math.floor(nowMs / 1_000), runAtMs: null };
  const seconds = runAt instanceof Date ? runAt.getTime() / 1_000 : runAt;
  requireNumber(seconds, "runAt (seconds since 1970, or a Date)", { min: 0, max: LATEST_SECONDS });
  return runTime(seconds * 1_000);
}
