import { PubSubError } from "./errors.ts";
import type { PubSubErrorHandler, TypedEventListener } from "./event-target.ts";
import { errorReporter } from "./report-error.ts";

/** Options of {@link TopicListeners}. */
export interface TopicListenersOptions {
  /** What closed errors call the target: `the Redis event target`. */
  readonly name: string;
  /** Gets what a listener throws or rejects with. Default: reported as an uncaught error. */
  readonly onError?: PubSubErrorHandler | undefined;
  /** Called when a topic gets its first listener, to take the transport's subscription. */
  readonly onFirst?: (topic: string) => void;
  /** Called when a topic loses its last listener, to release the transport's subscription. */
  readonly onLast?: (topic: string) => void;
}

/** One registration of a callback on a topic. */
interface Registration<TEvent extends Event> {
  readonly callback: TypedEventListener<TEvent>;
  readonly once: boolean;
  /** Grows with every registration; a dispatch calls only those older than itself. */
  readonly order: number;
  /** False once it is removed. */
  active: boolean;
  /** Stops watching the signal it was added with. */
  unwatch: (() => void) | undefined;
}

/** A callback that failed on an event, and what it threw. */
export interface ListenerFailure<TEvent extends Event> {
  readonly registration: Registration<TEvent>;
  readonly error: unknown;
}

type TopicRegistrations<TEvent extends Event> = Map<
  TypedEventListener<TEvent>,
  Registration<TEvent>
>;

/**
 * The listeners of a target, by topic, with the DOM's rules: a callback registers once per topic, one
 * added during a dispatch is not called by it, one removed during a dispatch is not called any more,
 * `once` and `signal` work, and what one throws reaches neither another nor the dispatcher. Every
 * target is built on it.
 */
export class TopicListeners<TEvent extends Event> {
  readonly #topics = new Map<string, TopicRegistrations<TEvent>>();
  readonly #name: string;
  readonly #report: PubSubErrorHandler;
  readonly #onFirst: ((topic: string) => void) | undefined;
  readonly #onLast: ((topic: string) => void) | undefined;
  #registered = 0;
  #closed = false;

