import type { PubSubErrorHandler } from "../event-target.ts";
import type { DurableEvent } from "./durable-source.ts";
import { type DeliveryContext, deliver } from "./redelivery.ts";

/** Options of a {@link DurableInbox}. */
export interface DurableInboxOptions {
  readonly topic: string;
  readonly context: DeliveryContext;
  /** Sends the confirmation of everything up to an offset. */
  readonly confirm: (offset: number) => void;
  /** Gets an event that failed too often; it is confirmed when this has settled. */
  readonly onDeadLetter: (event: DurableEvent, error: unknown) => unknown;
  readonly report: PubSubErrorHandler;
}

/** Confirm at the latest after this many events, and this many milliseconds after one was done. */
const CONFIRM_EVERY = 32;
const CONFIRM_AFTER_MS = 100;

/**
 * The client's side of one durable topic: takes events in order, each once, gives them to the listeners
 * one after the other and confirms those that were dealt with. It outlives connections: what it has
 * received and not finished is not asked for again.
 */
export class DurableInbox {
  readonly #options: DurableInboxOptions;
  #queue: DurableEvent[] = [];
  #received: number | undefined;
  #finished: number | undefined;
  #unconfirmed = 0;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  /** @param after the offset behind which it starts, if that is known */
  constructor(options: DurableInboxOptions, after?: number) {
    this.#options = options;
    this.#received = after;
    this.#finished = after;
  }

  /** Offset of the newest event it has; the server goes on behind it. */
  get received(): number | undefined {
    return this.#received;
  }

  /** Takes an event; one it already has is ignored. */
  receive(event: DurableEvent): void {
    if (this.#closed || (this.#received !== undefined && event.offset <= this.#received)) return;
    this.#received = event.offset;
    this.#queue.push(event);
    // begun in a later turn, so that a listener that leaves while it is called finds it working
    this.#working ??= Promise.resolve()
      .then(() => this.#work())
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** Confirms again what was confirmed on a connection that may not have carried it. */
  confirmAgain(): void {
    this.#confirm();
  }

  /** The last event that was dealt with. */
  get finished(): number | undefined {
    return this.#finished;
  }

  /** Takes no more. Resolves when the event being worked on is done, and confirmed if it went well. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue = [];
    await this.#working;
    this.#confirm();
  }

  async #work(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      if (!(await this.#handle(event))) return;
      this.#finished = event.offset;
      this.#unconfirmed += 1;
      if (this.#queue.length === 0 || this.#unconfirmed >= CONFIRM_EVERY) this.#confirm();
      else this.#timer ??= setTimeout(() => this.#confirm(), CONFIRM_AFTER_MS);
    }
  }

  /** @returns whether the event has been dealt with */
  async #handle(event: DurableEvent): Promise<boolean> {
    const { topic, context, onDeadLetter, report } = this.#options;
    const { offset, detail } = event;
    const outcome = await deliver(topic, detail, { ...context, offset });
    if (outcome.kind === "interrupted") return false;
    if (outcome.kind === "settled") return true;
    try {
      await onDeadLetter(event, outcome.error);
    } catch (error) {
      report(error, `the dead letters of "${topic}"`);
    }
    return true;
  }

  #confirm(): void {
    if (this.#finished !== undefined) this.#options.confirm(this.#finished);
    this.#unconfirmed = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
