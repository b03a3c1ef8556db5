import { setTimeout as sleep } from "node:timers/promises";
import type { Database, Queue, Sequence, Stream, StreamEvent, Worker } from "@alkdev/honker";
import {
  type EnvelopeEvent,
  type EventEnvelope,
  errorReporter,
  isEventEnvelope,
  type ListenerFailure,
  type PubSubErrorHandler,
  TopicListeners,
  type TypedEventListener,
} from "@alkdev/pubsub";
import type { HonkerEventTarget, HonkerEventTargetOptions } from "./options.ts";
import { eventOn, type FailedEvent, failedEvent, keptEvent } from "./wire.ts";

type Failures = readonly ListenerFailure<EnvelopeEvent>[];

const LONGEST_DELAY_MS = 10_000;

/** A target's options with what durable mode requires. */
export interface DurableTargetOptions extends HonkerEventTargetOptions {
  readonly streamName: string;
  readonly consumerName: string;
}

/**
 * Topics over one stream and one consumer of it (M20, durable), with own events from memory where asked
 * for (M21). Events are given out in stream order, and the next one only when the callbacks of the one
 * before have settled; its offset is saved after that.
 *
 * A callback that fails gets the event again, alone, after a growing delay. After `maxDeliveries` the
 * event goes to the queue `_events:{stream}:{consumer}`, in the same commit as the offset; there it is
 * tried once more and is then a dead letter that `queue.dead` lists and redrives.
 */
export class DurableTarget implements HonkerEventTarget {
  readonly #db: Database;
  readonly #stream: Stream<EventEnvelope>;
  readonly #failed: Queue<FailedEvent>;
  readonly #options: DurableTargetOptions;
  readonly #fromMemory: boolean;
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  /** Own events given out from memory, by offset, until the stream brings them. */
  readonly #delivered = new Map<number, Promise<Failures>>();
  readonly #closing = new AbortController();
  #subscription: Sequence<StreamEvent<EventEnvelope>> | undefined;
  #worker: Worker | undefined;
  #starting = false;
  #current: Promise<unknown> = Promise.resolve();

  constructor(options: DurableTargetOptions, fromMemory: boolean) {
    this.#db = options.db;
    this.#options = options;
    this.#fromMemory = fromMemory;
    this.#stream = options.db.stream<EventEnvelope>(options.streamName);
    this.#failed = options.db.queue<FailedEvent>(
      `_events:${options.streamName}:${options.consumerName}`,
      { maxAttempts: 1 },
    );
    this.#listeners = new TopicListeners({
      name: "the Honker event target",
      onError: options.onError,
      onFirst: () => this.#startSoon(),
      onLast: () => this.#stopWhenUnused(),
    });
    this.#report = errorReporter(options.onError);
  }

  addEventListener(
    type: string,
    callback: TypedEventListener<EnvelopeEvent> | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.#listeners.add(type, callback, options);
  }

  removeEventListener(type: string, callback: TypedEventListener<EnvelopeEvent> | null): void {
    this.#listeners.remove(type, callback);
  }

  /** Inside a transaction of the database the event belongs to it; outside it commits by itself. */
  dispatchEvent(event: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${event.type}"`);
    const offset = this.#stream.publish(event.detail, { key: event.type });
    if (this.#fromMemory) {
      this.#db.afterCommit(() => {
        if (this.#subscription === undefined || !this.#wants(event.type)) return;
        this.#delivered.set(offset, this.#listeners.settle(event, this));
      });
    }
    return true;
  }

  async settled(): Promise<void> {
    await this.#current;
    await Promise.all(this.#delivered.values());
  }

  close(): void {
    this.#closing.abort();
    this.#listeners.close();
    this.#stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** In a later turn, so that all listeners added in this one get the events that wait already. */
  #startSoon(): void {
    if (this.#starting || this.#subscription !== undefined) return;
    this.#starting = true;
    setImmediate(() => {
      this.#starting = false;
      if (this.#listeners.size === 0 || this.#listeners.closed || !this.#db.open) return;
      try {
        this.#start();
      } catch (error) {
        this.#report(error, `subscribing to stream "${this.#options.streamName}"`);
      }
    });
  }

  #start(): void {
    const { consumerName, saveEveryN = 256 } = this.#options;
    const subscription = this.#stream.subscribe(consumerName, { saveEveryN });
    this.#subscription = subscription;
    this.#worker = this.#failed.work(({ payload }) => this.#deliverAgain(payload));
    this.#forward(subscription).catch((error: unknown) => {
      this.#stop();
      this.#report(error, `stream "${this.#options.streamName}"`);
    });
  }

  #stopWhenUnused(): void {
    if (this.#listeners.size === 0) this.#stop();
  }

  #stop(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#worker?.close();
    this.#worker = undefined;
    this.#delivered.clear();
  }

  async #forward(subscription: Sequence<StreamEvent<EventEnvelope>>): Promise<void> {
    for await (const event of subscription) {
      const { offset, key, payload } = event;
      // another program's row that names no topic
      if (key === null && !isEventEnvelope(payload)) continue;
      const own = this.#delivered.get(offset);
      this.#delivered.delete(offset);
      const given = eventOn(key ?? "", payload);
      const delivery = this.#deliver(given, own);
      this.#current = delivery;
      const failures = await delivery;
      // closed in between: the offset stays, and the event comes again
      if (failures.length > 0 && !this.#giveUp(given, offset)) return;
    }
  }

  #wants(topic: string): boolean {
    const { prefix } = this.#options;
    return this.#listeners.has(topic) && (prefix === undefined || topic.startsWith(prefix));
  }

  /** Gives the event to its callbacks, those that fail again and again. Returns who failed at last. */
  async #deliver(event: EnvelopeEvent, own: Promise<Failures> | undefined): Promise<Failures> {
    const { maxDeliveries = 5, retryDelayMs = 100 } = this.#options;
    if (own === undefined && !this.#wants(event.type)) return [];
    let failures = await (own ?? this.#listeners.settle(event, this));
    let delay = retryDelayMs;
    for (let delivery = 2; failures.length > 0; delivery++) {
      for (const { error } of failures) this.#report(error, `a listener of "${event.type}"`);
      if (delivery > maxDeliveries) break;
      const { signal } = this.#closing;
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      failures = await this.#listeners.settle(event, this, failures);
      delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    }
    return failures;
  }

  /** Hands an event that nobody could deal with to the queue of failed ones. False when closed. */
  #giveUp(event: EnvelopeEvent, offset: number): boolean {
    if (this.#closing.signal.aborted || !this.#db.open) return false;
    this.#db.transaction((tx) => {
      this.#failed.enqueueTx(tx, failedEvent(event));
      this.#stream.saveOffsetTx(tx, this.#options.consumerName, offset);
    });
    return true;
  }

  async #deliverAgain(failed: FailedEvent): Promise<void> {
    const failures = await this.#listeners.settle(keptEvent(failed), this);
    if (failures[0] !== undefined) throw failures[0].error;
  }
}
