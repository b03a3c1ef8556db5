import { statSync } from "node:fs";
import type { Core } from "../core/core.ts";
import { waitingJobs } from "../queue/waiting-jobs.ts";
import type { SqlInput, SqlValue } from "../sqlite/connection.ts";

/** One queue that has jobs or dead letters, or is paused. Counts are jobs. */
export interface QueueStats {
  readonly queue: string;
  /** Waiting: `ready + delayed`. */
  readonly pending: number;
  /** Waiting, and due. */
  readonly ready: number;
  /** Waiting for their time. */
  readonly delayed: number;
  /** Claimed by a worker. */
  readonly running: number;
  /** Of these, claimed for longer than the worker asked for: they will be claimed again. */
  readonly expiredClaims: number;
  /** Dead letters. */
  readonly dead: number;
  /** For how many seconds the longest waiting due job has been due; `null` without one. */
  readonly oldestReadySeconds: number | null;
  readonly paused: boolean;
}

/** One consumer of a stream. */
export interface ConsumerStats {
  readonly consumer: string;
  /** The last offset it saved. */
  readonly offset: number;
  /** Events after it. */
  readonly lag: number;
  /** Seconds since the first event it has not saved was published; `null` when there is none. */
  readonly lagSeconds: number | null;
}

/** One group of consumers that share a stream. */
export interface GroupStats {
  readonly group: string;
  /** The last offset it has read. */
  readonly offset: number;
  /** Events after it. */
  readonly lag: number;
  /** Events it has read and that nobody acknowledged yet. */
  readonly pending: number;
}

/** One stream that has events, consumers, groups or dead letters. */
export interface StreamStats {
  readonly stream: string;
  readonly events: number;
  /** Offset of the oldest kept event, 0 without events. */
  readonly oldestOffset: number;
  /** Offset of the newest event, 0 without events. */
  readonly newestOffset: number;
  readonly consumers: readonly ConsumerStats[];
  readonly groups: readonly GroupStats[];
  /** Dead letters of its consumers and groups. */
  readonly dead: number;
}

/** Sizes, all in bytes but the page counts. */
export interface FileStats {
  readonly pageSize: number;
  readonly pages: number;
  readonly bytes: number;
  /** Pages that deleted rows left behind; used again before the file grows. */
  readonly freePages: number;
  /** Size of the write-ahead log file. */
  readonly walBytes: number;
  /** Upper bound of this connection's page cache. */
  readonly cacheBytes: number;
}

/** What {@link Database.stats} gives: one moment of the whole database. */
export interface DatabaseStats {
  /** Milliseconds since 1970, from the database's clock. */
  readonly takenAt: number;
  readonly queues: readonly QueueStats[];
  readonly streams: readonly StreamStats[];
  /** Notifications that are kept, delivered or not. */
  readonly notifications: { readonly count: number; readonly oldestSeconds: number | null };
  readonly locks: { readonly held: number; readonly expired: number };
  readonly schedules: {
    readonly total: number;
    readonly enabled: number;
    /** Enabled, with a next run in the past: with a leader running this is 0 or about to be. */
    readonly overdue: number;
  };
  /** Results that are kept for those who wait. */
  readonly results: number;
  readonly file: FileStats;
}

const PENDING = waitingJobs();
const RUNNING = `SELECT queue, count(*), sum(claim_expires_at <= ?1)
  FROM _honker_live WHERE claim_expires_at IS NOT NULL GROUP BY queue`;
const DEAD = "SELECT queue, count(*) FROM _honker_dead GROUP BY queue";
const STREAMS =
  "SELECT topic, count(*), min(offset), max(offset) FROM _honker_stream GROUP BY topic";
const CONSUMERS = `SELECT topic, name, offset,
    (SELECT count(*) FROM _honker_stream s WHERE s.topic = c.topic AND s.offset > c.offset),
    (SELECT created_at FROM _honker_stream s WHERE s.topic = c.topic AND s.offset > c.offset
      ORDER BY s.offset LIMIT 1)
  FROM _honker_stream_consumers c ORDER BY topic, name`;
const GROUPS = `SELECT topic, name, offset,
    (SELECT count(*) FROM _honker_stream s WHERE s.topic = g.topic AND s.offset > g.offset),
    (SELECT count(*) FROM _alk_stream_pending p WHERE p.topic = g.topic AND p.group_name = g.name)
  FROM _alk_stream_groups g ORDER BY topic, name`;
const DEAD_EVENTS = "SELECT topic, count(*) FROM _alk_stream_dead GROUP BY topic";
const PAUSED = "SELECT queue FROM _alk_queues WHERE paused_at_ms IS NOT NULL";
const NOTIFICATIONS = `SELECT count(*),
  (SELECT created_at FROM _honker_notifications ORDER BY id LIMIT 1) FROM _honker_notifications`;
const LOCKS = "SELECT count(*), coalesce(sum(expires_at <= ?1), 0) FROM _honker_locks";
const SCHEDULES = `SELECT count(*), coalesce(sum(enabled), 0),
  coalesce(sum(enabled AND coalesce(alk_next_at, next_fire_at) <= ?1), 0) FROM _honker_scheduler_tasks`;
