import { PubSubError, requireInteger } from "../errors.ts";
import type { EnvelopeEvent, PubSubErrorHandler, TypedEventListener } from "../event-target.ts";
import { errorReporter } from "../report-error.ts";
import { TopicListeners } from "../topic-listeners.ts";
import { DurableSubscriptions } from "./durable-subscriptions.ts";
import {
  type ControlPayload,
  decodeFrame,
  decodeSubscribe,
  encodeControl,
  encodeEvent,
  isDurable,
  malformed,
  requireTopic,
  type SubscribeRequest,
  type WrappedEvent,
} from "./frames.ts";
import {
  ServerConnection,
  type ServerSocket,
  type WebSocketConnection,
} from "./websocket-connection.ts";
import type {
  WebSocketRequest,
  WebSocketServerEventTarget,
  WebSocketServerOptions,
  WebSocketServerStats,
} from "./websocket-server-options.ts";

/**
 * The server's side of WebSocket pub/sub. What is dispatched goes to the connections subscribed to the
 * topic; listeners get what clients send. Delivery is at most once, and at least once for durable topics.
 *
 * @example
 * ```ts
 * import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
 * import { WebSocketServer } from "ws";
 *
 * const target = createWebSocketServerEventTarget<{ orgId: string }>({
 *   authorize: ({ connection, topic }) => topic.endsWith(`:${connection.context.orgId}`),
 * });
 * const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
 * server.on("connection", (socket) => target.addConnection(socket, { orgId: "org-1" }));
 * ```
 */
export function createWebSocketServerEventTarget<Context = unknown>(
  options: WebSocketServerOptions<Context> = {},
): WebSocketServerEventTarget<Context> {
  return new ServerTarget(options);
}

class ServerTarget<Context> implements WebSocketServerEventTarget<Context> {
  readonly #options: WebSocketServerOptions<Context>;
  readonly #maxBufferedAmount: number;
  readonly #maxFrameBytes: number;
  readonly #maxTopics: number;
  readonly #maxMalformed: number;
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #durable: DurableSubscriptions | undefined;
  readonly #connections = new Map<ServerSocket, ServerConnection<Context>>();
  readonly #subscribers = new Map<string, Set<ServerConnection<Context>>>();
  readonly #heartbeat: NodeJS.Timeout | undefined;
  readonly #forward = (event: EnvelopeEvent): void => this.#fanOut(event.type, event.detail);
  #nextId = 1;
  #malformed = 0;
  #slow = 0;
  #dead = 0;
  #closing: Promise<void> | undefined;