  constructor(options: TopicListenersOptions) {
    this.#name = options.name;
    this.#report = errorReporter(options.onError);
    this.#onFirst = options.onFirst;
    this.#onLast = options.onLast;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How many topics have listeners now. */
  get size(): number {
    return this.#topics.size;
  }

  /** The topics that have listeners now. */
  topics(): IterableIterator<string> {
    return this.#topics.keys();
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** @throws {@link PubSubError} `CLOSED` after `close()` */
  requireOpen(action: string): void {
    if (!this.#closed) return;
    throw new PubSubError("CLOSED", `cannot ${action}: ${this.#name} is closed`);
  }

  /**
   * Registers a callback.
   *
   * @throws {@link PubSubError} `CLOSED`
   */
  add(
    topic: string,
    callback: TypedEventListener<TEvent> | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.requireOpen(`listen to "${topic}"`);
    if (callback === null || callback === undefined) return;
    const { once = false, signal } = typeof options === "object" ? options : {};
    if (signal?.aborted) return;
    let registrations = this.#topics.get(topic);
    if (registrations?.has(callback)) return;
    const first = registrations === undefined;
    if (registrations === undefined) {
      registrations = new Map();
      this.#topics.set(topic, registrations);
    }
    this.#registered += 1;
    const registration: Registration<TEvent> = {
      callback,
      once,
      order: this.#registered,
      active: true,
      unwatch: undefined,
    };
    registrations.set(callback, registration);
    if (signal) {
      const onAbort = (): void => this.#remove(topic, registration);
      signal.addEventListener("abort", onAbort, { once: true });
      registration.unwatch = () => signal.removeEventListener("abort", onAbort);
    }
    if (first) this.#onFirst?.(topic);
  }

  /** Removes a callback; unknown ones are ignored. */
  remove(topic: string, callback: TypedEventListener<TEvent> | null): void {
    if (callback === null) return;
    const registration = this.#topics.get(topic)?.get(callback);
    if (registration !== undefined) this.#remove(topic, registration);
  }

  /** Calls the listeners of the event's type, in the order they were added. */
  dispatch(event: TEvent, target: unknown): void {
    const registrations = this.#topics.get(event.type);
    if (registrations === undefined) return;
    const newest = this.#registered;
    const stopped = registrations.size > 1 ? watchForStop(event) : never;
    for (const registration of registrations.values()) {
      if (registration.order > newest) return;
      this.#call(registration, event, target);
      if (stopped()) return;
    }
  }

  /**
   * Calls the listeners and waits for the promises they return: for targets that confirm an event
   * only when it has been dealt with. Returns those that failed; give them as `only` to try again.
   */
  async settle(
    event: TEvent,
    target: unknown,
    only?: readonly ListenerFailure<TEvent>[],
  ): Promise<readonly ListenerFailure<TEvent>[]> {
    const failures: ListenerFailure<TEvent>[] = [];
    const running: Promise<void>[] = [];
    const stopped = watchForStop(event);
    const registrations =
      only === undefined
        ? [...(this.#topics.get(event.type)?.values() ?? [])]
        : only.map((failure) => failure.registration);
    for (const registration of registrations) {
      // a `once` listener is removed by its first call and still has to be tried again
      if (!registration.active && !(only !== undefined && registration.once)) continue;
      if (registration.once) this.#remove(event.type, registration);
      running.push(
        invoke(registration.callback, event, target).catch((error: unknown) => {
          failures.push({ registration, error });
        }),
      );
      if (stopped()) break;
    }
    await Promise.all(running);
    return failures;
  }

  /** Removes every listener without calling `onLast`: the target releases its transport as a whole. */
  close(): void {
    this.#closed = true;
    for (const registrations of this.#topics.values()) {
      for (const registration of registrations.values()) release(registration);
      registrations.clear();
    }
    this.#topics.clear();
  }

  #remove(topic: string, registration: Registration<TEvent>): void {
    if (!registration.active) return;
    release(registration);
    const registrations = this.#topics.get(topic);
    registrations?.delete(registration.callback);
    if (registrations === undefined || registrations.size > 0) return;
    this.#topics.delete(topic);
    this.#onLast?.(topic);
  }

  #call(registration: Registration<TEvent>, event: TEvent, target: unknown): void {
    const { callback } = registration;
    if (registration.once) this.#remove(event.type, registration);
    try {
      const result: unknown =
        typeof callback === "function" ? callback.call(target, event) : callback.handleEvent(event);
      if (isThenable(result)) {
        result.then(undefined, (error: unknown) => {
          if (!isGivenBack(error)) this.#report(error, where(event));
        });
      }
    } catch (error) {
      this.#report(error, where(event));
    }
  }
}

function release(registration: Pick<Registration<never>, "active" | "unwatch">): void {
  registration.active = false;
  registration.unwatch?.();
}

async function invoke<TEvent extends Event>(
  callback: TypedEventListener<TEvent>,
  event: TEvent,
  target: unknown,
): Promise<void> {
  if (typeof callback === "function") await callback.call(target, event);
  else await callback.handleEvent(event);
}

/** Whether it is the way a subscription says that it ended before it read the event. */
export function isGivenBack(error: unknown): boolean {
  return error instanceof PubSubError && error.code === "CLOSED";
}

function where(event: Event): string {
  return `a listener of "${event.type}"`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function"
  );
}

function never(): boolean {
  return false;
}

/** The platform keeps the "stop" flag of an event to itself, so the method is watched instead. */
function watchForStop(event: Event): () => boolean {
  let stopped = false;
  event.stopImmediatePropagation = () => {
    stopped = true;
    Event.prototype.stopImmediatePropagation.call(event);
  };
  return () => stopped;
}
