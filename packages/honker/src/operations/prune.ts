import type { Core } from "../core/core.ts";
import { requireNumber } from "../core/names.ts";
import type { Notifications } from "../notify/notifications.ts";
import type { NotificationRetention } from "../options.ts";
import type { SqlInput } from "../sqlite/connection.ts";
import { pruneStream, requireRetention, type StreamRetention } from "../stream/stream-retention.ts";

/** Options of {@link Database.prune}. What is not named here is kept for as long as it was made for. */
export interface PruneOptions {
  /** Default: the retention the database was opened with. */
  readonly notifications?: NotificationRetention;
  /** Seconds that the history of jobs is kept, default 604,800 (7 days). */
  readonly historySeconds?: number;
  /** Seconds that dead letters of queues and streams are kept. Default: for ever. */
  readonly deadLetterSeconds?: number;
  /** Retention of streams by name. Default: no events are deleted. */
  readonly streams?: Readonly<Record<string, StreamRetention>>;
  /**
   * Rows of each kind deleted at most, default 100,000. Streams and notifications, which have their own
   * retention, are always pruned whole.
   */
  readonly limit?: number;
}

/** Rows that {@link Database.prune} deleted. */
export interface PruneResult {
  readonly notifications: number;
  /** Results of jobs whose time is over. */
  readonly results: number;
  readonly history: number;
  readonly deadLetters: number;
  /** Unique keys of jobs and message ids of events whose window is over. */
  readonly keys: number;
  /** Windows of rate limits that are over. */
  readonly rateLimits: number;
  /** Locks that expired and were never released. */
  readonly locks: number;
  readonly streamEvents: number;
  /** Whether `limit` left something to do: call again. */
  readonly more: boolean;
}

/** Rows per transaction, so that no other writer waits long. */
const BATCH = 2_000;
/** Rows of Honker's own rate limits do not say how long their window is; a day is the longest in use. */
const HONKER_WINDOW_SECONDS = 86_400;
/** Locks are left alone for a moment, so that their holder still learns that it lost them. */
const LOCK_GRACE_SECONDS = 60;

const RESULTS = `DELETE FROM _honker_results WHERE job_id IN (
  SELECT job_id FROM _honker_results WHERE expires_at <= ? LIMIT ?)`;
const HISTORY = `DELETE FROM _alk_job_history WHERE (queue, job_id, entry) IN (
  SELECT queue, job_id, entry FROM _alk_job_history WHERE ended_at_ms <= ? LIMIT ?)`;
const DEAD_JOBS = `DELETE FROM _honker_dead WHERE id IN (
  SELECT id FROM _honker_dead WHERE died_at <= ? LIMIT ?)`;
const DEAD_EVENTS = `DELETE FROM _alk_stream_dead WHERE (topic, consumer, offset) IN (
  SELECT topic, consumer, offset FROM _alk_stream_dead WHERE died_at_ms <= ? LIMIT ?)`;
const UNIQUE_KEYS = `DELETE FROM _alk_unique_windows WHERE (queue, unique_key) IN (
  SELECT queue, unique_key FROM _alk_unique_windows WHERE until_ms <= ? LIMIT ?)`;
const MESSAGE_IDS = `DELETE FROM _alk_stream_messages WHERE (topic, message_id) IN (
  SELECT topic, message_id FROM _alk_stream_messages WHERE forget_at_ms <= ? LIMIT ?)`;
const FIXED_WINDOWS = `DELETE FROM _honker_rate_limits WHERE rowid IN (
  SELECT rowid FROM _honker_rate_limits
  WHERE coalesce(alk_ends_at, window_start + ${HONKER_WINDOW_SECONDS}) <= ? LIMIT ?)`;
const SLIDING_WINDOWS = `DELETE FROM _alk_rate_events WHERE rowid IN (
  SELECT rowid FROM _alk_rate_events WHERE ends_at_ms <= ? LIMIT ?)`;
const LOCKS = `DELETE FROM _honker_locks WHERE name IN (
  SELECT name FROM _honker_locks WHERE expires_at <= ? LIMIT ?)`;

/** Deletes everything whose time is over, in transactions of {@link BATCH} rows. */
export function prune(
  core: Core,
  notifications: Notifications,
  options: PruneOptions = {},
): PruneResult {
  const { historySeconds = 604_800, deadLetterSeconds, streams = {}, limit = 100_000 } = options;
  requireNumber(historySeconds, "historySeconds", { min: 0 });
  if (deadLetterSeconds !== undefined) {
    requireNumber(deadLetterSeconds, "deadLetterSeconds", { min: 0 });
  }
  requireNumber(limit, "limit", { min: 1, integer: true });
  for (const retention of Object.values(streams)) requireRetention(retention);

  const now = core.nowSeconds();
  const nowMs = core.nowMs();
  let more = false;
  const remove = (sql: string, before: SqlInput): number => {
    const deleted = deleteBatches(core, sql, { before, limit });
    more ||= deleted === limit;
    return deleted;
  };
  let streamEvents = 0;
  for (const [name, retention] of Object.entries(streams)) {
    streamEvents += pruneStream(core, name, retention);
  }
  let deadLetters = 0;
  if (deadLetterSeconds !== undefined) {
    deadLetters += remove(DEAD_JOBS, now - deadLetterSeconds);
    deadLetters += remove(DEAD_EVENTS, nowMs - deadLetterSeconds * 1_000);
  }
  const counts = {
    notifications: notifications.prune(options.notifications),
    results: remove(RESULTS, now),
    history: remove(HISTORY, nowMs - historySeconds * 1_000),
    keys: remove(UNIQUE_KEYS, nowMs) + remove(MESSAGE_IDS, nowMs),
    rateLimits: remove(FIXED_WINDOWS, now) + remove(SLIDING_WINDOWS, nowMs),
    locks: remove(LOCKS, now - LOCK_GRACE_SECONDS),
  };
  return { ...counts, deadLetters, streamEvents, more };
}

function deleteBatches(
  core: Core,
  sql: string,
  { before, limit }: { readonly before: SqlInput; readonly limit: number },
): number {
  let deleted = 0;
  while (deleted < limit) {
    const batch = Math.min(BATCH, limit - deleted);
    const { changes } = core.prepare(sql).run([before, batch]);
    deleted += changes;
    if (changes < batch) break;
  }
  return deleted;
}
