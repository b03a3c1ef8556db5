import { PubSubError } from "../errors.ts";
import type {
  EnvelopeEvent,
  PubSubErrorHandler,
  TypedEventListener,
  TypedEventTarget,
} from "../event-target.ts";
import { TopicListeners } from "../topic-listeners.ts";
import type { DurableFeed } from "./durable-feed.ts";
import { encodeEvent } from "./frames.ts";

/**
 * What the server needs of a socket. The `WebSocket` of the package `ws`, version 8, is one; so the
 * server target imports no WebSocket library.
 */
export interface ServerSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  /** Bytes sent and not yet taken by the operating system. */
  readonly bufferedAmount: number;
  send(
    data: Uint8Array | string,
    options: { readonly binary: boolean },
    done?: (error?: Error | null) => void,
  ): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(): void;
  on(event: "message", listener: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: "close" | "pong", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/**
 * One client of a WebSocket server target. It is an event target of its own: its listeners hear only
 * this client, and what is dispatched on it goes only to this client, if it is subscribed.
 */
export interface WebSocketConnection<Context = unknown> extends TypedEventTarget {
  /** Number of the connection in this server target, from 1. */
  readonly id: number;
  /** What the embedder gave to `addConnection`: who this is. */
  readonly context: Context;
  readonly socket: ServerSocket;
  /** The topics the client is subscribed to now. */
  readonly topics: IterableIterator<string>;
  /** Frames of this client that were not understood. */
  readonly malformed: number;
  /** Ends the connection. Default code 1000. */
  close(code?: number, reason?: string): void;
}

/** What a {@link ServerConnection} is made of. */
export interface ServerConnectionOptions<Context = unknown> {
  readonly id: number;
  readonly context: Context;
  readonly socket: ServerSocket;
  readonly onError: PubSubErrorHandler;
  /** Sends a live frame with the server's back-pressure rule. */
  readonly send: (frame: string) => void;
}

/** `readyState` of an open socket. */
const OPEN = 1;

/** The server's side of a connection: its topics, its feeds and whether it is alive. */
export class ServerConnection<Context = unknown> implements WebSocketConnection<Context> {
  readonly id: number;
  readonly context: Context;
  readonly socket: ServerSocket;
  readonly #topics = new Map<string, DurableFeed | undefined>();
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #send: (frame: string) => void;
  #lastWork: Promise<void> = Promise.resolve();
  #working = 0;
  #ended: Promise<void> | undefined;
  #malformed = 0;
  /** False from a ping until the client shows a sign of life. */
  #alive = true;

  constructor(options: ServerConnectionOptions<Context>) {
    this.id = options.id;
    this.context = options.context;
    this.socket = options.socket;
    this.#send = options.send;
    this.#listeners = new TopicListeners({
      name: `WebSocket connection ${options.id}`,
      onError: options.onError,
    });
  }

  get topics(): IterableIterator<string> {
    return this.#topics.keys();
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  get malformed(): number {
    return this.#malformed;
  }

  get open(): boolean {
    return this.socket.readyState === OPEN;
  }

  addEventListener(
    type: string,
    callback: TypedEventListener<EnvelopeEvent> | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.#listeners.add(type, callback, options);
  }

  dispatchEvent(event: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${event.type}"`);
    if (this.hasLive(event.type)) this.#send(encodeEvent(event.type, event.detail));
    return true;
  }

  removeEventListener(type: string, callback: TypedEventListener<EnvelopeEvent> | null): void {
    this.#listeners.remove(type, callback);
  }

  close(code = 1_000, reason = ""): void {
    this.socket.close(code, reason);
  }

  /** Gives an event of the client to the listeners of this connection. */
  deliver(event: EnvelopeEvent): void {
    this.#listeners.dispatch(event, this);
  }

  /** Sends a frame, however much is waiting. Resolves when the operating system has taken it. */
  write(frame: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new PubSubError("CLOSED", `WebSocket connection ${this.id} is closed`));
        return;
      }
      this.socket.send(frame, { binary: false }, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Answers a client; a connection that is gone needs no answer. */
  reply(frame: string): void {
    this.write(frame).catch(() => undefined);
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** Whether live events of the topic go to this client; a durable topic comes from its feed. */
  hasLive(topic: string): boolean {
    return this.#topics.has(topic) && this.#topics.get(topic) === undefined;
  }

  feed(topic: string): DurableFeed | undefined {
    return this.#topics.get(topic);
  }

  subscribe(topic: string, feed: DurableFeed | undefined): void {
    this.#topics.set(topic, feed);
  }

  /** Resolves when what the feed has to save is saved. */
  async unsubscribe(topic: string): Promise<void> {
    const feed = this.#topics.get(topic);
    this.#topics.delete(topic);
    await feed?.close();
  }

  /** Runs work after the work given before, at once when there is none left. */
  inOrder(work: () => void | Promise<void>, onError: (error: unknown) => void): void {
    if (this.#working > 0) {
      this.#queue(this.#lastWork.then(work), onError);
      return;
    }
    try {
      const unfinished = work();
      if (unfinished !== undefined) this.#queue(unfinished, onError);
    } catch (error) {
      onError(error);
    }
  }

  /** Counts one more, and returns how many there were. */
  countMalformed(): number {
    this.#malformed += 1;
    return this.#malformed;
  }

  /** Notes a sign of life. */
  seen(): void {
    this.#alive = true;
  }

  /** Pings. Returns false when nothing was heard since the last ping. */
  probe(): boolean {
    if (!this.#alive) return false;
    this.#alive = false;
    if (this.open) this.socket.ping();
    return true;
  }

  /** Lets go of listeners and feeds; resolves when what they have to save is saved. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  #queue(work: Promise<void>, onError: (error: unknown) => void): void {
    this.#working += 1;
    this.#lastWork = work.catch(onError).then(() => {
      this.#working -= 1;
    });
  }

  async #end(): Promise<void> {
    this.#listeners.close();
    await Promise.all([...this.#topics.keys()].map((topic) => this.unsubscribe(topic)));
  }
}
