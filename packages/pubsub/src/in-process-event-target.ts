import type {
  EnvelopeEvent,
  LocalEventTarget,
  PubSubErrorHandler,
  TypedEventListener,
} from "./event-target.ts";
import { TopicListeners } from "./topic-listeners.ts";

/** Options of {@link createInProcessEventTarget}. */
export interface InProcessEventTargetOptions {
  /** Gets what a listener throws or rejects with. Default: reported as an uncaught error, as in the DOM. */
  readonly onError?: PubSubErrorHandler;
}

/**
 * A target inside this process: listeners are called before `dispatchEvent` returns, with the very
 * object that was published. Events nobody listens to are gone.
 *
 * @example
 * ```ts
 * import { createInProcessEventTarget, createPubSub } from "@alkdev/pubsub";
 *
 * const target = createInProcessEventTarget({ onError: (error) => process.emitWarning(String(error)) });
 * const pubsub = createPubSub<{ "graph:created": { graphId: string } }>({ eventTarget: target });
 * pubsub.publish("graph:created", "g1", { graphId: "g1" });
 * ```
 */
export function createInProcessEventTarget<TEvent extends Event = EnvelopeEvent>(
  options: InProcessEventTargetOptions = {},
): LocalEventTarget<TEvent> {
  return new InProcessEventTarget<TEvent>(options);
}

class InProcessEventTarget<TEvent extends Event> implements LocalEventTarget<TEvent> {
  readonly #listeners: TopicListeners<TEvent>;

  constructor(options: InProcessEventTargetOptions) {
    this.#listeners = new TopicListeners({
      name: "the in-process event target",
      onError: options.onError,
    });
  }

  addEventListener(
    type: string,
    callback: TypedEventListener<TEvent> | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.#listeners.add(type, callback, options);
  }

  dispatchEvent(event: TEvent): boolean {
    if (this.#listeners.closed) this.#listeners.requireOpen(`dispatch "${event.type}"`);
    this.#listeners.dispatch(event, this);
    return true;
  }

  removeEventListener(type: string, callback: TypedEventListener<TEvent> | null): void {
    this.#listeners.remove(type, callback);
  }

  close(): void {
    this.#listeners.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
