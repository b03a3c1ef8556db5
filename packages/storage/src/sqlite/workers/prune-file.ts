import { setImmediate } from "node:timers/promises";
import type { Database, JobContext, StreamRetention } from "@alkdev/honker";
import { pruneCalls } from "../call-journal/prune-calls.ts";

/** What `prune-events` keeps, and how long. */
export interface EventRetention {
  /**
   * What is kept of each stream, never less than its slowest consumer needs. Default
   * {@link STREAM_RETENTION}; streams that are not named are kept whole.
   */
  readonly streamRetention?: Readonly<Record<string, StreamRetention>>;
  /** Seconds that dead letters are kept, default 90 days. */
  readonly deadLetterSeconds?: number;
  /**
   * Seconds that calls are remembered after their end, default a day: a request that is sent again later
   * is run again.
   */
  readonly rememberCallsSeconds?: number;
}

const DAY_SECONDS = 86_400;
/** Rows of each kind per step. */
const STEP = 10_000;

/** Events of calls are kept for 30 days, those of sessions for 90. */
export const STREAM_RETENTION: Readonly<Record<string, StreamRetention>> = {
  "call-protocol": { maxAgeSeconds: 30 * DAY_SECONDS },
  "session-events": { maxAgeSeconds: 90 * DAY_SECONDS },
};

/**
 * Deletes events, notifications, history, dead letters, results and remembered calls whose time is over,
 * step by step.
 *
 * @returns how many rows of each kind
 */
export async function pruneFile(
  client: Database,
  retention: EventRetention,
  { signal, progress }: Pick<JobContext, "signal" | "progress">,
): Promise<Readonly<Record<string, number>>> {
  const {
    streamRetention: streams = STREAM_RETENTION,
    deadLetterSeconds = 90 * DAY_SECONDS,
    rememberCallsSeconds = DAY_SECONDS,
  } = retention;
  const pruned: Record<string, number> = {};
  for (let more = true; more; ) {
    const { more: left, ...rows } = client.prune({ streams, deadLetterSeconds, limit: STEP });
    const calls = pruneCalls(client, { olderThanSeconds: rememberCallsSeconds, limit: STEP });
    for (const [name, count] of Object.entries({ ...rows, calls })) {
      pruned[name] = (pruned[name] ?? 0) + count;
    }
    more = left || calls === STEP;
    progress(pruned);
    await setImmediate();
    signal.throwIfAborted();
  }
  return pruned;
}
