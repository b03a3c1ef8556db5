import type { Core } from "../core/core.ts";
import { requireNumber } from "../core/names.ts";
import { requireTransaction } from "../core/require-transaction.ts";
import type { Transaction } from "../core/transaction.ts";
import { HonkerError } from "../errors.ts";
import type { GroupStore, Lease } from "./group-store.ts";
import type { StreamEvent } from "./stream-event.ts";

/** What a delivery does through its group. */
export interface DeliveryHost {
  readonly group: string;
  readonly store: GroupStore;
  /** @throws `CLOSED` */
  core(): Core;
  /** Seconds until the event comes again after a refusal. */
  backoffSeconds(deliveries: number): number;
  readonly ackDeadlineSeconds: number;
}

/** An event in the hands of one member of a group, until it is acknowledged or its deadline passes. */
export class StreamDelivery<T = unknown> implements StreamEvent<T> {
  readonly offset: number;
  readonly id: number;
  readonly topic: string;
  readonly key: string | null;
  readonly subject: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly messageId: string | null;
  readonly payload: T;
  readonly createdAt: number;
  readonly timestamp: number;
  /** How often the event was delivered, this time included. */
  readonly deliveries: number;
  readonly #lease: Lease;
  readonly #host: DeliveryHost;

  /** @internal Use `group.join()` or `group.fetch()`. */
  constructor(event: StreamEvent<T>, lease: Lease, host: DeliveryHost) {
    this.offset = event.offset;
    this.id = event.id;
    this.topic = event.topic;
    this.key = event.key;
    this.subject = event.subject;
    this.headers = event.headers;
    this.messageId = event.messageId;
    this.payload = event.payload;
    this.createdAt = event.createdAt;
    this.timestamp = event.timestamp;
    this.deliveries = lease.deliveries;
    this.#lease = lease;
    this.#host = host;
  }

  /**
   * The event is done and will not come again.
   *
   * @returns false when it is no longer this member's: acknowledged before, or delivered anew after
   * the deadline
   */
  ack(): boolean {
    this.#host.core();
    return this.#host.store.ack(this.#lease);
  }

  /**
   * {@link ack} in the transaction of the handler's effect, which so happens exactly once.
   *
   * @throws `LEASE_LOST` when the event is no longer this member's: let it roll the transaction back
   * @throws `TRANSACTION_STATE`
   */
  ackTx(tx: Transaction): void {
    requireTransaction(this.#host.core(), tx, "ackTx");
    if (this.#host.store.ack(this.#lease)) return;
    throw new HonkerError(
      "LEASE_LOST",
      `event ${this.offset} of stream "${this.topic}" no longer belongs to this member of group "${this.#host.group}"`,
      {
        hint: "Let the transaction roll back; raise ackDeadlineSeconds or call extend() in long handlers",
        details: { topic: this.topic, group: this.#host.group, offset: this.offset },
      },
    );
  }

  /**
   * The event could not be handled now. It comes again, or becomes a dead letter when this was the last
   * of `maxDeliveries`.
   *
   * @param delaySeconds default: the group's backoff
   * @param reason kept with the dead letter
   * @returns false when it is no longer this member's
   */
  nak(delaySeconds?: number, reason = "refused by its handler"): boolean {
    this.#host.core();
    const seconds = delaySeconds ?? this.#host.backoffSeconds(this.deliveries);
    requireNumber(seconds, "delaySeconds", { min: 0 });
    return this.#host.store.nak(this.#lease, seconds * 1_000, reason);
  }

  /**
   * The event can never be handled: it becomes a dead letter at once.
   *
   * @returns false when it is no longer this member's
   */
  term(reason: string): boolean {
    this.#host.core();
    return this.#host.store.kill(this.#lease, reason);
  }

  /**
   * Moves the deadline to `seconds` from now, by default the group's `ackDeadlineSeconds`.
   *
   * @returns false when the event is no longer this member's: stop working on it
   */
  extend(seconds: number = this.#host.ackDeadlineSeconds): boolean {
    this.#host.core();
    requireNumber(seconds, "seconds", { min: 0 });
    return this.#host.store.extend(this.#lease, seconds * 1_000);
  }
}
