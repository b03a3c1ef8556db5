import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import { decodePayload, encodePayload } from "../core/json.ts";
import { requireName } from "../core/names.ts";
import { polledSequence, type Sequence } from "../core/polled-sequence.ts";
import { HonkerError } from "../errors.ts";
import type { NotificationRetention } from "../options.ts";
import { WakeBus, type WakeHost } from "../wake/wake.ts";

/** One notification as a listener gets it. */
export interface Notification<P = unknown> {
  /** Grows with every notification of the file, in commit order. */
  readonly id: number;
  readonly channel: string;
  readonly payload: P;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** Options of `listen()`. */
export interface ListenOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

const INSERT = "INSERT INTO _honker_notifications (channel, payload, created_at) VALUES (?, ?, ?)";
const NEWEST = "SELECT coalesce(max(id), 0) FROM _honker_notifications";
const ISSUED = "SELECT seq FROM sqlite_sequence WHERE name = '_honker_notifications'";
const AFTER = `SELECT id, payload, created_at FROM _honker_notifications
  WHERE channel = ? AND id > ? ORDER BY id LIMIT 256`;
const CHANNELS_AFTER = `SELECT DISTINCT channel FROM _honker_notifications WHERE id > ?`;
const PRUNE_AGE = `DELETE FROM _honker_notifications WHERE id IN (
  SELECT id FROM _honker_notifications WHERE created_at < ? ORDER BY id LIMIT ?)`;
const PRUNE_COUNT = `DELETE FROM _honker_notifications WHERE id IN (
  SELECT id FROM _honker_notifications WHERE id <= (SELECT max(id) FROM _honker_notifications) - ?
  ORDER BY id LIMIT ?)`;

/** How many notifications are written between two prunings. */
const PRUNE_EVERY = 1_000;
/** How many rows one pruning deletes at most, so that no call waits long for it. */
const PRUNE_BATCH = 2_000;

/** Ephemeral messages: rows that listeners read after the commit and that are pruned soon after (M4). */
export class Notifications {
  readonly #core: Core;
  /**
   * Listeners have a bus of their own: when another process committed, one query says which channels
   * have news, instead of one query per listener.
   */
  readonly #listeners: WakeBus;
  readonly #maxAgeSeconds: number;
  readonly #maxCount: number;
  #sincePruning = 0;
  /** Up to where {@link wakeNew} has looked. */
  #seen = 0;

  constructor(core: Core, host: WakeHost, retention: NotificationRetention = {}) {
    this.#core = core;
    this.#listeners = new WakeBus(host);
    this.#maxAgeSeconds = retention.maxAgeSeconds ?? 3_600;
    this.#maxCount = retention.maxCount ?? 10_000;
  }

  /** Writes one notification; listeners get it when the transaction commits. Returns its id. */
  notify(channel: string, payload: unknown): number {
    requireName(channel, "channel");
    const text = encodePayload(payload, `payload for channel "${channel}"`);
    const { lastInsertRowid } = this.#core
      .prepare(INSERT)
      .run([channel, text, this.#core.nowSeconds()]);
    this.#sincePruning += 1;
    if (this.#sincePruning >= PRUNE_EVERY) this.#pruneLater();
    this.#core.touch(topics.channel(channel));
    return Number(lastInsertRowid);
  }

  /**
   * Listens from now on. What is committed before this call is not delivered.
   *
   * @throws `TRANSACTION_STATE` inside a transaction: ids given out in it may be given out again
   */
  listen<P>(channel: string, options: ListenOptions = {}): Sequence<Notification<P>> {
    requireName(channel, "channel");
    if (this.#core.connection.inTransaction) {
      throw new HonkerError(
        "TRANSACTION_STATE",
        `cannot listen on channel "${channel}" inside a transaction`,
        { hint: "Listen before or after it" },
      );
    }
    const first = !this.#listeners.waiting;
    const waiter = this.#listeners.waiter(topics.channel(channel));
    let last = this.#newestId();
    if (first) this.#seen = last;
    let batch: readonly Notification<P>[] = [];
    let position = 0;
    return polledSequence({
      waiter,
      signal: options.signal,
      poll: () => {
        if (position >= batch.length) {
          batch = this.#after<P>(channel, last);
          position = 0;
        }
        const next = batch[position++];
        if (next !== undefined) last = next.id;
        return next;
      },
    });
  }

  /** Wakes the listeners of a topic that was written here. */
  wake(topic: string): void {
    this.#listeners.wake(topic);
  }

  /** Wakes the listeners of channels written by somebody else. */
  wakeNew(): void {
    if (!this.#listeners.waiting) return;
    if (this.#core.connection.inTransaction) {
      // what this transaction wrote is not committed; its end is followed by another look
      this.#listeners.wakeAll();
      return;
    }
    const newest = this.#newestId();
    if (newest === this.#seen) return;
    const channels = this.#core.prepare(CHANNELS_AFTER).rows([Math.min(this.#seen, newest)]);
    this.#seen = newest;
    for (const [channel] of channels) this.#listeners.wake(topics.channel(String(channel)));
  }

  /** Wakes those who found a transaction open; called when it has ended. */
  release(): void {
    this.#listeners.release();
  }

  /** Ends every listener. */
  close(): void {
    this.#listeners.close();
  }

  /**
   * Deletes notifications beyond the retention, oldest first.
   *
   * @returns how many rows were deleted
   */
  prune(retention: NotificationRetention = {}): number {
    const maxAge = retention.maxAgeSeconds ?? this.#maxAgeSeconds;
    const maxCount = retention.maxCount ?? this.#maxCount;
    let deleted = 0;
    for (const [sql, bound] of [
      [PRUNE_AGE, this.#core.nowSeconds() - maxAge],
      [PRUNE_COUNT, maxCount],
    ] as const) {
      let changes: number;
      do {
        changes = this.#core.prepare(sql).run([bound, PRUNE_BATCH]).changes;
        deleted += changes;
      } while (changes === PRUNE_BATCH);
    }
    return deleted;
  }

  #pruneLater(): void {
    this.#sincePruning = 0;
    // not inside the writer's transaction: pruning is nobody's business logic
    setImmediate(() => {
      if (this.#core.closed || this.#core.connection.inTransaction) return;
      try {
        this.prune();
      } catch (error) {
        this.#core.onError(error, "pruning notifications");
      }
    }).unref();
  }

  /** The sequence knows ids that were issued and pruned; without it a listener would restart at 0. */
  #newestId(): number {
    const issued = this.#core.prepare(ISSUED).row([])?.[0];
    return Number(issued ?? this.#core.prepare(NEWEST).row([])?.[0] ?? 0);
  }

  #after<P>(channel: string, id: number): Notification<P>[] {
    return this.#core
      .prepare(AFTER)
      .rows([channel, id])
      .map(([rowId, payload, createdAt]) => ({
        id: Number(rowId),
        channel,
        payload: decodePayload(String(payload)) as P,
        createdAt: Number(createdAt),
      }));
  }
}
