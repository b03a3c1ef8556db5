import type { Database } from "@alkdev/honker";
import { requireWhole } from "../graph-store/reachable.ts";
import { requireBatchSize } from "../require-batch-size.ts";
import { deleteCallsBefore } from "./call-log-table.ts";

/** Options of {@link pruneCalls}. */
export interface PruneCallsOptions {
  /** Seconds that a call is remembered after its end, default 86,400. */
  readonly olderThanSeconds?: number;
  /** Calls that are forgotten at most, 1 to 10,000, default 10,000. */
  readonly limit?: number;
  /** The time in milliseconds since 1970, default `Date.now`. */
  readonly now?: () => number;
}

const DAY_SECONDS = 86_400;

/**
 * Forgets calls that ended long ago, in one commit. Those that run are kept, however old; those that were
 * interrupted are forgotten like others.
 *
 * @returns how many; call again where it is `limit`
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function pruneCalls(client: Database, options: PruneCallsOptions = {}): number {
  const { olderThanSeconds = DAY_SECONDS, limit = 10_000, now = Date.now } = options;
  requireWhole("olderThanSeconds", olderThanSeconds, [0]);
  const nowMs = now();
  const beforeMs = nowMs - olderThanSeconds * 1_000;
  return deleteCallsBefore(client, { beforeMs, nowMs, limit: requireBatchSize(limit) });
}
