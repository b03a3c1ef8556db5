import type { Core } from "../core/core.ts";
import { requireNumber } from "../core/names.ts";
import { slowestGroup } from "./group-info.ts";
import { newestOffset } from "./stream-reader.ts";
import { offsetBefore } from "./stream-time.ts";

/** Which events of a stream are kept. An event goes when either limit says so. */
export interface StreamRetention {
  /** Seconds since it was published. Default no limit. */
  readonly maxAgeSeconds?: number;
  /** The newest so many are kept. Default no limit. */
  readonly maxCount?: number;
  /**
   * Default false: events that a consumer or group has not processed are kept, whatever their age.
   * True: they go too, and a consumer that far behind misses them.
   */
  readonly force?: boolean;
}

const SLOWEST_CONSUMER = "SELECT min(offset) FROM _honker_stream_consumers WHERE topic = ?";
const BEYOND_COUNT = `SELECT offset FROM _honker_stream
  WHERE topic = ? ORDER BY offset DESC LIMIT 1 OFFSET ?`;
const PRUNE = `DELETE FROM _honker_stream WHERE offset IN (
  SELECT offset FROM _honker_stream WHERE topic = ? AND offset <= ? ORDER BY offset LIMIT ?)`;

/** Rows per delete, so that no other writer waits long for it. */
const BATCH = 2_000;
/** Automatic pruning comes after so many events or seconds, whichever is first. */
const EVERY_EVENTS = 1_000;
const EVERY_MS = 60_000;

/** @throws `INVALID_ARGUMENT` */
export function requireRetention({ maxAgeSeconds, maxCount }: StreamRetention): void {
  if (maxAgeSeconds !== undefined) requireNumber(maxAgeSeconds, "maxAgeSeconds", { min: 0 });
  if (maxCount !== undefined) requireNumber(maxCount, "maxCount", { min: 0, integer: true });
}

/** Deletes what the retention does not keep, oldest first, and returns how much that was. */
export function pruneStream(core: Core, topic: string, retention: StreamRetention): number {
  const until = pruneUntil(core, topic, retention);
  let deleted = 0;
  for (;;) {
    const { changes } = core.prepare(PRUNE).run([topic, until, BATCH]);
    deleted += changes;
    if (changes < BATCH) return deleted;
  }
}

/** Prunes a stream now and then while it is published to, outside the publisher's transaction. */
export class AutomaticPruning {
  readonly #core: Core;
  readonly #topic: string;
  readonly #retention: StreamRetention;
  #events = 0;
  /** So that also a process that publishes once prunes. */
  #prunedAtMs = Number.NEGATIVE_INFINITY;
  #scheduled = false;

  constructor(core: Core, topic: string, retention: StreamRetention) {
    this.#core = core;
    this.#topic = topic;
    this.#retention = retention;
  }

  /** Called after `count` events were published. */
  published(count: number): void {
    this.#events += count;
    if (this.#scheduled) return;
    const elapsed = Math.abs(this.#core.nowMs() - this.#prunedAtMs);
    if (this.#events < EVERY_EVENTS && elapsed < EVERY_MS) return;
    this.#scheduled = true;
    setImmediate(() => this.#prune());
  }

  #prune(): void {
    this.#scheduled = false;
    // inside a transaction it would be undone with it: the next publish comes back to it
    if (this.#core.closed || this.#core.connection.inTransaction) return;
    this.#events = 0;
    this.#prunedAtMs = this.#core.nowMs();
    try {
      const until = pruneUntil(this.#core, this.#topic, this.#retention);
      const { changes } = this.#core.prepare(PRUNE).run([this.#topic, until, BATCH]);
      if (changes === BATCH) this.published(EVERY_EVENTS);
    } catch (error) {
      this.#core.onError(error, `pruning stream "${this.#topic}"`);
    }
  }
}

/** Everything up to this offset may go. */
function pruneUntil(core: Core, topic: string, retention: StreamRetention): number {
  const { maxAgeSeconds, maxCount, force = false } = retention;
  let until = 0;
  if (maxAgeSeconds !== undefined) {
    const oldest = core.nowMs() - maxAgeSeconds * 1_000;
    until = offsetBefore(core, topic, new Date(oldest));
  }
  if (maxCount !== undefined) {
    const beyond = core.prepare(BEYOND_COUNT).row([topic, maxCount])?.[0];
    until = Math.max(until, Number(beyond ?? 0));
  }
  return force ? until : Math.min(until, slowest(core, topic));
}

function slowest(core: Core, topic: string): number {
  const consumer = core.prepare(SLOWEST_CONSUMER).row([topic])?.[0];
  return Math.min(
    consumer === null || consumer === undefined ? newestOffset(core) : Number(consumer),
    slowestGroup(core, topic) ?? newestOffset(core),
  );
}
