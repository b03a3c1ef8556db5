import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { PubSubError } from "../errors.ts";
import type {
  EnvelopeEvent,
  PubSubErrorHandler,
  RemoteEventTarget,
  TypedEventListener,
} from "../event-target.ts";
import { errorReporter } from "../report-error.ts";
import { TopicListeners } from "../topic-listeners.ts";
import { encodeJson } from "./json.ts";
import { requireFits, requirePrefix, subjectOf } from "./nats-subject.ts";

/** Options of {@link createNatsEventTarget}. */
export interface NatsEventTargetOptions {
  /**
   * An open connection, not closed by the target. Open it with `maxReconnectAttempts: -1`, or it gives
   * up after ten tries.
   */
  readonly connection: NatsConnection;
  /** First part of every subject, to keep programs apart. Default `alkdev`. */
  readonly prefix?: string;
  /** Gets what listeners throw and what the connection reports. Default: warnings, or uncaught. */
  readonly onError?: PubSubErrorHandler;
}

/**
 * Pub/sub over NATS subjects, between machines. At most once: who is not connected when an event is
 * published does not get it. The client reconnects and takes up the subscriptions again.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT` for a prefix that is no subject
 * @example
 * ```ts
 * import { createPubSub } from "@alkdev/pubsub";
 * import { createNatsEventTarget } from "@alkdev/pubsub/nats";
 * import { connect } from "@nats-io/transport-node";
 *
 * const connection = await connect({ servers: "127.0.0.1:4222", maxReconnectAttempts: -1 });
 * const eventTarget = createNatsEventTarget({ connection });
 * const pubsub = createPubSub<{ "graph:updated": { graphId: string } }>({ eventTarget });
 * ```
 */
export function createNatsEventTarget(options: NatsEventTargetOptions): RemoteEventTarget {
  return new NatsEventTarget(options);
}

class NatsEventTarget implements RemoteEventTarget {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #subscriptions = new Map<string, Subscription>();

  constructor({ connection, prefix = "alkdev", onError }: NatsEventTargetOptions) {
    requirePrefix(prefix);
    this.#connection = connection;
    this.#prefix = prefix;
    this.#report = errorReporter(onError);
    this.#listeners = new TopicListeners({
      name: "the NATS event target",
      onError,
      onFirst: (topic) => this.#subscribe(topic),
      onLast: (topic) => this.#unsubscribe(topic),
    });
    void connection.closed().then((cause) => {
      if (this.#listeners.closed) return;
      const error = new PubSubError("TRANSPORT", "the NATS connection was closed for good", {
        cause,
      });
      this.#report(error, "NATS");
    });
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

  /** @throws {@link PubSubError} `CLOSED`, `INVALID_PAYLOAD`, `PAYLOAD_TOO_LARGE`, `TRANSPORT` */
  dispatchEvent({ type, detail }: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${type}"`);
    const json = encodeJson(detail, type);
    requireFits(this.#connection, type, json);
    try {
      this.#connection.publish(subjectOf(this.#prefix, type), json);
    } catch (cause) {
      throw new PubSubError("TRANSPORT", `an event on "${type}" could not be sent`, { cause });
    }
    return true;
  }

  async settled(): Promise<void> {
    await this.#connection.flush();
  }

  async close(): Promise<void> {
    if (this.#listeners.closed) return;
    this.#listeners.close();
    for (const topic of [...this.#subscriptions.keys()]) this.#unsubscribe(topic);
    if (!this.#connection.isClosed()) await this.#connection.flush().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #subscribe(topic: string): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) this.#deliver(topic, message);
      else {
        const cause = error;
        this.#report(
          new PubSubError("TRANSPORT", `the subscription of "${topic}" failed`, { cause }),
          "NATS",
        );
      }
    };
    const subject = subjectOf(this.#prefix, topic);
    this.#subscriptions.set(topic, this.#connection.subscribe(subject, { callback }));
  }

  #unsubscribe(topic: string): void {
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.delete(topic);
  }

  #deliver(topic: string, message: Msg): void {
    let detail: unknown;
    try {
      detail = message.json();
    } catch (cause) {
      const error = new PubSubError("MALFORMED_FRAME", `a message on "${topic}" is not JSON`, {
        cause,
      });
      this.#report(error, "a NATS subject");
      return;
    }
    this.#listeners.dispatch(new CustomEvent(topic, { detail }) as EnvelopeEvent, this);
  }
}
