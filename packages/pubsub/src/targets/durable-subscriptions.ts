import { PubSubError } from "../errors.ts";
import type { PubSubErrorHandler } from "../event-target.ts";
import { DurableFeed } from "./durable-feed.ts";
import type { DurableSource } from "./durable-source.ts";
import { encodeControl, malformed, requireOffset, type SubscribeRequest } from "./frames.ts";
import type { ServerConnection } from "./websocket-connection.ts";

/** Options of the durable side of a WebSocket server target. */
export interface DurableServerOptions {
  /** Where durable topics are read from. */
  readonly source: DurableSource;
  /** Events a client may have received without confirming them. Default 256. Lower it for large events. */
  readonly window?: number;
}

/** Who holds a consumer name on a topic. */
interface Holder {
  readonly connection: ServerConnection;
  readonly session: string | undefined;
}

/** The durable subscriptions of all connections of a server target; one live holder per consumer and topic. */
export class DurableSubscriptions {
  readonly #source: DurableSource;
  readonly #window: number;
  readonly #maxBufferedAmount: number;
  readonly #report: PubSubErrorHandler;
  readonly #holders = new Map<string, Holder>();

  constructor(
    { source, window = 256 }: DurableServerOptions,
    maxBufferedAmount: number,
    report: PubSubErrorHandler,
  ) {
    this.#source = source;
    this.#window = window;
    // a feed pauses long before the limit at which the server would cut the connection
    this.#maxBufferedAmount = maxBufferedAmount / 2;
    this.#report = report;
  }

  /**
   * Starts feeding a topic to a connection.
   *
   * @throws {@link PubSubError} `CONSUMER_NAME_TAKEN`, and what the source throws
   */
  async subscribe(connection: ServerConnection, request: SubscribeRequest): Promise<void> {
    const { topic, consumer } = request;
    this.release(connection, topic);
    await connection.unsubscribe(topic);
    const key = holderKey(consumer, topic);
    if (key !== undefined) await this.#claim(key, connection, request);
    let after: number;
    try {
      after = await this.#start(request);
    } catch (error) {
      this.#releaseKey(key, connection);
      throw error;
    }
    if (!connection.open) {
      this.#releaseKey(key, connection);
      return;
    }
    const feed = new DurableFeed({
      topic,
      consumer,
      after,
      source: this.#source,
      window: this.#window,
      maxBufferedAmount: this.#maxBufferedAmount,
      outlet: {
        send: (frame) => connection.write(frame),
        get bufferedAmount() {
          return connection.socket.bufferedAmount;
        },
      },
      onError: (error) => {
        this.#report(error, `the durable source, reading "${topic}"`);
        const message = `the source of "${topic}" failed; subscribe again`;
        connection.reply(encodeControl("__error", { code: "TRANSPORT", message, topic }));
        void connection.unsubscribe(topic);
      },
    });
    connection.subscribe(topic, feed);
  }

  /**
   * Notes that a client has dealt with everything up to an offset.
   *
   * @throws {@link PubSubError} `MALFORMED_FRAME` for an offset it never got
   */
  confirm(connection: ServerConnection, topic: string, value: unknown): void {
    const offset = requireOffset(value);
    const feed = connection.feed(topic);
    if (feed === undefined) return; // it unsubscribed meanwhile
    if (offset > feed.sentThrough) {
      throw malformed(`"${topic}" was sent up to ${feed.sentThrough}, not to ${offset}`);
    }
    feed.confirm(offset);
  }

  /** Lets go of the consumer name a connection holds for a topic, if any. */
  release(connection: ServerConnection, topic: string): void {
    this.#releaseKey(holderKey(connection.feed(topic)?.consumer, topic), connection);
  }

  /** Lets go of every name a connection holds. */
  releaseAll(connection: ServerConnection): void {
    for (const [key, holder] of this.#holders) {
      if (holder.connection === connection) this.#holders.delete(key);
    }
  }

  async #claim(
    key: string,
    connection: ServerConnection,
    { topic, consumer, session }: SubscribeRequest,
  ): Promise<void> {
    const holder = this.#holders.get(key);
    const free =
      holder === undefined ||
      holder.connection === connection ||
      !holder.connection.open ||
      (session !== undefined && holder.session === session);
    if (!free) {
      throw new PubSubError(
        "CONSUMER_NAME_TAKEN",
        `consumer "${consumer}" of "${topic}" is in use by another connection`,
        { hint: "Two live subscribers need two names", details: { consumer, topic } },
      );
    }
    this.#holders.set(key, { connection, session });
    if (holder === undefined || holder.connection === connection) return;
    // the old connection of a client that came back: what it has to save counts, then it must not save
    await holder.connection.unsubscribe(topic);
    if (!holder.connection.open) await holder.connection.end();
  }

  #releaseKey(key: string | undefined, connection: ServerConnection): void {
    if (key !== undefined && this.#holders.get(key)?.connection === connection) {
      this.#holders.delete(key);
    }
  }

  async #start({ topic, consumer, after, from }: SubscribeRequest): Promise<number> {
    if (after !== undefined) return after;
    const saved = consumer === undefined ? null : await this.#source.saved?.(consumer, topic);
    if (saved !== null && saved !== undefined) return saved;
    return from === "now" ? this.#source.newest(topic) : 0;
  }
}

function holderKey(consumer: string | undefined, topic: string): string | undefined {
  return consumer === undefined ? undefined : `${consumer}\n${topic}`;
}
