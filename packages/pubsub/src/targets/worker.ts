import { parentPort } from "node:worker_threads";
import { PubSubError } from "../errors.ts";
import type {
  EnvelopeEvent,
  PubSubErrorHandler,
  RemoteEventTarget,
  TypedEventListener,
} from "../event-target.ts";
import { TopicListeners } from "../topic-listeners.ts";

/** One end of a channel between threads: a `Worker`, `parentPort` or a `MessagePort` of `node:worker_threads`. */
export interface ThreadPort {
  postMessage(value: unknown): void;
  on(event: "message", listener: (value: unknown) => void): unknown;
  off(event: "message", listener: (value: unknown) => void): unknown;
  /** `exit` comes from a `Worker`, `close` from a port. */
  once(event: "exit" | "close", listener: () => void): unknown;
}

/** Options of the worker targets. */
export interface WorkerEventTargetOptions {
  /** Gets what listeners throw. Default: uncaught, as in the DOM. */
  readonly onError?: PubSubErrorHandler;
}

/**
 * The main thread's side of pub/sub with one worker thread. Events cross only while the other side
 * listens to their topic. Delivery is at most once; order is kept. The worker is not ended by `close()`.
 *
 * @example
 * ```ts
 * import { Worker } from "node:worker_threads";
 * import { createPubSub } from "@alkdev/pubsub";
 * import { createWorkerHostEventTarget } from "@alkdev/pubsub/worker";
 *
 * const worker = new Worker(new URL("./projector.js", import.meta.url));
 * const pubsub = createPubSub<{ progress: number }>({
 *   eventTarget: createWorkerHostEventTarget(worker),
 * });
 * ```
 */
export function createWorkerHostEventTarget(
  worker: ThreadPort,
  options: WorkerEventTargetOptions = {},
): RemoteEventTarget {
  return new PortEventTarget(worker, "the worker host event target", options);
}

/**
 * The worker thread's side. The thread stays alive until it is closed.
 *
 * @param port default: `parentPort`
 * @throws {@link PubSubError} `INVALID_ARGUMENT` outside of a worker thread when no port is given
 */
export function createWorkerThreadEventTarget(
  port: ThreadPort | null = parentPort,
  options: WorkerEventTargetOptions = {},
): RemoteEventTarget {
  if (port === null) {
    throw new PubSubError("INVALID_ARGUMENT", "this is not a worker thread, and no port was given");
  }
  return new PortEventTarget(port, "the worker thread event target", options);
}

/** Marks our messages among those the embedder sends over the same port. */
const MARK = "@alkdev/pubsub";

interface PortMessage {
  readonly mark: typeof MARK;
  /** `hello` is sent by a new end, `bye` by one that closes. */
  readonly kind: "hello" | "bye" | "subscribe" | "unsubscribe" | "event" | "ping" | "pong";
  readonly topic?: string;
  readonly detail?: unknown;
  readonly nonce?: number;
}

class PortEventTarget implements RemoteEventTarget {
  readonly #port: ThreadPort;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  /** Topics the other side listens to. */
  readonly #wanted = new Set<string>();
  readonly #settling = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  readonly #onMessage = (value: unknown): void => this.#receive(value);
  #nonce = 0;
  #gone = false;

  constructor(port: ThreadPort, name: string, { onError }: WorkerEventTargetOptions) {
    this.#port = port;
    this.#listeners = new TopicListeners({
      name,
      onError,
      onFirst: (topic) => this.#post({ kind: "subscribe", topic }),
      onLast: (topic) => this.#post({ kind: "unsubscribe", topic }),
    });
    port.on("message", this.#onMessage);
    port.once("exit", () => this.#lost());
    port.once("close", () => this.#lost());
    this.#post({ kind: "hello" });
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

  /** @throws {@link PubSubError} `CLOSED`; `INVALID_PAYLOAD` for what cannot be cloned */
  dispatchEvent({ type, detail }: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${type}"`);
    if (!this.#wanted.has(type)) return true;
    try {
      this.#post({ kind: "event", topic: type, detail });
    } catch (cause) {
      throw new PubSubError("INVALID_PAYLOAD", `an event on "${type}" cannot be cloned`, { cause });
    }
    return true;
  }

  /** Rejects with `TRANSPORT` when the other thread has ended. */
  async settled(): Promise<void> {
    if (this.#listeners.closed) return;
    if (this.#gone) throw gone();
    const nonce = ++this.#nonce;
    await new Promise<void>((resolve, reject) => {
      this.#settling.set(nonce, { resolve, reject });
      this.#post({ kind: "ping", nonce });
    });
  }

  async close(): Promise<void> {
    if (this.#listeners.closed) return;
    this.#listeners.close();
    this.#port.off("message", this.#onMessage);
    this.#post({ kind: "bye" });
    this.#rejectSettling(new PubSubError("CLOSED", "the event target was closed"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The other thread has ended: nobody listens there any more. */
  #lost(): void {
    this.#gone = true;
    this.#wanted.clear();
    this.#rejectSettling(gone());
  }

  #rejectSettling(error: PubSubError): void {
    for (const waiting of this.#settling.values()) waiting.reject(error);
    this.#settling.clear();
  }

  #post(message: Omit<PortMessage, "mark">): void {
    this.#port.postMessage({ mark: MARK, ...message });
  }

  #receive(value: unknown): void {
    if (!isPortMessage(value)) return;
    const { kind, topic = "", detail, nonce = 0 } = value;
    switch (kind) {
      case "hello":
        // the other end is new, or was there before us: it does not know what we listen to
        this.#wanted.clear();
        for (const each of this.#listeners.topics()) this.#post({ kind: "subscribe", topic: each });
        return;
      case "bye":
        this.#wanted.clear();
        return;
      case "subscribe":
        this.#wanted.add(topic);
        return;
      case "unsubscribe":
        this.#wanted.delete(topic);
        return;
      case "event":
        this.#listeners.dispatch(new CustomEvent(topic, { detail }) as EnvelopeEvent, this);
        return;
      case "ping":
        this.#post({ kind: "pong", nonce });
        return;
      case "pong":
        this.#settling.get(nonce)?.resolve();
        this.#settling.delete(nonce);
    }
  }
}

function gone(): PubSubError {
  return new PubSubError("TRANSPORT", "the other thread has ended");
}

function isPortMessage(value: unknown): value is PortMessage {
  return typeof value === "object" && value !== null && (value as PortMessage).mark === MARK;
}
