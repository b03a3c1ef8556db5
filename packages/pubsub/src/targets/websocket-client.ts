import { PubSubError, requireInteger } from "../errors.ts";
import type {
  EnvelopeEvent,
  PubSubErrorHandler,
  RemoteEventTarget,
  TypedEventListener,
} from "../event-target.ts";
import { errorReporter } from "../report-error.ts";
import { TopicListeners } from "../topic-listeners.ts";
import { type BackoffOptions, withDeadline } from "./backoff.ts";
import { type ClientSocket, type ConnectionState, ReconnectingSocket } from "./client-socket.ts";
import { type DurableClientOptions, DurableTopics } from "./durable-topics.ts";
import { type ControlPayload, decodeFrame, encodeControl, encodeEvent } from "./frames.ts";

/** Options of {@link createWebSocketClientEventTarget}. */
export interface WebSocketClientOptions {
  /** Where the server listens, `ws://` or `wss://`. A function is asked before every connection, for fresh tokens. */
  readonly url: string | (() => string);
  /**
   * Makes the socket. Default: the platform's `WebSocket` (browsers, Node 22). Give
   * `(url) => new WebSocket(url, { headers })` of the package `ws` to send headers. It may take its time, to
   * get a token for instance; `connectTimeoutMs` counts that.
   */
  readonly createSocket?: (url: string) => ClientSocket | Promise<ClientSocket>;
  /** Waits between connections that fail. Default 100 ms, doubling up to 10,000 ms, spread by half. */
  readonly reconnect?: BackoffOptions;
  /** Topics that are resumed without a gap. Default: none. The server must have them as durable. */
  readonly durable?: DurableClientOptions;
  /** Events kept while there is no connection; one more throws `BUFFER_OVERFLOW`. Default 1,000. */
  readonly maxQueued?: number;
  /** Largest frame the server takes, in bytes; a larger event throws `PAYLOAD_TOO_LARGE`. Default: no limit. */
  readonly maxFrameBytes?: number;
  /** Bytes the socket may hold unsent; more throws `BUFFER_OVERFLOW`. Default 16,777,216. */
  readonly maxBufferedAmount?: number;
  /** Time between two signs of life asked of the server, in milliseconds. Default 15,000; 0: never. */
  readonly heartbeatMs?: number;
  /** How long a connection may take to open, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  readonly onStateChange?: (state: ConnectionState) => void;
  /** Gets lost connections, refusals of the server and what listeners throw. Default: warnings, or uncaught. */
  readonly onError?: PubSubErrorHandler;
}

/**
 * The spoke's side of WebSocket pub/sub. The server is told which topics have listeners; after a lost
 * connection it comes back by itself and subscribes again. Events of other topics than durable ones are
 * delivered at most once: what happens while there is no connection is not repeated.
 *
 * @example
 * ```ts
 * import { createPubSub } from "@alkdev/pubsub";
 * import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
 *
 * const target = createWebSocketClientEventTarget({
 *   url: "ws://127.0.0.1:8080/events",
 *   durable: { consumer: "dashboard:spoke-1:calls" },
 * });
 * const pubsub = createPubSub<{ "call.requested": { requestId: string } }>({ eventTarget: target });
 * const calls = pubsub.subscribe("call.requested", "", { buffer: { overflow: "wait" } });
 * ```
 */
export function createWebSocketClientEventTarget(
  options: WebSocketClientOptions,
): RemoteEventTarget {
  return new ClientTarget(options);
}

/** How long closing waits for listeners at work and for the server to save, in milliseconds. */
const DRAIN_MS = 5_000;

