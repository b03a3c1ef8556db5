import type { StreamFilter } from "./stream-filter.ts";

/** Options of `stream.group()`. Every process that joins the group must give the same ones. */
export interface GroupOptions {
  /**
   * Seconds, default 30: an event not acknowledged by then is delivered again, perhaps to another
   * member. Longer than the slowest handler, or call `extend()`.
   */
  readonly ackDeadlineSeconds?: number;
  /** Events read and not acknowledged, over all members, default 1,000. Bounds what a stuck group holds. */
  readonly maxInFlight?: number;
  /** Deliveries of one event before it becomes a dead letter, default 5. */
  readonly maxDeliveries?: number;
  /**
   * Seconds until an event that was refused with `nak()` comes again: a number, a list by delivery (the
   * last one repeats), or a function of the delivery's number. Default 1, 2, 4 … up to 60.
   */
  readonly backoff?: number | readonly number[] | ((deliveries: number) => number);
  /** Only these events; the others count as acknowledged. Default all. */
  readonly filter?: StreamFilter;
  /**
   * Default false. True: events of one key are delivered one at a time, in order; the next when the one
   * before is acknowledged or dead. Events without a key are not ordered.
   */
  readonly orderedByKey?: boolean;
  /** Where a new group begins, default `"start"`. A known group goes on where it was. */
  readonly from?: "start" | "end" | number | Date;
}

/** Options of `join()`. */
export interface JoinOptions {
  /** Ends the iteration; events not yet handed out go back to the group at once. */
  readonly signal?: AbortSignal;
  /**
   * Events taken from the group at once, default 16. 1 spreads slow work evenly over the members;
   * more is faster when handlers are quick.
   */
  readonly batchSize?: number;
}

/** State of a group. */
export interface GroupInfo {
  readonly name: string;
  /** Everything up to here is acknowledged or dead. */
  readonly floor: number;
  /** Everything up to here has been read. */
  readonly offset: number;
  /** Events that a member is working on. */
  readonly inFlight: number;
  /** Events read that wait: for their backoff, or for an earlier one of their key. */
  readonly waiting: number;
  /** Events after `offset`, also those that the filter leaves out. */
  readonly lag: number;
  readonly dead: number;
}
