import type { Clock } from "./core/clock.ts";
import type { ErrorHandler } from "./core/core.ts";
import type { ExtensionOption } from "./schema/extension.ts";

/** How much a commit survives; see https://www.sqlite.org/pragma.html#pragma_synchronous. */
export type Durability = "normal" | "full";

/** Which notifications are kept; both limits apply, per database. */
export interface NotificationRetention {
  /** Seconds. Default 3,600. A listener that sleeps longer than this misses what was pruned. */
  readonly maxAgeSeconds?: number;
  /** Rows. Default 10,000. */
  readonly maxCount?: number;
}

/** Options of {@link open}. */
export interface OpenOptions {
  /**
   * Default `"auto"`: load Honker's extension where one is published for the platform, else create the
   * same tables without its SQL functions. Change it to fail early in production (`"require"`), or to
   * load a build of your own (a path).
   */
  readonly extension?: ExtensionOption;
  /**
   * Default `"normal"`: a killed process loses nothing, a power cut may lose the last commits but never
   * half of one. `"full"`: every commit is on disk before the call returns, at the cost of one flush.
   */
  readonly durability?: Durability;
  /**
   * Milliseconds, default 5,000: how long a call waits for another process's transaction before it
   * throws `BUSY`. The wait blocks the event loop, so keep transactions short.
   */
  readonly busyTimeoutMs?: number;
  /** Statements kept prepared, default 500. Raise it when you run more distinct SQL texts than that. */
  readonly statementCacheSize?: number;
  /** Page cache in KiB, default 16,384. Lower it when many databases are open. */
  readonly cacheSizeKiB?: number;
  /** How long notifications are kept, default one hour and at most 10,000. */
  readonly notifications?: NotificationRetention;
  /**
   * Errors of background work: a failed pruning, an `afterCommit` hook that threw. Default: reported as
   * a process warning.
   */
  readonly onError?: ErrorHandler;
  /** Time source, default the machine's clock. For tests. */
  readonly clock?: Clock;
}
