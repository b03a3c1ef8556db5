import type { Core } from "../core/core.ts";
import type { Handle } from "../core/handle.ts";
import { requireName, requireNumber } from "../core/names.ts";
import type { Sequence } from "../core/polled-sequence.ts";
import { requireTransaction } from "../core/require-transaction.ts";
import type { Transaction } from "../core/transaction.ts";
import { HonkerError } from "../errors.ts";
import type { MessageChannel } from "../telemetry/process-timer.ts";
import { type TraceCarrier, traceSend, withCarrier } from "../telemetry/tracing.ts";
import type { ActiveConsumers } from "./active-consumers.ts";
import { type ConsumerInfo, ConsumerOffsets } from "./consumer-offsets.ts";
import { EventDecoder } from "./event-decoder.ts";
import { groupInfos } from "./group-info.ts";
import type { GroupInfo, GroupOptions } from "./group-options.ts";
import { PayloadCodec } from "./payload-codec.ts";
import { StreamDeadLetters } from "./stream-dead-letters.ts";
import type { StreamEvent } from "./stream-event.ts";
import { compileFilter } from "./stream-filter.ts";
import { StreamGroup } from "./stream-group.ts";
import { streamInfo } from "./stream-info.ts";
import type {
  ReadOptions,
  ReplayOptions,
  StreamInfo,
  StreamOptions,
  StreamStart,
  SubscribeOptions,
  TailOptions,
} from "./stream-options.ts";
import { newestOffset, readBatch } from "./stream-reader.ts";
import {
  AutomaticPruning,
  pruneStream,
  requireRetention,
  type StreamRetention,
} from "./stream-retention.ts";
import { ProgressSaver, subscription } from "./stream-subscription.ts";
import { offsetBefore } from "./stream-time.ts";
import { type PublishOptions, StreamWriter } from "./stream-writer.ts";

/** Events per read of `readSince` and `replay`. */
const BATCH = 512;

/**
 * A durable, ordered log of events in the database file (M5). Publishing is part of the surrounding
 * transaction; every consumer has an offset of its own and goes on from there after a restart. Made by
 * `db.stream(name)`.
 */
export class Stream<T = unknown> {
  readonly name: string;
  readonly #channel: MessageChannel;
  readonly #handle: Handle;
  readonly #active: ActiveConsumers;
  readonly #options: StreamOptions<T>;
  readonly #codec: PayloadCodec<T>;
  readonly #decoder: EventDecoder<T>;
  readonly #offsets: ConsumerOffsets;
  readonly #writer: StreamWriter;

