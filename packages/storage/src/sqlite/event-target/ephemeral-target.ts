import type { Database, Notification, Sequence } from "@alkdev/honker";
import { type EnvelopeEvent, TopicListeners, type TypedEventListener } from "@alkdev/pubsub";
import type { HonkerEventTarget, HonkerEventTargetOptions } from "./options.ts";
import { eventOn } from "./wire.ts";

/** One listener of the database and the topics it serves. */
interface Channel {
  readonly sequence: Sequence<Notification>;
  readonly topics: Set<string>;
  /** Notifications of this target, already delivered from memory. */
  readonly delivered: Set<number>;
}

/** Topics over notifications (M20, ephemeral), with own events from memory where asked for (M21). */
export class EphemeralTarget implements HonkerEventTarget {
  readonly #db: Database;
  readonly #prefix: string | undefined;
  readonly #fromMemory: boolean;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #channels = new Map<string, Channel>();

  constructor(options: HonkerEventTargetOptions, fromMemory: boolean) {
    this.#db = options.db;
    this.#prefix = options.prefix;
    this.#fromMemory = fromMemory;
    this.#listeners = new TopicListeners({
      name: "the Honker event target",
      onError: options.onError,
      onFirst: (topic) => this.#listen(topic),
      onLast: (topic) => this.#unlisten(topic),
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

  /** Inside a transaction of the database the event belongs to it: it goes out with the commit. */
  dispatchEvent(event: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${event.type}"`);
    const channel = this.#channelOf(event.type);
    const id = this.#db.notify(channel, event.detail);
    if (this.#fromMemory) {
      this.#db.afterCommit(() => {
        if (!this.#listeners.has(event.type)) return;
        this.#channels.get(channel)?.delivered.add(id);
        this.#listeners.dispatch(event, this);
      });
    }
    return true;
  }

  async settled(): Promise<void> {
    // callbacks are called as notifications are read, and not waited for
  }

  close(): void {
    this.#listeners.close();
    for (const { sequence } of this.#channels.values()) sequence.close();
    this.#channels.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #channelOf(topic: string): string {
    const prefix = this.#prefix;
    return prefix !== undefined && topic.startsWith(prefix) ? prefix : topic;
  }

  #listen(topic: string): void {
    const name = this.#channelOf(topic);
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { sequence: this.#db.listen(name), topics: new Set(), delivered: new Set() };
      this.#channels.set(name, channel);
      void this.#forward(name, channel);
    }
    channel.topics.add(topic);
  }

  #unlisten(topic: string): void {
    const name = this.#channelOf(topic);
    const channel = this.#channels.get(name);
    if (channel === undefined || !channel.topics.delete(topic) || channel.topics.size > 0) return;
    this.#channels.delete(name);
    channel.sequence.close();
  }

  async #forward(name: string, { sequence, delivered }: Channel): Promise<void> {
    for await (const { id, payload } of sequence) {
      if (delivered.delete(id)) continue;
      this.#listeners.dispatch(eventOn(name, payload), this);
    }
  }
}
