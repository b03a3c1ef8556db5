import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type ConsumerNameClaim, claimConsumerName } from "../consumer-name.ts";
import { requireInteger } from "../errors.ts";
import type { RemoteEventTarget } from "../event-target.ts";
import { backoffMs } from "./backoff.ts";
import {
  type LogDriver,
  type LogEntry,
  LogEventTarget,
  type LogTargetOptions,
} from "./log-event-target.ts";
import { decodeToken, encodeToken, requireFits, requirePrefix, subjectOf } from "./nats-subject.ts";

/** Options of {@link createJetStreamEventTarget}. */
export interface JetStreamEventTargetOptions extends LogTargetOptions {
  /** An open connection, not closed by the target. Open it with `maxReconnectAttempts: -1`. */
  readonly connection: NatsConnection;
  /** Name of the JetStream stream; one stream carries all topics. Made with file storage if it is missing. */
  readonly stream: string;
  /** Name of the durable consumer, the same after every restart; see `consumerName()`. */
  readonly consumer: string;
  /** First part of every subject of the stream. Default: the stream's name. */
  readonly prefix?: string;
  /** Where a consumer starts that does not exist yet. Default `start`: with the oldest event. */
  readonly from?: "start" | "now";
  /** Events given out and not confirmed, at most. Default 256. Lower it when events take long. */
  readonly maxUnconfirmed?: number;
  /** An event not confirmed for this long is given out again, in milliseconds. Default 30,000. */
  readonly ackWaitMs?: number;
  /** How long storing an event may take, reconnects included, in milliseconds. Default 30,000. */
  readonly storeTimeoutMs?: number;
}

/**
 * Durable pub/sub over a NATS JetStream stream and a durable consumer. At least once: an event is
 * confirmed when every listener has settled. Dead letters go to the stream `<stream>-dead`. Order is kept
 * except for events being stored, or given out, when the connection is lost: those may come later.
 *
 * Several processes may use one consumer name to share its events; within one process it is refused.
 * Add all listeners before the first `await`: events of topics nobody listens to are confirmed.
 *
 * @throws {@link PubSubError} `CONSUMER_NAME_TAKEN`, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * import { consumerName, createPubSub } from "@alkdev/pubsub";
 * import { createJetStreamEventTarget } from "@alkdev/pubsub/nats";
 * import { connect } from "@nats-io/transport-node";
 *
 * const eventTarget = createJetStreamEventTarget({
 *   connection: await connect({ servers: "127.0.0.1:4222", maxReconnectAttempts: -1 }),
 *   stream: "call-protocol",
 *   consumer: consumerName({ role: "hub", instance: "eu-1", purpose: "projector" }),
 * });
 * const pubsub = createPubSub<{ "call.requested": { requestId: string } }>({ eventTarget });
 * const calls = pubsub.subscribe("call.requested", "", { buffer: { overflow: "wait" } });
 * ```
 */
export function createJetStreamEventTarget(
  options: JetStreamEventTargetOptions,
): RemoteEventTarget {
  return new LogEventTarget(new JetStreamLog(options), options);
}

const NANOSECONDS_PER_MS = 1_000_000;
/** Events that were dealt with and are remembered, in case their confirmation is lost. */
const REMEMBERED = 1_024;
/** `err_code` of the JetStream API for a stream and for a consumer that is missing. */
const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;

class JetStreamLog implements LogDriver {
  readonly name = "the JetStream event target";
  readonly #options: JetStreamEventTargetOptions;
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #consumer: string;
  readonly #ackWaitMs: number;
  readonly #storeTimeoutMs: number;
  readonly #client: JetStreamClient;
  readonly #claim: ConsumerNameClaim;
  readonly #done = new Set<number>();
  /** Streams that were seen, or are being made. */
  readonly #ensured = new Map<string, Promise<void>>();
  /** Called when the connection was made anew: answers to the old one will not come. */
  readonly #unanswered = new Set<() => void>();
  #prepared = false;
  #closed = false;