  constructor(options: WebSocketServerOptions<Context>) {
    const { heartbeatMs = 15_000 } = options;
    this.#options = options;
    this.#maxBufferedAmount = options.maxBufferedAmount ?? 1_048_576;
    this.#maxFrameBytes = options.maxFrameBytes ?? 4_194_304;
    this.#maxTopics = options.maxTopics ?? 20_000;
    this.#maxMalformed = options.maxMalformed ?? 100;
    requireInteger(this.#maxBufferedAmount, "maxBufferedAmount", 1);
    requireInteger(this.#maxFrameBytes, "maxFrameBytes", 1);
    requireInteger(this.#maxTopics, "maxTopics", 1);
    requireInteger(this.#maxMalformed, "maxMalformed", 1);
    requireInteger(heartbeatMs, "heartbeatMs", 0);
    this.#report = errorReporter(options.onError);
    this.#listeners = new TopicListeners({
      name: "the WebSocket server event target",
      onError: options.onError,
    });
    this.#durable =
      options.durable &&
      new DurableSubscriptions(options.durable, this.#maxBufferedAmount, this.#report);
    if (heartbeatMs > 0) {
      this.#heartbeat = setInterval(() => this.#probeAll(), heartbeatMs);
      this.#heartbeat.unref();
    }
  }

  get connections(): IterableIterator<WebSocketConnection<Context>> {
    return this.#connections.values();
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

  dispatchEvent(event: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${event.type}"`);
    this.#fanOut(event.type, event.detail);
    return true;
  }

  addConnection(socket: ServerSocket, context?: Context): WebSocketConnection<Context> {
    this.#listeners.requireOpen("add a connection");
    if (socket.readyState !== 1) {
      throw new PubSubError("CLOSED", "cannot add a connection: the socket is not open");
    }
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const connection: ServerConnection<Context> = new ServerConnection({
      id: this.#nextId++,
      context: context as Context,
      socket,
      onError: this.#report,
      send: (frame) => this.#send(connection, frame),
    });
    this.#connections.set(socket, connection);
    socket.on("message", (data, isBinary) => this.#onMessage(connection, data, isBinary));
    socket.on("pong", () => connection.seen());
    socket.on("error", (error) => {
      this.#report(
        new PubSubError("TRANSPORT", `WebSocket connection ${connection.id}: ${error.message}`, {
          cause: error,
        }),
        "a WebSocket connection",
      );
    });
    socket.on("close", () => void this.#forget(connection));
    this.#options.onConnection?.(connection);
    return connection;
  }

  removeConnection(socket: ServerSocket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.close();
    void this.#forget(connection);
  }

  stats(): WebSocketServerStats {
    return {
      connections: this.#connections.size,
      topics: this.#subscribers.size,
      malformed: this.#malformed,
      slow: this.#slow,
      dead: this.#dead,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#listeners.close();
    const connections = [...this.#connections.values()];
    for (const connection of connections) connection.close(1_001, "the server closes");
    await Promise.all(connections.map((connection) => this.#forget(connection)));
    for (const topic of [...this.#subscribers.keys()]) this.#dropTopic(topic);
  }

  #fanOut(topic: string, detail: unknown, except?: ServerConnection<Context>): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return;
    let frame: Uint8Array | undefined; // encoded once for all
    for (const connection of subscribers) {
      if (connection === except) continue;
      frame ??= Buffer.from(encodeEvent(topic, detail));
      this.#send(connection, frame);
    }
  }

  #send(connection: ServerConnection<Context>, frame: Uint8Array | string): void {
    if (!connection.open) return;
    const waiting = connection.socket.bufferedAmount;
    if (waiting <= this.#maxBufferedAmount) {
      connection.socket.send(frame, { binary: false });
      return;
    }
    this.#slow += 1;
    this.#options.onBackpressure?.(connection, waiting);
    connection.close(1_013, "too slow");
    void this.#forget(connection);
  }

  #onMessage(connection: ServerConnection<Context>, data: unknown, isBinary: boolean): void {
    connection.seen();
    if (!connection.open || !this.#connections.has(connection.socket)) return; // it is being closed
    try {
      if (isBinary || !Buffer.isBuffer(data)) throw malformed("it is binary");
      if (data.length > this.#maxFrameBytes) {
        connection.close(1_009, `frames may have ${this.#maxFrameBytes} bytes`);
        throw malformed(`it has ${data.length} bytes, more than ${this.#maxFrameBytes}`);
      }
      const frame = decodeFrame(data.toString("utf8"));
      if (frame.kind === "control") this.#onControl(connection, frame.type, frame.payload);
      else {
        // behind the subscriptions sent before it: an answer must find them
        this.#inOrder(connection, undefined, () => this.#onEvent(connection, frame.event));
      }
    } catch (error) {
      this.#refuse(connection, error);
    }
  }

  #onEvent(connection: ServerConnection<Context>, { topic, detail }: WrappedEvent): void {
    this.#requireAllowed({ connection, action: "publish", topic });
    const event = new CustomEvent(topic, { detail }) as EnvelopeEvent;
    connection.deliver(event);
    if (this.#isPrivate(topic)) return;
    this.#listeners.dispatch(event, this);
    if (this.#options.upstream !== undefined) this.#options.upstream.dispatchEvent(event);
    else if (this.#options.relay) this.#fanOut(topic, detail, connection);
  }

  #onControl(connection: ServerConnection<Context>, type: string, payload: ControlPayload): void {
    switch (type) {
      case "__subscribe": {
        const request = decodeSubscribe(payload);
        const { topic, consumer } = request;
        this.#requireAllowed({ connection, action: "subscribe", topic, consumer });
        this.#inOrder(connection, topic, () => this.#subscribe(connection, request));
        return;
      }
      case "__unsubscribe": {
        const topic = requireTopic(payload.topic);
        this.#inOrder(connection, topic, () => this.#unsubscribe(connection, topic));
        return;
      }
      case "__ack":
        this.#durable?.confirm(connection, requireTopic(payload.topic), payload.offset);
        return;
      case "__ping": {
        const pong = encodeControl("__pong", { nonce: payload.nonce });
        this.#inOrder(connection, undefined, () => connection.reply(pong));
        return;
      }
      default:
        throw malformed(`"${type}" is no control message`);
    }
  }

  /** Runs the work of a control message after that of those before it. */
  #inOrder(
    connection: ServerConnection<Context>,
    topic: string | undefined,
    work: () => void | Promise<void>,
  ): void {
    connection.inOrder(work, (error) => this.#refuse(connection, error, topic));
  }

  #subscribe(
    connection: ServerConnection<Context>,
    request: SubscribeRequest,
  ): void | Promise<void> {
    const { topic } = request;
    if (!this.#connections.has(connection.socket)) return undefined;
    if (connection.topicCount >= this.#maxTopics && !connection.has(topic)) {
      throw new PubSubError("REFUSED", `a connection may have ${this.#maxTopics} topics`);
    }
    const isPrivate = this.#isPrivate(topic);
    if (isDurable(request)) {
      if (this.#durable === undefined || isPrivate) {
        throw new PubSubError("REFUSED", `"${topic}" is not durable on this server`);
      }
      this.#removeSubscriber(connection, topic);
      return this.#durable.subscribe(connection, request);
    }
    if (!isPrivate) this.#addSubscriber(connection, topic);
    connection.subscribe(topic, undefined);
    return undefined;
  }

  #addSubscriber(connection: ServerConnection<Context>, topic: string): void {
    let subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) {
      this.#options.upstream?.addEventListener(topic, this.#forward);
      subscribers = new Set();
      this.#subscribers.set(topic, subscribers);
    }
    subscribers.add(connection);
  }

  #unsubscribe(connection: ServerConnection<Context>, topic: string): Promise<void> {
    this.#durable?.release(connection, topic);
    this.#removeSubscriber(connection, topic);
    return connection.unsubscribe(topic);
  }

  #removeSubscriber(connection: ServerConnection<Context>, topic: string): void {
    const subscribers = this.#subscribers.get(topic);
    subscribers?.delete(connection);
    if (subscribers?.size === 0) this.#dropTopic(topic);
  }

  #dropTopic(topic: string): void {
    if (this.#subscribers.delete(topic)) {
      this.#options.upstream?.removeEventListener(topic, this.#forward);
    }
  }

  #isPrivate(topic: string): boolean {
    return this.#options.isPrivate?.(topic) === true;
  }

  /** @throws {@link PubSubError} `REFUSED` */
  #requireAllowed(request: WebSocketRequest<Context>): void {
    if (this.#options.authorize === undefined || this.#options.authorize(request)) return;
    throw new PubSubError("REFUSED", `not allowed to ${request.action} "${request.topic}"`, {
      details: { topic: request.topic },
    });
  }

  /** Answers a client whose frame could not be done. */
  #refuse(connection: ServerConnection<Context>, error: unknown, topic?: string): void {
    if (!(error instanceof PubSubError)) {
      this.#report(error, `a frame of WebSocket connection ${connection.id}`);
      const message = "the server failed; try again";
      connection.reply(encodeControl("__error", { code: "TRANSPORT", message, topic }));
      return;
    }
    const { code, message } = error;
    connection.reply(encodeControl("__error", { code, message, topic }));
    if (code !== "MALFORMED_FRAME") return;
    this.#malformed += 1;
    if (connection.countMalformed() < this.#maxMalformed) return;
    connection.close(1_008, "too many malformed frames");
    void this.#forget(connection);
  }

  #probeAll(): void {
    for (const connection of this.#connections.values()) {
      if (connection.probe()) continue;
      this.#dead += 1;
      connection.socket.terminate();
      void this.#forget(connection);
    }
  }

  /** Lets go of a connection; once, whoever noticed first that it is over. */
  async #forget(connection: ServerConnection<Context>): Promise<void> {
    if (!this.#connections.delete(connection.socket)) return;
    for (const topic of connection.topics) this.#removeSubscriber(connection, topic);
    this.#options.onDisconnection?.(connection);
    await connection.end();
    this.#durable?.releaseAll(connection);
  }
}
