import type { PubSubErrorHandler, TypedEventTarget } from "../event-target.ts";
import type { DurableServerOptions } from "./durable-subscriptions.ts";
import type { ServerSocket, WebSocketConnection } from "./websocket-connection.ts";

/** What a client wants to do, for {@link WebSocketServerOptions.authorize}. */
export interface WebSocketRequest<Context> {
  readonly connection: WebSocketConnection<Context>;
  readonly action: "subscribe" | "publish";
  readonly topic: string;
  /** The consumer name of a durable subscription. */
  readonly consumer?: string | undefined;
}

/** Options of {@link createWebSocketServerEventTarget}. */
export interface WebSocketServerOptions<Context = unknown> {
  /**
   * Whether a connection may subscribe to a topic or publish on it. Default: everything is allowed.
   * Who the client is, the embedder finds out before `addConnection` and gives as the context.
   */
  readonly authorize?: (request: WebSocketRequest<Context>) => boolean;
  /**
   * Topics that are between one client and its connection object alone: their events reach neither other
   * connections, nor the listeners added here, nor `upstream`, and durable subscriptions to them are
   * refused. For calls, for instance. Default: none.
   */
  readonly isPrivate?: (topic: string) => boolean;
  /** Sends events of one connection also to the others that are subscribed. Default false. */
  readonly relay?: boolean;
  /**
   * The target of the rest of the program, for a hub: what clients send is dispatched on it, and topics
   * that clients subscribe to are listened to on it. Every subscriber of a topic gets its events once,
   * the client that sent one too. You close it yourself, after this target. Default: none; then events
   * of clients reach the listeners added here, and clients get what is dispatched here.
   */
  readonly upstream?: TypedEventTarget;
  /** Durable topics, resumed after a reconnect. Default: none; clients that ask for one are refused. */
  readonly durable?: DurableServerOptions;
  /** Bytes waiting for a slow client before it is cut off with code 1013. Default 1,048,576. */
  readonly maxBufferedAmount?: number;
  /** Largest frame taken, in bytes; a larger one ends the connection with code 1009. Default 4,194,304. */
  readonly maxFrameBytes?: number;
  /** Topics one connection may subscribe to. Default 20,000. */
  readonly maxTopics?: number;
  /** Frames one connection may send that are not understood; then it is closed with 1008. Default 100. */
  readonly maxMalformed?: number;
  /** Time between two pings, in milliseconds; a client silent for one is cut off at the next. Default 15,000; 0: never. */
  readonly heartbeatMs?: number;
  readonly onConnection?: (connection: WebSocketConnection<Context>) => void;
  readonly onDisconnection?: (connection: WebSocketConnection<Context>) => void;
  /** Told before a slow client is cut off. */
  readonly onBackpressure?: (connection: WebSocketConnection<Context>, bytes: number) => void;
  /** Gets what listeners throw and what sockets and sources report. Default: warnings, or uncaught. */
  readonly onError?: PubSubErrorHandler;
}

/** Counters of a server target. */
export interface WebSocketServerStats {
  readonly connections: number;
  /** Topics with at least one subscribed connection. */
  readonly topics: number;
  /** Since the start: frames not understood, clients cut off as too slow, clients cut off as dead. */
  readonly malformed: number;
  readonly slow: number;
  readonly dead: number;
}

/** The hub's side: one target over many connections. */
export interface WebSocketServerEventTarget<Context = unknown>
  extends TypedEventTarget,
    AsyncDisposable {
  /**
   * Takes over an open socket, after the embedder has authenticated it.
   *
   * @throws {@link PubSubError} `CLOSED`
   */
  addConnection(
    socket: ServerSocket,
    ...context: unknown extends Context ? [context?: Context] : [context: Context]
  ): WebSocketConnection<Context>;
  /** Ends a connection with code 1000; unknown ones are ignored. */
  removeConnection(socket: ServerSocket): void;
  readonly connections: IterableIterator<WebSocketConnection<Context>>;
  stats(): WebSocketServerStats;
  /** Ends every connection with code 1001; resolves when confirmed offsets are saved. Idempotent. */
  close(): Promise<void>;
}
