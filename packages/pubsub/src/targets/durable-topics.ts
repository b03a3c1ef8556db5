import { PubSubError } from "../errors.ts";
import type { EnvelopeEvent, PubSubErrorHandler } from "../event-target.ts";
import type { TopicListeners } from "../topic-listeners.ts";
import { backoffMs } from "./backoff.ts";
import { DurableInbox } from "./durable-inbox.ts";
import type { DurableEvent } from "./durable-source.ts";
import { encodeControl, type SubscribeRequest } from "./frames.ts";
import { type RedeliveryOptions, requireRedelivery } from "./redelivery.ts";

/** Which topics of a WebSocket client are durable, and how. */
export interface DurableClientOptions extends RedeliveryOptions {
  /**
   * Name under which the server keeps what was confirmed, so that a restarted process goes on where it
   * stopped. Make it with `consumerName()`. Default: none; then only reconnects are bridged.
   */
  readonly consumer?: string;
  /** Which topics are durable. Default: all. */
  readonly topics?: (topic: string) => boolean;
  /**
   * The last offset you have dealt with, if you keep it yourself, for instance in the transaction that
   * writes what the event says; then nothing is delivered twice, not even after a crash. Null: unknown.
   * Listeners find the offset of an event in its property `offset`.
   */
  readonly after?: (topic: string) => number | null;
  /** Where a consumer starts that has no offset. Default `start`: with the oldest event there is. */
  readonly from?: "start" | "now";
  /** Gets events that failed `maxDeliveries` times; they are confirmed afterwards. Default: reported as `DEAD_LETTER`. */
  readonly onDeadLetter?: (topic: string, event: DurableEvent, error: unknown) => unknown;
}

/** What the durable topics use of their target. */
export interface DurableTopicsContext {
  readonly listeners: TopicListeners<EnvelopeEvent>;
  readonly target: unknown;
  readonly report: PubSubErrorHandler;
  /** Sends a frame, if there is a connection. */
  readonly send: (text: string) => void;
}

interface DurableTopic {
  readonly inbox: DurableInbox;
  readonly closing: AbortController;
  /** Subscriptions the server refused in a row. */
  refusals: number;
  timer: NodeJS.Timeout | undefined;
}

/** The durable topics of a WebSocket client target that have listeners. */
export class DurableTopics {
  readonly #options: DurableClientOptions;
  readonly #context: DurableTopicsContext;
  readonly #topics = new Map<string, DurableTopic>();
  /** Tells the server that a new connection is still this client. */
  readonly #session: string = crypto.getRandomValues(new Uint32Array(4)).join("-");

  constructor(options: DurableClientOptions, context: DurableTopicsContext) {
    requireRedelivery(options);
    this.#options = options;
    this.#context = context;
  }

  /** Whether a topic is to be durable. */
  has(topic: string): boolean {
    return this.#options.topics?.(topic) ?? true;
  }

  /** Subscribes at the server, behind what is already here. */
  subscribe(topic: string): void {
    const entry = this.#topics.get(topic) ?? this.#open(topic, this.#options.after?.(topic));
    if (entry.closing.signal.aborted) return; // it is let go of first, and then taken again
    const { consumer, from = "start" } = this.#options;
    const after = entry.inbox.received;
    const request: SubscribeRequest = {
      topic,
      session: this.#session,
      from,
      ...(consumer !== undefined && { consumer }),
      ...(after !== undefined && { after }),
    };
    this.#context.send(encodeControl("__subscribe", request));
    entry.inbox.confirmAgain();
  }

  /** Subscribes again after a while: the server refused for a reason that may pass. */
  subscribeLater(topic: string): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined || entry.timer !== undefined) return;
    entry.timer = setTimeout(
      () => {
        entry.timer = undefined;
        if (this.#topics.get(topic) === entry) this.subscribe(topic);
      },
      backoffMs(entry.refusals, this.#options.retry),
    );
    entry.refusals += 1;
  }

  /** Takes an event from the server. */
  receive(topic: string, event: DurableEvent): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined) return;
    entry.refusals = 0;
    entry.inbox.receive(event);
  }

  /**
   * Lets go of a topic when the event being worked on is done and confirmed. What waited behind it
   * stays at the server.
   */
  unsubscribe(topic: string): void {
    void this.#leave(topic);
  }

  /** Resolves when what is being worked on is done. */
  async close(): Promise<void> {
    await Promise.all([...this.#topics.keys()].map((topic) => this.#leave(topic)));
  }

  async #leave(topic: string): Promise<void> {
    const entry = this.#topics.get(topic);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    entry.closing.abort();
    await entry.inbox.close();
    if (this.#topics.get(topic) !== entry) return;
    this.#topics.delete(topic);
    this.#context.send(encodeControl("__unsubscribe", { topic }));
    if (!this.#context.listeners.has(topic)) return;
    // somebody came while the last event of those who left was worked on
    this.#open(topic, entry.inbox.finished);
    this.subscribe(topic);
  }

  #open(topic: string, after: number | null | undefined): DurableTopic {
    const { listeners, target, report, send } = this.#context;
    const closing = new AbortController();
    const inbox = new DurableInbox(
      {
        topic,
        context: { listeners, target, report, options: this.#options, signal: closing.signal },
        confirm: (offset) => send(encodeControl("__ack", { topic, offset })),
        onDeadLetter: (event, error) => this.#bury(topic, event, error),
        report,
      },
      after ?? undefined,
    );
    const entry: DurableTopic = { inbox, closing, refusals: 0, timer: undefined };
    this.#topics.set(topic, entry);
    return entry;
  }

  #bury(topic: string, event: DurableEvent, error: unknown): unknown {
    if (this.#options.onDeadLetter) return this.#options.onDeadLetter(topic, event, error);
    this.#context.report(
      new PubSubError("DEAD_LETTER", `event ${event.offset} of "${topic}" was given up`, {
        cause: error,
        hint: "Set durable.onDeadLetter to keep such events",
        details: { topic, offset: event.offset },
      }),
      "a durable topic",
    );
    return undefined;
  }
}
