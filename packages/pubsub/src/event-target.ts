import type { EventEnvelope } from "./envelope.ts";

/** The event a target delivers: its `type` is the topic, its `detail` the envelope. */
export type EnvelopeEvent<Envelope extends EventEnvelope = EventEnvelope> = CustomEvent<Envelope>;

/** A listener: a function, or an object with `handleEvent`, as in the DOM. */
export type TypedEventListener<TEvent extends Event> =
  | ((event: TEvent) => unknown)
  | { handleEvent(event: TEvent): unknown };

/**
 * Where events go through. The three methods are those of the DOM's `EventTarget`, and `type` is the
 * topic (`type:id`). Every transport of this package is one, and so is a bare `new EventTarget()`.
 *
 * A target holds its transport's subscription of a topic from the first listener to the last.
 */
export interface TypedEventTarget<TEvent extends Event = EnvelopeEvent> {
  /** Starts calling `callback` for each event of the topic. `null` is a no-op; a callback registers once. */
  addEventListener(
    type: string,
    callback: TypedEventListener<TEvent> | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  /** Sends an event. Returns true: events of this package cannot be cancelled. */
  dispatchEvent(event: TEvent): boolean;
  /** Stops calling `callback` for the topic, at once. */
  removeEventListener(
    type: string,
    callback: TypedEventListener<TEvent> | null,
    options?: EventListenerOptions | boolean,
  ): void;
}

/** A target that lives in this process and must be closed by whoever made it. */
export interface LocalEventTarget<TEvent extends Event = EnvelopeEvent>
  extends TypedEventTarget<TEvent>,
    Disposable {
  /** Removes every listener; idempotent. Afterwards adding and dispatching throw `CLOSED`. */
  close(): void;
}

/** A target over a transport that takes time. */
export interface RemoteEventTarget<TEvent extends Event = EnvelopeEvent>
  extends TypedEventTarget<TEvent>,
    AsyncDisposable {
  /**
   * Resolves when the other side knows every listener and has every event of the calls so far. Not
   * needed to use a target; for a test, or before telling somebody "I am listening now".
   */
  settled(): Promise<void>;
  /** Releases the transport's subscriptions; idempotent. Afterwards adding and dispatching throw `CLOSED`. */
  close(): Promise<void>;
}

/** Called with what a listener threw or a transport lost, and where. */
export type PubSubErrorHandler = (error: unknown, context: string) => void;
