import { PubSubError, requireInteger } from "./errors.ts";

/** An async iterable that holds a source and lets go of it when the iteration ends. */
export interface Subscription<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the iteration and releases the source; idempotent. What is buffered is discarded. */
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): Subscription<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * What happens with an event that arrives while the buffer is full:
 * - `error`: the iteration ends with `BUFFER_OVERFLOW` after what is buffered; nothing is lost unnoticed
 * - `drop-oldest`: the oldest buffered event is discarded; for values where only the newest matter
 * - `drop-newest`: the arriving event is discarded
 * - `wait`: the target is made to wait until you come back for the next event, which also confirms the
 *   last one. Works with the durable targets; others cannot wait, and get `error` when it is full.
 */
export type Overflow = "error" | "drop-oldest" | "drop-newest" | "wait";

/** How many events wait for a consumer that is busy, and what happens with more. */
export interface BufferOptions {
  /** Events kept while you are busy. Default 10,000. Lower it when payloads are large. */
  readonly capacity?: number;
  /** What happens with one more. Default `error`. */
  readonly overflow?: Overflow;
}

/** Default of {@link BufferOptions.capacity}. */
export const DEFAULT_CAPACITY = 10_000;

interface Item<T> {
  readonly value: T;
  /** Tells the source that the value has been dealt with, or that it has not. */
  readonly settle: ((error?: unknown) => void) | undefined;
}

/** A `next()` that waits for its answer. */
interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** A bounded queue between a source that pushes and a consumer that iterates. */
export class BufferedSubscription<T> implements Subscription<T> {
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #onClose: () => void;
  /** Buffered items from `#head` on; compacted now and then, so that taking one costs no copy. */
  #items: Item<T>[] = [];
  #head = 0;
  #readers: Reader<T>[] = [];
  /** The item handed out last, when its source waits for it. */
  #taken: Item<T> | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /** @param onClose called once, when no more values are wanted */
  constructor(options: BufferOptions, onClose: () => void) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#overflow = options.overflow ?? "error";
    this.#onClose = onClose;
    requireInteger(this.#capacity, "buffer.capacity", 1);
  }

  /** How many values wait for the consumer. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether somebody waits for a value now. */
  get wanted(): boolean {
    return this.#readers.length > 0;
  }

  /** Adds a value. With `wait` the promise settles when the consumer has dealt with it. */
  push(value: T): Promise<void> | undefined {
    if (this.#ended) return undefined;
    if (this.size >= this.#capacity && !this.#makeRoom()) return undefined;
    if (this.#overflow !== "wait") {
      this.#add({ value, settle: undefined });
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#add({
        value,
        settle: (error) => (error === undefined ? resolve() : reject(error)),
      });
    });
  }

  /** Ends the sequence after what is buffered, with an error if one is given. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#onClose();
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) this.#answer(reader);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    this.#taken?.settle?.();
    this.#taken = undefined;
    return new Promise((resolve, reject) => {
      const reader: Reader<T> = { resolve, reject };
      if (this.size > 0 || this.#ended) this.#answer(reader);
      else this.#readers.push(reader);
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const unread = [this.#taken, ...this.#items.slice(this.#head)];
    this.#taken = undefined;
    this.#items = [];
    this.#head = 0;
    this.end();
    this.#failure = undefined;
    for (const item of unread) {
      item?.settle?.(new PubSubError("CLOSED", "the subscription ended before the event was read"));
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** @returns whether the arriving value may still be added */
  #makeRoom(): boolean {
    if (this.#overflow === "drop-newest") return false;
    if (this.#overflow === "drop-oldest") {
      this.#take();
      return true;
    }
    const error = new PubSubError(
      "BUFFER_OVERFLOW",
      `a subscriber was more than ${this.#capacity} events behind`,
      {
        hint: "Consume faster, raise buffer.capacity, or choose another buffer.overflow",
        details: { capacity: this.#capacity },
      },
    );
    this.end({ error });
    return false;
  }

  #add(item: Item<T>): void {
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#items.push(item);
      return;
    }
    if (item.settle !== undefined) this.#taken = item;
    reader.resolve({ done: false, value: item.value });
  }

  #answer(reader: Reader<T>): void {
    const item = this.#take();
    if (item !== undefined) {
      if (item.settle !== undefined) this.#taken = item;
      reader.resolve({ done: false, value: item.value });
    } else if (this.#failure !== undefined) {
      reader.reject(this.#failure.error);
      this.#failure = undefined;
    } else {
      reader.resolve({ done: true, value: undefined });
    }
  }

  #take(): Item<T> | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
