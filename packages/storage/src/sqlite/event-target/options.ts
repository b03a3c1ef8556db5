import type { Database } from "@alkdev/honker";
import type { LocalEventTarget, PubSubErrorHandler } from "@alkdev/pubsub";

/** Options of {@link createHonkerEventTarget} and {@link createCompositeEventTarget}. */
export interface HonkerEventTargetOptions {
  /** The database whose notifications or stream carry the events. */
  readonly db: Database;
  /**
   * `"ephemeral"`: notifications, at most once, for whoever listens now. `"durable"`: a stream, at least
   * once per consumer, also for one that was not running.
   */
  readonly mode: "ephemeral" | "durable";
  /** The stream of a durable target; required there. */
  readonly streamName?: string;
  /**
   * Who this target is on the stream; required in durable mode. Must be the same after a restart and
   * differ between two targets that live at the same time: see `consumerName()` of `@alkdev/pubsub`.
   */
  readonly consumerName?: string;
  /**
   * Ephemeral: topics that begin with it share one channel of this name and are told apart here, for
   * ids too many to listen to one by one. Both ends must use the same prefix. Durable: events of other
   * topics are passed over. Default: a channel per topic, and all topics of the stream.
   */
  readonly prefix?: string;
  /** Durable: how often an event is given to a callback that fails before it is a dead letter, default 5. */
  readonly maxDeliveries?: number;
  /** Durable: milliseconds before the second delivery, default 100; doubled each time, at most 10 s. */
  readonly retryDelayMs?: number;
  /** Durable: events after which the offset is saved, default 256; at the latest after a second and at close. */
  readonly saveEveryN?: number;
  /** Gets what a callback throws and what goes wrong in the background. Default: uncaught errors. */
  readonly onError?: PubSubErrorHandler;
}

/** An event target over a database. `close()` ends it at once and saves the offset of a durable one. */
export interface HonkerEventTarget extends LocalEventTarget {
  /** Resolves when the event in hand, if any, has been dealt with: before a process exits. */
  settled(): Promise<void>;
}
