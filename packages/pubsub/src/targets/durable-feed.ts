import type { DurableSource } from "./durable-source.ts";
import { encodeEvent } from "./frames.ts";

/** What a {@link DurableFeed} sends to. */
export interface FeedOutlet {
  /** Sends a frame; resolves when the operating system has taken it. */
  send(frame: string): Promise<void>;
  /** Bytes sent and not yet taken by the operating system. */
  readonly bufferedAmount: number;
}

/** Options of a {@link DurableFeed}. */
export interface DurableFeedOptions {
  readonly topic: string;
  readonly consumer: string | undefined;
  /** Events behind this offset are sent. */
  readonly after: number;
  readonly source: DurableSource;
  readonly outlet: FeedOutlet;
  /** Events sent and not confirmed, at most. */
  readonly window: number;
  /** Bytes waiting on the connection beyond which the feed pauses. */
  readonly maxBufferedAmount: number;
  /** Called once when the source fails; the feed has ended then. */
  readonly onError: (error: unknown) => void;
}

/** Events read at once. */
const READ_LIMIT = 64;

/**
 * Sends a durable topic to one connection: what the source has behind an offset, then what comes. It
 * never runs more than a window ahead of the client's confirmations, so a slow client costs no memory.
 */
export class DurableFeed {
  readonly #options: DurableFeedOptions;
  readonly #unwatch: () => void;
  /** Offsets that were sent and not confirmed, in order. */
  #unconfirmed: number[] = [];
  #sentThrough: number;
  #confirmed: number;
  #wake: () => void = () => undefined;
  #news = true;
  #closed = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: DurableFeedOptions) {
    this.#options = options;
    this.#sentThrough = options.after;
    this.#confirmed = options.after;
    this.#unwatch = options.source.watch(options.topic, () => this.#signal());
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  get consumer(): string | undefined {
    return this.#options.consumer;
  }

  /** Offset of the last event that was sent. */
  get sentThrough(): number {
    return this.#sentThrough;
  }

  /** The client has dealt with everything up to the offset. */
  confirm(offset: number): void {
    const { consumer, source, topic } = this.#options;
    if (offset <= this.#confirmed) return;
    this.#confirmed = offset;
    const before = this.#unconfirmed.length;
    this.#unconfirmed = this.#unconfirmed.filter((sent) => sent > offset);
    if (this.#unconfirmed.length < before) this.#signal();
    if (consumer === undefined || source.save === undefined) return;
    this.#saving = this.#saving
      .then(() => source.save?.(consumer, topic, offset))
      .catch((error: unknown) => this.#fail(error));
  }

  /** Stops sending; resolves when the confirmed offsets are saved. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#unwatch();
      this.#wake();
    }
    await this.#saving;
  }

  async #run(): Promise<void> {
    const { source, topic, window } = this.#options;
    while (!this.#closed) {
      const room = window - this.#unconfirmed.length;
      if (room <= 0) {
        await this.#signalled();
        continue;
      }
      this.#news = false;
      const events = await source.read(topic, this.#sentThrough, Math.min(room, READ_LIMIT));
      if (events.length === 0) await this.#signalled();
      for (const event of events) {
        if (this.#closed) return;
        this.#unconfirmed.push(event.offset);
        this.#sentThrough = event.offset;
        await this.#send(encodeEvent(topic, event.detail, event.offset));
      }
    }
  }

  async #send(frame: string): Promise<void> {
    const { outlet, maxBufferedAmount } = this.#options;
    const sent = outlet.send(frame);
    if (outlet.bufferedAmount > maxBufferedAmount) await sent;
    else sent.catch(() => undefined); // a connection that is gone closes the feed by itself
  }

  #signal(): void {
    this.#news = true;
    this.#wake();
  }

  async #signalled(): Promise<void> {
    if (this.#news || this.#closed) {
      this.#news = false;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#news = false;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    void this.close();
    this.#options.onError(error);
  }
}
