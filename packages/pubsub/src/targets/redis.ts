import type { Redis } from "ioredis";
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

/** Options of {@link createRedisEventTarget}. */
export interface RedisEventTargetOptions {
  /** Connection for publishing; may be shared with other work. Not closed by the target. */
  readonly publishClient: Redis;
  /** Connection for subscribing, for this target alone: Redis allows nothing else on it. Not closed by the target. */
  readonly subscribeClient: Redis;
  /** Put before every topic to make the channel, to keep programs apart. Default empty. */
  readonly prefix?: string;
  /** Gets what listeners throw and commands that fail. Default: warnings, or uncaught. */
  readonly onError?: PubSubErrorHandler;
}

/**
 * Pub/sub over Redis channels, between machines. At most once: who is not connected when an event is
 * published does not get it. After a lost connection the subscriptions are taken up again.
 *
 * @example
 * ```ts
 * import { createPubSub } from "@alkdev/pubsub";
 * import { createRedisEventTarget } from "@alkdev/pubsub/redis";
 * import { Redis } from "ioredis";
 *
 * const eventTarget = createRedisEventTarget({
 *   publishClient: new Redis(),
 *   subscribeClient: new Redis(),
 *   prefix: "hub:",
 * });
 * const pubsub = createPubSub<{ "graph:updated": { graphId: string } }>({ eventTarget });
 * ```
 */
export function createRedisEventTarget(options: RedisEventTargetOptions): RemoteEventTarget {
  return new RedisEventTarget(options);
}

class RedisEventTarget implements RemoteEventTarget {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #prefix: string;
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor({ publishClient, subscribeClient, prefix = "", onError }: RedisEventTargetOptions) {
    if (publishClient === subscribeClient) {
      throw new PubSubError(
        "INVALID_ARGUMENT",
        "a Redis connection that subscribes cannot publish",
        {
          hint: "Give subscribeClient a connection of its own, for instance publishClient.duplicate()",
        },
      );
    }
    this.#publisher = publishClient;
    this.#subscriber = subscribeClient;
    this.#prefix = prefix;
    this.#report = errorReporter(onError);
    this.#listeners = new TopicListeners({
      name: "the Redis event target",
      onError,
      onFirst: (topic) => this.#track(this.#subscriber.subscribe(prefix + topic), topic),
      onLast: (topic) => this.#track(this.#subscriber.unsubscribe(prefix + topic), topic),
    });
    subscribeClient.on("message", this.#onMessage);
    subscribeClient.on("ready", this.#onReady);
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

  /** @throws {@link PubSubError} `CLOSED`, `INVALID_PAYLOAD`. A command that fails goes to `onError`. */
  dispatchEvent({ type, detail }: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${type}"`);
    const text = encodeJson(detail, type);
    this.#track(this.#publisher.publish(this.#prefix + type, text), type);
    return true;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const channels = [...this.#listeners.topics()].map((topic) => this.#prefix + topic);
    this.#listeners.close();
    this.#subscriber.off("message", this.#onMessage);
    this.#subscriber.off("ready", this.#onReady);
    if (channels.length > 0 && this.#subscriber.status === "ready") {
      await this.#subscriber.unsubscribe(...channels).catch(() => undefined);
    }
  }

  readonly #onMessage = (channel: string, text: string): void => {
    if (!channel.startsWith(this.#prefix)) return;
    const topic = channel.slice(this.#prefix.length);
    if (!this.#listeners.has(topic)) return;
    let detail: unknown;
    try {
      detail = JSON.parse(text);
    } catch (cause) {
      const error = new PubSubError("MALFORMED_FRAME", `a message on "${channel}" is not JSON`, {
        cause,
      });
      this.#report(error, "a Redis channel");
      return;
    }
    this.#listeners.dispatch(new CustomEvent(topic, { detail }) as EnvelopeEvent, this);
  };

  /** The client takes up what it was subscribed to; what failed meanwhile it does not know. */
  readonly #onReady = (): void => {
    const channels = [...this.#listeners.topics()].map((topic) => this.#prefix + topic);
    if (channels.length > 0) this.#track(this.#subscriber.subscribe(...channels), "all topics");
  };

  #track(command: Promise<unknown>, topic: string): void {
    const done = command.then(
      () => undefined,
      (cause: unknown) => {
        if (this.#listeners.closed) return;
        const error = new PubSubError("TRANSPORT", `a Redis command for "${topic}" failed`, {
          cause,
        });
        this.#report(error, "Redis");
      },
    );
    this.#pending.add(done);
    void done.then(() => this.#pending.delete(done));
  }
}