class ClientTarget implements RemoteEventTarget {
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #durable: DurableTopics | undefined;
  readonly #socket: ReconnectingSocket;
  readonly #maxQueued: number;
  readonly #maxBufferedAmount: number;
  readonly #maxFrameBytes: number;
  #queued: string[] = [];
  readonly #settling = new Map<string, { resolve(): void; reject(error: unknown): void }>();
  #nonce = 0;
  /** Set while closing waits for the server. */
  #onLost: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WebSocketClientOptions) {
    const { heartbeatMs = 15_000, connectTimeoutMs = 10_000 } = options;
    this.#maxQueued = options.maxQueued ?? 1_000;
    this.#maxBufferedAmount = options.maxBufferedAmount ?? 16_777_216;
    this.#maxFrameBytes = options.maxFrameBytes ?? Number.MAX_SAFE_INTEGER;
    requireInteger(this.#maxQueued, "maxQueued", 0);
    requireInteger(this.#maxFrameBytes, "maxFrameBytes", 1);
    requireInteger(this.#maxBufferedAmount, "maxBufferedAmount", 1);
    requireInteger(heartbeatMs, "heartbeatMs", 0);
    requireInteger(connectTimeoutMs, "connectTimeoutMs", 1);
    this.#report = errorReporter(options.onError);
    this.#listeners = new TopicListeners({
      name: "the WebSocket client event target",
      onError: options.onError,
      onFirst: (topic) => this.#subscribe(topic),
      onLast: (topic) => this.#unsubscribe(topic),
    });
    this.#durable =
      options.durable &&
      new DurableTopics(options.durable, {
        listeners: this.#listeners,
        target: this,
        report: this.#report,
        send: (text) => this.#socket.send(text),
      });
    const { createSocket = platformSocket, url } = options;
    this.#socket = new ReconnectingSocket({
      createSocket: () => createSocket(typeof url === "function" ? url() : url),
      backoff: options.reconnect ?? {},
      heartbeatMs,
      connectTimeoutMs,
      onOpen: () => this.#onOpen(),
      onText: (text) => this.#onText(text),
      onState: (state) => {
        if (state !== "open") this.#onLost?.();
        options.onStateChange?.(state);
      },
      onError: (error) => this.#report(error, "the WebSocket connection"),
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

  /** @throws {@link PubSubError} `CLOSED`, `INVALID_PAYLOAD`, `PAYLOAD_TOO_LARGE`, `BUFFER_OVERFLOW` */
  dispatchEvent(event: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${event.type}"`);
    const frame = encodeEvent(event.type, event.detail);
    this.#requireSize(frame, event.type);
    const { open, bufferedAmount } = this.#socket;
    if (open ? bufferedAmount > this.#maxBufferedAmount : this.#queued.length >= this.#maxQueued) {
      throw new PubSubError(
        "BUFFER_OVERFLOW",
        open
          ? `${bufferedAmount} bytes wait to be sent to the server`
          : `there is no connection, and ${this.#queued.length} events wait for one`,
        { hint: "Publish slower, or keep the event and try again", details: { topic: event.type } },
      );
    }
    if (open) this.#socket.send(frame);
    else this.#queued.push(frame);
    return true;
  }

  settled(): Promise<void> {
    return this.#listeners.closed ? Promise.resolve() : this.#roundTrip();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#listeners.close();
    if (this.#durable !== undefined) {
      // the server is to have the last confirmations before the connection ends
      const saved = this.#saved(this.#durable);
      await withDeadline(saved, DRAIN_MS);
    }
    this.#socket.close();
    this.#queued = [];
    for (const waiting of this.#settling.values()) {
      waiting.reject(new PubSubError("CLOSED", "the WebSocket client event target was closed"));
    }
    this.#settling.clear();
  }

  async #saved(durable: DurableTopics): Promise<void> {
    await durable.close();
    if (!this.#socket.open) return;
    const lost = new Promise<void>((resolve) => {
      this.#onLost = resolve;
    });
    await Promise.race([this.#roundTrip(), lost]);
  }

  #requireSize(frame: string, topic: string): void {
    const maxFrameBytes = this.#maxFrameBytes;
    if (frame.length * 3 <= maxFrameBytes) return; // at most three bytes per UTF-16 unit
    const bytes = new TextEncoder().encode(frame).length;
    if (bytes <= maxFrameBytes) return;
    throw new PubSubError(
      "PAYLOAD_TOO_LARGE",
      `the event on "${topic}" has ${bytes} bytes; the server takes ${maxFrameBytes}`,
      { details: { topic, bytes, maxFrameBytes } },
    );
  }

  /** Resolves when the server has answered, on this connection or a later one. */
  #roundTrip(): Promise<void> {
    const nonce = `settled-${++this.#nonce}`;
    return new Promise((resolve, reject) => {
      this.#settling.set(nonce, { resolve, reject });
      this.#socket.send(encodeControl("__ping", { nonce }));
    });
  }

  #subscribe(topic: string): void {
    if (this.#durable?.has(topic)) this.#durable.subscribe(topic);
    else this.#socket.send(encodeControl("__subscribe", { topic }));
  }

  #unsubscribe(topic: string): void {
    if (this.#durable?.has(topic)) this.#durable.unsubscribe(topic);
    else this.#socket.send(encodeControl("__unsubscribe", { topic }));
  }

  #onOpen(): void {
    for (const topic of this.#listeners.topics()) this.#subscribe(topic);
    const queued = this.#queued;
    this.#queued = [];
    for (const frame of queued) this.#socket.send(frame);
    for (const nonce of this.#settling.keys()) {
      this.#socket.send(encodeControl("__ping", { nonce }));
    }
  }

  #onText(text: string): void {
    try {
      const frame = decodeFrame(text);
      if (frame.kind === "control") {
        this.#onControl(frame.type, frame.payload);
        return;
      }
      const { topic, detail, offset } = frame.event;
      if (offset !== undefined) this.#durable?.receive(topic, { offset, detail });
      else this.#listeners.dispatch(new CustomEvent(topic, { detail }) as EnvelopeEvent, this);
    } catch (error) {
      this.#report(error, "a frame of the WebSocket server");
    }
  }

  #onControl(type: string, payload: ControlPayload): void {
    if (type === "__pong") {
      const nonce = String(payload.nonce);
      this.#settling.get(nonce)?.resolve();
      this.#settling.delete(nonce);
      return;
    }
    if (type !== "__error") return;
    const { code, message, topic } = payload;
    const taken = code === "CONSUMER_NAME_TAKEN";
    const error = new PubSubError(
      taken ? "CONSUMER_NAME_TAKEN" : "REFUSED",
      `the server answered: ${String(message)}`,
      { details: { code, topic } },
    );
    this.#report(error, "the WebSocket server");
    const mayPass = taken || code === "TRANSPORT";
    if (mayPass && typeof topic === "string") this.#durable?.subscribeLater(topic);
  }
}

function platformSocket(url: string): ClientSocket {
  return new WebSocket(url);
}
