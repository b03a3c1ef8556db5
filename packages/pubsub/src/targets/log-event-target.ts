import { PubSubError } from "../errors.ts";
import type {
  EnvelopeEvent,
  PubSubErrorHandler,
  RemoteEventTarget,
  TypedEventListener,
} from "../event-target.ts";
import { errorReporter } from "../report-error.ts";
import { TopicListeners } from "../topic-listeners.ts";
import { backoffMs, pause, withDeadline } from "./backoff.ts";
import { encodeJson } from "./json.ts";
import { deliver, type RedeliveryOptions, requireRedelivery } from "./redelivery.ts";

/** One entry of a durable log, given to this consumer. */
export interface LogEntry {
  readonly topic: string;
  readonly detail: unknown;
  /** Deliveries of it, to any consumer, that ended without confirmation. */
  readonly before: number;
  /** It has been dealt with. */
  confirm(): void;
  /** Puts it among the dead letters and confirms it. */
  bury(error: unknown): Promise<void>;
}

/** What an engine does for a {@link LogEventTarget}. */
export interface LogDriver {
  /** What errors call the target: `the Redis Streams event target`. */
  readonly name: string;
  /**
   * Refuses at once what the engine would never take.
   *
   * @throws {@link PubSubError} `PAYLOAD_TOO_LARGE`
   */
  check?(topic: string, json: string): void;
  /** Resolves when the engine has stored the entry. */
  append(topic: string, json: string): Promise<void>;
  /** Makes sure that what `consume` needs exists at the engine. */
  prepare(): Promise<void>;
  /**
   * Gives entries to `handle`, one after the other, until the signal aborts; first those this consumer
   * was given in an earlier life. Throws when the engine cannot be reached.
   */
  consume(handle: (entry: LogEntry) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Resolves when confirmations are at the engine. */
  flush(): Promise<void>;
  close(): void;
}

/** Options common to the durable targets. */
export interface LogTargetOptions extends RedeliveryOptions {
  /** Gets failures of listeners and of the engine, and dead letters. Default: warnings, or uncaught. */
  readonly onError?: PubSubErrorHandler;
}

/** How long closing waits for a listener at work, in milliseconds. */
const DRAIN_MS = 5_000;

/**
 * A durable target over a log with consumers: it confirms an entry when every listener has settled,
 * gives it again to those that failed, and buries it after `maxDeliveries`. One entry at a time, so the
 * order is kept. It reads from the first listener to the last; entries nobody listens to are confirmed.
 */
export class LogEventTarget implements RemoteEventTarget {
  readonly #driver: LogDriver;
  readonly #options: LogTargetOptions;
  readonly #report: PubSubErrorHandler;
  readonly #listeners: TopicListeners<EnvelopeEvent>;
  readonly #appending = new Set<Promise<void>>();
  #reading: { readonly stop: AbortController; readonly ready: Promise<void> } | undefined;
  /** The end of the last reading; the next one begins behind it. */
  #ended: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(driver: LogDriver, options: LogTargetOptions) {
    requireRedelivery(options);
    this.#driver = driver;
    this.#options = options;
    this.#report = errorReporter(options.onError);
    this.#listeners = new TopicListeners({
      name: driver.name,
      onError: options.onError,
      onFirst: () => this.#start(),
      onLast: () => {
        if (this.#listeners.size === 0) this.#stop();
      },
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

  /** @throws {@link PubSubError} `CLOSED`, `INVALID_PAYLOAD`, `PAYLOAD_TOO_LARGE` */
  dispatchEvent({ type, detail }: EnvelopeEvent): boolean {
    this.#listeners.requireOpen(`dispatch "${type}"`);
    const json = encodeJson(detail, type);
    this.#driver.check?.(type, json);
    const appending = this.#driver.append(type, json).catch((cause) => {
      const error =
        cause instanceof PubSubError
          ? cause
          : new PubSubError("TRANSPORT", `an event on "${type}" could not be stored`, { cause });
      this.#report(error, `dispatching "${type}"`);
      throw error;
    });
    this.#appending.add(appending);
    const done = (): void => void this.#appending.delete(appending);
    appending.then(done, done);
    return true;
  }

  /** Rejects with `TRANSPORT` when an event of the calls so far could not be stored. */
  async settled(): Promise<void> {
    await this.#reading?.ready;
    await Promise.all(this.#appending);
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
    this.#stop();
    await withDeadline(this.#ended, DRAIN_MS);
    await withDeadline(Promise.allSettled(this.#appending), DRAIN_MS);
    await withDeadline(this.#driver.flush(), DRAIN_MS);
    this.#driver.close();
  }

  #start(): void {
    if (this.#reading !== undefined) return;
    const stop = new AbortController();
    let resolveReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => {
      resolveReady = resolve;
    });
    this.#reading = { stop, ready };
    stop.signal.addEventListener("abort", resolveReady, { once: true });
    this.#ended = this.#ended
      // in a later turn: listeners added in this one all hear the first entries
      .then(() => new Promise((resolve) => setImmediate(resolve)))
      .then(() => this.#read(stop.signal, resolveReady));
  }

  #stop(): void {
    this.#reading?.stop.abort();
    this.#reading = undefined;
  }

  async #read(signal: AbortSignal, onReady: () => void): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#driver.prepare();
        onReady();
        await this.#driver.consume(async (entry) => {
          failures = 0;
          await this.#handle(entry, signal);
        }, signal);
      } catch (cause) {
        if (signal.aborted) return;
        const message = `${this.#driver.name} lost its engine and tries again`;
        this.#report(new PubSubError("TRANSPORT", message, { cause }), "reading");
        await pause(backoffMs(failures, this.#options.retry), signal);
      }
    }
  }

  async #handle(entry: LogEntry, signal: AbortSignal): Promise<void> {
    const { topic, detail, before } = entry;
    const { maxDeliveries = 5 } = this.#options;
    if (!this.#listeners.has(topic) && before < maxDeliveries) {
      // what somebody began and left unfinished is kept for who comes back for it
      if (before === 0 && !this.#listeners.closed) entry.confirm();
      return;
    }
    const outcome = await deliver(
      topic,
      detail,
      {
        listeners: this.#listeners,
        target: this,
        options: this.#options,
        report: this.#report,
        signal,
      },
      before,
    );
    if (outcome.kind === "interrupted") return;
    if (outcome.kind === "settled") {
      entry.confirm();
      return;
    }
    await entry.bury(outcome.error);
    this.#report(
      new PubSubError(
        "DEAD_LETTER",
        `an event on "${topic}" was given up after ${outcome.deliveries} deliveries`,
        { cause: outcome.error, details: { topic, deliveries: outcome.deliveries } },
      ),
      `the dead letters of ${this.#driver.name}`,
    );
  }
}