const RESULTS = "SELECT count(*) FROM _honker_results";

/** Reads everything in one transaction, from indexes where the table may be large. */
export function readStats(core: Core): DatabaseStats {
  return core.transaction(
    () => ({
      takenAt: core.nowMs(),
      queues: queueStats(core),
      streams: streamStats(core),
      notifications: notificationStats(core),
      ...leaseStats(core),
      results: numbers(core, RESULTS)[0] ?? 0,
      file: fileStats(core),
    }),
    { behavior: "deferred" },
  );
}

/** Sizes through PRAGMAs and `stat`; a descriptor of a live file must never be opened and closed. */
export function fileStats(core: Core): FileStats {
  const pageSize = pragma(core, "page_size");
  const pages = pragma(core, "page_count");
  const cacheSize = pragma(core, "cache_size");
  return {
    pageSize,
    pages,
    bytes: pages * pageSize,
    freePages: pragma(core, "freelist_count"),
    walBytes: walBytes(core),
    // negative: KiB; positive: pages
    cacheBytes: cacheSize < 0 ? -cacheSize * 1_024 : cacheSize * pageSize,
  };
}

/** Value of a PRAGMA that is one number. */
export function pragma(core: Core, name: string): number {
  return Number(core.prepare(`PRAGMA ${name}`).row([])?.[0] ?? 0);
}

function walBytes(core: Core): number {
  if (core.path === ":memory:") return 0;
  return statSync(`${core.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function queueStats(core: Core): QueueStats[] {
  const nowMs = core.nowMs();
  const pending = byName(core, PENDING, [nowMs]);
  const running = byName(core, RUNNING, [core.nowSeconds()]);
  const dead = byName(core, DEAD);
  const paused = byName(core, PAUSED);
  const names = new Set([...pending, ...running, ...dead, ...paused].map(([name]) => name));
  return [...names].sort().map((queue) => {
    const [waiting = 0, ready = 0, firstAtMs = nowMs] = pending.get(queue) ?? [];
    const [claimed = 0, expiredClaims = 0] = running.get(queue) ?? [];
    return {
      queue,
      pending: waiting,
      ready,
      delayed: waiting - ready,
      running: claimed,
      expiredClaims,
      dead: dead.get(queue)?.[0] ?? 0,
      oldestReadySeconds: ready === 0 ? null : (nowMs - firstAtMs) / 1_000,
      paused: paused.has(queue),
    };
  });
}

function streamStats(core: Core): StreamStats[] {
  const now = core.nowSeconds();
  const streams = byName(core, STREAMS);
  const consumers = new Map<string, ConsumerStats[]>();
  for (const [topic, name, offset, lag, firstUnread] of core.prepare(CONSUMERS).rows([])) {
    const list = consumers.get(String(topic)) ?? [];
    consumers.set(String(topic), list);
    list.push({
      consumer: String(name),
      offset: Number(offset),
      lag: Number(lag),
      lagSeconds: firstUnread === null ? null : Math.max(0, now - Number(firstUnread)),
    });
  }
  const groups = new Map<string, GroupStats[]>();
  for (const [topic, name, offset, lag, pending] of core.prepare(GROUPS).rows([])) {
    const list = groups.get(String(topic)) ?? [];
    groups.set(String(topic), list);
    list.push({
      group: String(name),
      offset: Number(offset),
      lag: Number(lag),
      pending: Number(pending),
    });
  }
  const dead = byName(core, DEAD_EVENTS);
  const names = new Set([...streams, ...consumers, ...groups, ...dead].map(([name]) => name));
  return [...names].sort().map((stream) => {
    const [events = 0, oldestOffset = 0, newestOffset = 0] = streams.get(stream) ?? [];
    return {
      stream,
      events,
      oldestOffset,
      newestOffset,
      consumers: consumers.get(stream) ?? [],
      groups: groups.get(stream) ?? [],
      dead: dead.get(stream)?.[0] ?? 0,
    };
  });
}

function notificationStats(core: Core): DatabaseStats["notifications"] {
  const [count, oldest] = core.prepare(NOTIFICATIONS).row([]) ?? [];
  const missing = oldest === null || oldest === undefined;
  return {
    count: Number(count),
    oldestSeconds: missing ? null : Math.max(0, core.nowSeconds() - Number(oldest)),
  };
}

function leaseStats(core: Core): Pick<DatabaseStats, "locks" | "schedules"> {
  const now = core.nowSeconds();
  const [locks = 0, expired = 0] = numbers(core, LOCKS, [now]);
  const [total = 0, enabled = 0, overdue = 0] = numbers(core, SCHEDULES, [now]);
  return { locks: { held: locks - expired, expired }, schedules: { total, enabled, overdue } };
}

function numbers(core: Core, sql: string, params: readonly SqlInput[] = []): number[] {
  return (core.prepare(sql).row(params) ?? []).map(Number);
}

/** Rows of `name, number, number…` by their name. */
function byName(core: Core, sql: string, params: readonly SqlInput[] = []): Map<string, number[]> {
  const rows: SqlValue[][] = core.prepare(sql).rows(params);
  return new Map(rows.map(([name, ...values]) => [String(name), values.map(Number)]));
}
