import { type Core, topics } from "../core/core.ts";
import type { Handle } from "../core/handle.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { polledSequence, type Sequence } from "../core/polled-sequence.ts";
import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { ActiveConsumers } from "./active-consumers.ts";
import { groupInfo, removeGroup } from "./group-info.ts";
import type { GroupInfo, GroupOptions, JoinOptions } from "./group-options.ts";
import { GroupStore, type Lease } from "./group-store.ts";
import { StreamDeadLetters } from "./stream-dead-letters.ts";
import { type DeliveryHost, StreamDelivery } from "./stream-delivery.ts";
import { eventOf } from "./stream-event.ts";
import { compileFilter } from "./stream-filter.ts";

/** What a group needs of its stream. */
export interface GroupSource<T> {
  readonly topic: string;
  readonly name: string;
  readonly options: GroupOptions;
  /** @throws `INVALID_PAYLOAD` */
  decode(row: readonly SqlValue[]): T;
  /** Whether payloads that no longer fit are left out instead of becoming dead letters. */
  readonly skipInvalid: boolean;
  /** The offset that `from` stands for. */
  resolve(from: "start" | "end" | number | Date): number;
  /** @throws `TRANSACTION_STATE` inside a transaction */
  refuseInTransaction(what: string): void;
}

/**
 * A group of members, in this process and others, that share the events of a stream: each event goes to
 * one of them, until it is acknowledged. Made by `stream.group(name)`.
 */
export class StreamGroup<T = unknown> {
  readonly name: string;
  /** Events the group gave up on. */
  readonly dead: StreamDeadLetters;
  readonly #handle: Handle;
  readonly #source: GroupSource<T>;
  readonly #store: GroupStore;
  readonly #host: DeliveryHost;
  readonly #ackDeadlineMs: number;