  /** @internal Use `db.stream()`. */
  constructor(
    handle: Handle,
    active: ActiveConsumers,
    { name, options }: { readonly name: string; readonly options: StreamOptions<T> },
  ) {
    requireName(name, "stream");
    const { dedupeWindowSeconds = 120, onInvalid = "throw", retention } = options;
    requireNumber(dedupeWindowSeconds, "dedupeWindowSeconds", { min: 0 });
    if (retention !== undefined) requireRetention(retention);
    const core = handle.use();
    this.name = name;
    this.#channel = { kind: "stream", name };
    this.#handle = handle;
    this.#active = active;
    this.#options = options;
    this.#codec = new PayloadCodec(name, options);
    this.#decoder = new EventDecoder(name, this.#codec, onInvalid);
    this.#offsets = new ConsumerOffsets(core, name);
    this.#writer = new StreamWriter(core, name, {
      dedupeWindowMs: dedupeWindowSeconds * 1_000,
      pruning: retention === undefined ? undefined : new AutomaticPruning(core, name, retention),
    });
  }

  /**
   * Appends an event and returns its offset. Inside a transaction it becomes visible with the commit
   * and disappears with a rollback.
   *
   * @throws `INVALID_PAYLOAD`, `INVALID_ARGUMENT`, `BUSY`, `CLOSED`
   */
  publish(payload: T, options: PublishOptions = {}): number {
    this.#core();
    const text = this.#codec.encode(payload);
    return traceSend(this.#channel, (carrier) =>
      this.#writer.write({ text, options: withCarrier(options, carrier) }),
    );
  }

  /** Honker's spelling of `publish(payload, { key })`. */
  publishWithKey(key: string, payload: T): number {
    return this.publish(payload, { key });
  }

  /**
   * {@link publish} that insists on an open transaction of this database.
   *
   * @param options publish options, or the key alone
   * @throws `TRANSACTION_STATE`, and those of {@link publish}
   */
  publishTx(tx: Transaction, payload: T, options: PublishOptions | string | null = {}): number {
    requireTransaction(this.#core(), tx, "publishTx");
    const named = typeof options === "string" || options === null ? { key: options } : options;
    return this.publish(payload, named);
  }

  /**
   * Appends events in one transaction, all or none, and returns their offsets in order.
   *
   * @param options for all events, or a function that gives those of each
   * @throws those of {@link publish}
   */
  publishMany(
    payloads: Iterable<T>,
    options: PublishOptions | ((payload: T, index: number) => PublishOptions) = {},
  ): number[] {
    this.#core();
    const codec = this.#codec;
    function* outgoing(carrier: TraceCarrier | undefined) {
      let index = 0;
      for (const payload of payloads) {
        const own = typeof options === "function" ? options(payload, index) : options;
        yield { text: codec.encode(payload), options: withCarrier(own, carrier) };
        index += 1;
      }
    }
    return traceSend(this.#channel, (carrier) => this.#writer.writeMany(outgoing(carrier)));
  }

  /** {@link publishMany} that insists on an open transaction of this database. */
  publishManyTx(
    tx: Transaction,
    payloads: Iterable<T>,
    options: PublishOptions | ((payload: T, index: number) => PublishOptions) = {},
  ): number[] {
    requireTransaction(this.#core(), tx, "publishManyTx");
    return this.publishMany(payloads, options);
  }

  /**
   * Events from the consumer's saved offset on, then new ones as they are committed, here or in another
   * process. The offset of an event is saved only after the loop asked for the next one, so an event
   * whose handling was cut short, by a crash or by `break`, comes again.
   *
   * @throws `CONSUMER_ACTIVE` when the consumer already has a subscription in this process,
   * `TRANSACTION_STATE` inside a transaction, `INVALID_ARGUMENT`
   * @example
   * ```ts
   * const orders = db.stream<{ id: string }>("orders");
   * for await (const event of orders.subscribe("dashboard")) {
   *   console.log(event.offset, event.payload.id);
   * }
   * ```
   */
  subscribe(consumer: string, options: SubscribeOptions = {}): Sequence<StreamEvent<T>> {
    const core = this.#core();
    requireName(consumer, "consumer");
    const everyN = options.saveEveryN ?? 1_000;
    const everySeconds = options.saveEverySeconds ?? options.saveEveryS ?? 1;
    requireNumber(everyN, "saveEveryN", { min: 0, integer: true });
    requireNumber(everySeconds, "saveEverySeconds", { min: 0 });
    const filter = compileFilter(options.filter);
    this.#refuseInTransaction(core, "subscribe");
    const saved = this.#offsets.find(consumer);
    const { from = "saved" } = options;
    const after = from === "saved" ? (saved ?? 0) : this.#resolve(core, from);
    const onClose = this.#active.claim(this.name, consumer);
    try {
      if (saved === undefined) this.#offsets.register(consumer, after);
    } catch (error) {
      onClose();
      throw error;
    }
    const policy = { everyN, everySeconds };
    const progress = new ProgressSaver(core, this.#offsets, { consumer, offset: after, policy });
    return this.#handle.track(
      subscription<T>(core, {
        topic: this.name,
        after,
        filter,
        signal: options.signal,
        decode: (row) => this.#decoder.event(core, row, consumer),
        progress,
        onClose,
      }),
    );
  }

  /**
   * Events as they come, without a consumer: nothing is saved and retention does not wait. For
   * dashboards and logs.
   *
   * @throws `TRANSACTION_STATE` inside a transaction, `INVALID_ARGUMENT`
   */
  tail(options: TailOptions = {}): Sequence<StreamEvent<T>> {
    const core = this.#core();
    const filter = compileFilter(options.filter);
    this.#refuseInTransaction(core, "tail");
    return this.#handle.track(
      subscription<T>(core, {
        topic: this.name,
        after: this.#resolve(core, options.from ?? "end"),
        filter,
        signal: options.signal,
        decode: (row) => this.#decoder.event(core, row),
        progress: undefined,
      }),
    );
  }

  /**
   * The events that are there now, one at a time and with flat memory, for rebuilding a projection.
   * Ends at the newest event.
   */
  *replay(options: ReplayOptions = {}): Generator<StreamEvent<T>, void, undefined> {
    const filter = compileFilter(options.filter);
    let after = this.#resolve(this.#core(), options.from ?? "start");
    for (;;) {
      const batch = readBatch(this.#core(), this.name, { after, limit: BATCH, filter });
      for (const row of batch.rows) {
        const event = this.#decoder.event(this.#core(), row);
        if (event !== undefined) yield event;
      }
      if (batch.through === after) return;
      after = batch.through;
    }
  }

  /** Up to `limit` events after `offset`, oldest first. Inside a transaction also its own. */
  readSince(offset: number, limit: number, options: ReadOptions = {}): StreamEvent<T>[] {
    const core = this.#core();
    requireNumber(offset, "offset", { min: 0, integer: true });
    requireNumber(limit, "limit", { min: 0, integer: true });
    const filter = compileFilter(options.filter);
    const events: StreamEvent<T>[] = [];
    let after = offset;
    while (events.length < limit) {
      const size = Math.min(BATCH, limit - events.length);
      const batch = readBatch(core, this.name, { after, limit: size, filter });
      for (const row of batch.rows) {
        const event = this.#decoder.event(core, row);
        if (event !== undefined) events.push(event);
      }
      if (batch.through === after) break;
      after = batch.through;
    }
    return events;
  }

  /** Up to `limit` events after the consumer's saved offset, which stays where it is. */
  readFromConsumer(consumer: string, limit: number, options: ReadOptions = {}): StreamEvent<T>[] {
    return this.readSince(this.getOffset(consumer), limit, options);
  }

  /** The consumer's saved offset; 0 for one that is not known. */
  getOffset(consumer: string): number {
    this.#core();
    return this.#offsets.find(consumer) ?? 0;
  }

  /**
   * Saves that the consumer is done with everything up to `offset`. Never moves back.
   *
   * @returns false when the saved offset is already there or further
   * @throws `INVALID_ARGUMENT` for an offset that was never issued
   */
  saveOffset(consumer: string, offset: number): boolean {
    this.#core();
    return this.#offsets.advance(consumer, offset);
  }

  /**
   * {@link saveOffset} in the transaction of the handler's effect: both commit or neither does, so the
   * effect happens exactly once, whatever is killed when. Subscribe with `saveEveryN: 0` and
   * `saveEverySeconds: 0`.
   *
   * @throws `TRANSACTION_STATE`, `INVALID_ARGUMENT`
   */
  saveOffsetTx(tx: Transaction, consumer: string, offset: number): boolean {
    requireTransaction(this.#core(), tx, "saveOffsetTx");
    return this.#offsets.advance(consumer, offset);
  }

  /**
   * Sets the consumer's offset, also back, to make it process events again.
   *
   * @throws `CONSUMER_ACTIVE` while it has a subscription in this process, which would move it forward
   */
  resetOffset(consumer: string, offset: number): void {
    this.#core();
    this.#active.requireIdle(this.name, consumer);
    this.#offsets.reset(consumer, offset);
  }

  /** The offset after which events published at `date` or later begin. */
  offsetAt(date: Date): number {
    return offsetBefore(this.#core(), this.name, date);
  }

  /** The consumers, how far each is and how many events it has left; counted to `countTo`, default all. */
  consumers({ countTo }: { readonly countTo?: number } = {}): ConsumerInfo[] {
    this.#core();
    if (countTo !== undefined) requireNumber(countTo, "countTo", { min: 1, integer: true });
    return this.#offsets.list(countTo);
  }

  /**
   * Forgets a consumer: retention no longer waits for it, and it would start anew.
   *
   * @returns false when it was not known
   * @throws `CONSUMER_ACTIVE`
   */
  deleteConsumer(consumer: string): boolean {
    this.#core();
    this.#active.requireIdle(this.name, consumer);
    return this.#offsets.remove(consumer);
  }

  /**
   * Members that share the events: each goes to one of them and is acknowledged on its own. It need not
   * be created first.
   *
   * @throws `INVALID_ARGUMENT`
   */
  group(name: string, options: GroupOptions = {}): StreamGroup<T> {
    const core = this.#core();
    return new StreamGroup(this.#handle, this.#active, {
      topic: this.name,
      name,
      options,
      decode: (row) => this.#codec.decode(row[2] as string, row),
      skipInvalid: this.#options.onInvalid === "skip",
      resolve: (from) => this.#resolve(core, from),
      refuseInTransaction: (what) => this.#refuseInTransaction(core, what),
    });
  }

  /** The groups and how far each is. */
  groups(): GroupInfo[] {
    return groupInfos(this.#core(), this.name);
  }

  /** Events that `onInvalid: "dead-letter"` put aside for a consumer, or the dead letters of a group. */
  deadLetters(consumer: string): StreamDeadLetters {
    return new StreamDeadLetters(() => this.#core(), this.name, consumer);
  }

  /**
   * Deletes the oldest events: those that the given limits, or else the stream's `retention`, do not
   * keep. Never what a consumer or group has yet to process, unless `force` is set.
   *
   * @returns how many were deleted
   * @throws `INVALID_ARGUMENT`
   */
  prune(retention: StreamRetention = this.#options.retention ?? {}): number {
    requireRetention(retention);
    return pruneStream(this.#core(), this.name, retention);
  }

  /** How many events are kept, counted to `countTo`, default all; and from when to when. */
  info({ countTo }: { readonly countTo?: number } = {}): StreamInfo {
    if (countTo !== undefined) requireNumber(countTo, "countTo", { min: 1, integer: true });
    return streamInfo(this.#core(), this.name, countTo);
  }

  #core(): Core {
    return this.#handle.use();
  }

  #resolve(core: Core, from: Exclude<StreamStart, "saved">): number {
    if (from === "start") return 0;
    if (from === "end") return newestOffset(core);
    if (from instanceof Date) return offsetBefore(core, this.name, from);
    requireNumber(from, "from", { min: 0, integer: true });
    return from;
  }

  /** Offsets given out in a transaction are given out again after a rollback. */
  #refuseInTransaction(core: Core, what: string): void {
    if (!core.connection.inTransaction) return;
    throw new HonkerError(
      "TRANSACTION_STATE",
      `cannot ${what} to stream "${this.name}" inside a transaction`,
      { hint: "Subscribe before or after it" },
    );
  }
}