  constructor(options: JetStreamEventTargetOptions) {
    const { connection, stream, prefix = stream } = options;
    requirePrefix(prefix);
    requirePrefix(stream);
    this.#ackWaitMs = options.ackWaitMs ?? 30_000;
    this.#storeTimeoutMs = options.storeTimeoutMs ?? 30_000;
    requireInteger(this.#ackWaitMs, "ackWaitMs", 1);
    requireInteger(this.#storeTimeoutMs, "storeTimeoutMs", 1);
    requireInteger(options.maxUnconfirmed ?? 256, "maxUnconfirmed", 1);
    this.#options = options;
    this.#connection = connection;
    this.#prefix = prefix;
    this.#consumer = encodeToken(options.consumer);
    this.#client = jetstream(connection, { timeout: 5_000 });
    this.#claim = claimConsumerName(`nats://${connection.getServer()}/${stream}`, options.consumer);
    void this.#watchConnection();
  }

  check(topic: string, json: string): void {
    requireFits(this.#connection, topic, json);
  }

  async append(topic: string, json: string): Promise<void> {
    await this.#store(this.#options.stream, `${this.#prefix}.>`, {
      subject: subjectOf(this.#prefix, topic),
      json,
    });
  }

  async prepare(): Promise<void> {
    await this.#unlessReconnected(this.#prepare());
  }

  async #prepare(): Promise<void> {
    const { stream, from, maxUnconfirmed = 256 } = this.#options;
    const manager = await jetstreamManager(this.#connection);
    await ensureStream(manager, stream, `${this.#prefix}.>`);
    try {
      await manager.consumers.info(stream, this.#consumer);
    } catch (error) {
      if (!isMissing(error, CONSUMER_NOT_FOUND)) throw error;
      await manager.consumers.add(stream, {
        durable_name: this.#consumer,
        ack_policy: AckPolicy.Explicit,
        // a consumer that vanished while we read it starts over: events may come twice, none is lost
        deliver_policy: from === "now" && !this.#prepared ? DeliverPolicy.New : DeliverPolicy.All,
        ack_wait: this.#ackWaitMs * NANOSECONDS_PER_MS,
        max_ack_pending: maxUnconfirmed,
        // the server would drop an event after max_deliver; we count ourselves and keep a dead letter
        max_deliver: -1,
      });
    }
    this.#prepared = true;
  }

  async consume(handle: (entry: LogEntry) => Promise<void>, signal: AbortSignal): Promise<void> {
    const consumer = await this.#client.consumers.get(this.#options.stream, this.#consumer);
    const waiting: JsMsg[] = [];
    let wake: () => void = () => undefined;
    const messages = await consumer.consume({
      max_messages: this.#options.maxUnconfirmed ?? 256,
      callback: (message) => {
        waiting.push(message);
        wake();
      },
    });
    let ended: { readonly cause: unknown } | undefined;
    void messages.closed().then((cause) => {
      ended = { cause };
      wake();
    });
    const stop = (): void => {
      messages.stop();
      wake();
    };
    signal.addEventListener("abort", stop, { once: true });
    // a pull from before does not always survive a reconnect; what is here is finished, then we pull anew
    const lost = (): void => {
      ended ??= { cause: new Error("the connection was made anew") };
      stop();
    };
    this.#unanswered.add(lost);
    // tells the server that what it gave out is still being worked on
    const keep = setInterval(
      () => {
        for (const message of waiting) message.working();
      },
      Math.max(1, this.#ackWaitMs / 3),
    );
    try {
      while (!signal.aborted) {
        const message = waiting[0];
        if (message !== undefined) {
          const finished = await this.#handle(message, handle);
          if (!finished && signal.aborted) break;
          if (!finished) message.nak(this.#ackWaitMs);
          waiting.shift();
        } else if (ended !== undefined) {
          throw ended.cause ?? new Error("the consumer was closed");
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      clearInterval(keep);
      this.#unanswered.delete(lost);
      signal.removeEventListener("abort", stop);
      await messages.close();
      await this.#giveBack(waiting);
    }
  }

  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  close(): void {
    this.#closed = true;
    this.#claim.release();
  }

  /** Gives messages at once to whoever comes next. Where that fails, they follow after `ackWaitMs`. */
  async #giveBack(messages: readonly JsMsg[]): Promise<void> {
    if (messages.length === 0 || this.#connection.isClosed()) return;
    try {
      // a server (seen with 2.9.10) that still knows our pull gives one of them to it, and so to nobody;
      // asking about the consumer makes it forget pulls without a listener
      await (await this.#client.jetstreamManager()).consumers.info(
        this.#options.stream,
        this.#consumer,
      );
      for (const message of messages) message.nak();
    } catch {
      // the connection is lost, and the server gives them out again by itself
    }
  }

  /** @returns whether the message is confirmed or buried */
  async #handle(message: JsMsg, handle: (entry: LogEntry) => Promise<void>): Promise<boolean> {
    if (this.#done.has(message.seq)) {
      message.ack();
      return true;
    }
    const bury = (error: unknown): Promise<void> => this.#bury(message, error);
    let topic: string;
    let detail: unknown;
    try {
      topic = decodeToken(message.subject.slice(this.#prefix.length + 1));
      detail = message.json();
    } catch (error) {
      await bury(error);
      return true;
    }
    const before = message.info.deliveryCount - 1;
    await handle({ topic, detail, before, bury, confirm: () => this.#confirm(message) });
    return this.#done.has(message.seq);
  }

  #confirm(message: JsMsg): void {
    this.#done.add(message.seq);
    if (this.#done.size > REMEMBERED) this.#done.delete(this.#done.values().next().value as number);
    message.ack();
  }

  async #bury(message: JsMsg, error: unknown): Promise<void> {
    const json = JSON.stringify({
      subject: message.subject,
      seq: message.seq,
      consumer: this.#options.consumer,
      deliveries: message.info.deliveryCount,
      error: String(error),
      data: message.string(),
    });
    const name = `${this.#options.stream}-dead`;
    await this.#store(name, name, { subject: name, json });
    this.#confirm(message);
  }

  /** Stores a message, again with the same id when the answer does not come; makes a missing stream. */
  async #store(
    stream: string,
    subjects: string,
    { subject, json }: { subject: string; json: string },
  ): Promise<void> {
    const options = { msgID: crypto.randomUUID(), expect: { streamName: stream } };
    const deadline = performance.now() + this.#storeTimeoutMs;
    await this.#ensureStream(stream, subjects);
    for (let failures = 0; ; failures++) {
      try {
        await this.#unlessReconnected(this.#client.publish(subject, json, options));
        return;
      } catch (error) {
        const delayMs = backoffMs(failures);
        if (this.#connection.isClosed() || performance.now() + delayMs > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        this.#ensured.delete(stream); // it may have been the stream
        await this.#ensureStream(stream, subjects);
      }
    }
  }

  /** Fails when the connection was made anew: an answer to the old one will not come. */
  async #unlessReconnected(answer: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error("the connection was lost before the answer came"));
      this.#unanswered.add(fail);
      answer
        .then(() => resolve(), reject)
        .finally(() => this.#unanswered.delete(fail))
        .catch(() => undefined);
    });
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (this.#closed) return;
      if (type === "reconnect") for (const fail of this.#unanswered) fail();
    }
  }

  /** Once for all events that wait for it, so that they are stored in their order. */
  #ensureStream(stream: string, subjects: string): Promise<void> {
    const known = this.#ensured.get(stream);
    if (known !== undefined) return known;
    const making = jetstreamManager(this.#connection).then((manager) =>
      ensureStream(manager, stream, subjects),
    );
    const ensured = this.#unlessReconnected(making).catch(() => {
      this.#ensured.delete(stream); // storing says what is wrong
    });
    this.#ensured.set(stream, ensured);
    return ensured;
  }
}

async function ensureStream(
  manager: JetStreamManager,
  name: string,
  subjects: string,
): Promise<void> {
  try {
    await manager.streams.info(name);
  } catch (error) {
    if (!isMissing(error, STREAM_NOT_FOUND)) throw error;
    await manager.streams.add({ name, subjects: [subjects] });
  }
}

function isMissing(error: unknown, code: number): boolean {
  if (!(error instanceof Error)) return false;
  return error.name.endsWith("NotFoundError") || (error as { code?: unknown }).code === code;
}