  /** @internal Use `stream.group()`. */
  constructor(handle: Handle, active: ActiveConsumers, source: GroupSource<T>) {
    const { topic, name, options } = source;
    requireName(name, "group");
    const { ackDeadlineSeconds = 30, maxInFlight = 1_000, maxDeliveries = 5 } = options;
    requireNumber(ackDeadlineSeconds, "ackDeadlineSeconds", { min: 0.001 });
    requireNumber(maxInFlight, "maxInFlight", { min: 1, integer: true });
    requireNumber(maxDeliveries, "maxDeliveries", { min: 1, integer: true });
    const backoffSeconds = backoffOf(options.backoff);
    this.name = name;
    this.dead = new StreamDeadLetters(() => handle.use(), topic, name);
    this.#handle = handle;
    this.#source = source;
    this.#ackDeadlineMs = ackDeadlineSeconds * 1_000;
    this.#store = new GroupStore(handle.use(), active, {
      topic,
      name,
      rules: {
        ackDeadlineMs: this.#ackDeadlineMs,
        maxInFlight,
        maxDeliveries,
        orderedByKey: options.orderedByKey ?? false,
        filter: compileFilter(options.filter),
      },
    });
    this.#host = {
      group: name,
      store: this.#store,
      core: () => handle.use(),
      backoffSeconds,
      ackDeadlineSeconds,
    };
  }

  /**
   * Events for this member as they come, until the iteration ends. Acknowledge each; one that is not
   * comes again after the deadline, here or elsewhere.
   *
   * @param member a name for the person who looks at the group; members may share one
   * @throws `TRANSACTION_STATE` inside a transaction, `INVALID_ARGUMENT`
   * @example
   * ```ts
   * const mailers = db.stream<{ to: string }>("mails").group("mailers");
   * for await (const mail of mailers.join("mailer-1")) {
   *   db.transaction((tx) => {
   *     tx.execute("INSERT INTO sent (recipient) VALUES (?)", [mail.payload.to]);
   *     mail.ackTx(tx);
   *   });
   * }
   * ```
   */
  join(member: string, options: JoinOptions = {}): Sequence<StreamDelivery<T>> {
    const core = this.#handle.use();
    const { batchSize = 16 } = options;
    requireNumber(batchSize, "batchSize", { min: 1, integer: true });
    this.#create(member, "join");
    let taken: Lease[] = [];
    return this.#handle.track(
      polledSequence({
        waiter: core.wake.waiter(topics.stream(this.#source.topic)),
        signal: options.signal,
        poll: () => {
          for (;;) {
            if (taken.length === 0) taken = this.#store.take(member, batchSize);
            const lease = taken.shift();
            if (lease === undefined) return undefined;
            const delivery = this.#fresh(core, lease) ? this.#delivery(lease) : undefined;
            if (delivery !== undefined) return delivery;
          }
        },
        timeoutMs: () => this.#store.readyInMs(),
        onClose: () => this.#giveBack(core, taken.splice(0)),
      }),
    );
  }

  /**
   * At most `limit` events for this member that are ready now; none when there are none.
   *
   * @throws `TRANSACTION_STATE` inside a transaction, `INVALID_ARGUMENT`
   */
  fetch(member: string, limit: number): StreamDelivery<T>[] {
    requireNumber(limit, "limit", { min: 1, integer: true });
    this.#create(member, "fetch");
    const deliveries: StreamDelivery<T>[] = [];
    while (deliveries.length < limit) {
      const leases = this.#store.take(member, limit - deliveries.length);
      if (leases.length === 0 && !this.#store.behind) break;
      for (const lease of leases) {
        const delivery = this.#delivery(lease);
        if (delivery !== undefined) deliveries.push(delivery);
      }
    }
    return deliveries;
  }

  /** How far the group is. */
  info(): GroupInfo {
    return groupInfo(this.#handle.use(), this.#source.topic, this.name);
  }

  /**
   * Forgets the group: its progress, what is in work and its dead letters. Members get nothing more;
   * joining again begins anew.
   *
   * @returns false when it was not known
   */
  delete(): boolean {
    return removeGroup(this.#handle.use(), this.#source.topic, this.name);
  }

  #create(member: string, what: string): void {
    this.#handle.use();
    requireName(member, "member");
    this.#source.refuseInTransaction(what);
    if (this.#store.cursor() !== undefined) return;
    this.#store.create(this.#source.resolve(this.#source.options.from ?? "start"));
  }

  /** Whether enough of the deadline is left of an event that waited in memory for its turn. */
  #fresh(core: Core, lease: Lease): boolean {
    if (lease.deadlineMs - core.nowMs() > this.#ackDeadlineMs / 2) return true;
    return this.#store.extend(lease, this.#ackDeadlineMs);
  }

  /** `undefined` when the payload no longer fits. */
  #delivery(lease: Lease): StreamDelivery<T> | undefined {
    let payload: T;
    try {
      payload = this.#source.decode(lease.row);
    } catch (error) {
      if (!(error instanceof HonkerError) || error.code !== "INVALID_PAYLOAD") throw error;
      if (this.#source.skipInvalid) this.#store.ack(lease);
      else this.#store.kill(lease, error.message);
      return undefined;
    }
    return new StreamDelivery(eventOf(this.#source.topic, lease.row, payload), lease, this.#host);
  }

  /** Events taken and not handed out go to other members at once. */
  #giveBack(core: Core, leases: readonly Lease[]): void {
    if (leases.length === 0 || core.closed) return;
    try {
      core.transaction(() => {
        for (const lease of leases) this.#store.undoTake(lease);
      });
    } catch (error) {
      core.onError(error, `giving events back to stream group "${this.name}"`);
    }
  }
}

function backoffOf(backoff: GroupOptions["backoff"]): (deliveries: number) => number {
  if (backoff === undefined) return (deliveries) => Math.min(60, 2 ** (deliveries - 1));
  if (typeof backoff === "function") return backoff;
  const steps = typeof backoff === "number" ? [backoff] : backoff;
  requireNumber(steps.length, "the length of backoff", { min: 1 });
  for (const step of steps) requireNumber(step, "backoff", { min: 0 });
  return (deliveries) => steps[Math.min(deliveries, steps.length) - 1] as number;
}
