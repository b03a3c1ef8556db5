import type { Database } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { JournalEvent } from "./journal-event.ts";

/** What a {@link NoteBuffer} is made of. */
export interface NoteBufferOptions {
  readonly flushMs: number;
  /** Writes what waits, in the open transaction. Returns what to call after its commit. */
  readonly write: (events: readonly JournalEvent[]) => () => void;
  readonly onError: (error: unknown, context: string) => void;
}

/** Events that are written together at once. */
const FULL = 500;
/** Events that wait while the file cannot be written; what comes then is lost, and counted. */
const MOST_WAITING = 100_000;
/** Milliseconds between two tries. */
const RETRY_MS = 250;

/** Events that may be written a little later, many in one commit. */
export class NoteBuffer {
  readonly #client: Database;
  readonly #options: NoteBufferOptions;
  #events: JournalEvent[] = [];
  #lost = 0;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Database, options: NoteBufferOptions) {
    this.#client = client;
    this.#options = options;
  }

  add(events: readonly JournalEvent[]): void {
    if (events.length === 0) return;
    if (this.#events.length >= MOST_WAITING) this.#lost += events.length;
    else this.#events.push(...events);
    this.wake();
    if (this.#events.length >= FULL && !this.#failing) this.#tryFlush();
  }

  /** Something waits to be written. */
  wake(): void {
    const delayMs = this.#failing ? RETRY_MS : this.#options.flushMs;
    this.#timer ??= setTimeout(() => this.#tryFlush(), delayMs);
  }

  /** @throws what the file says; what was to be written waits on */
  flush(): void {
    // what waits has a timer
    if (this.#timer === undefined) return;
    this.#stop();
    const events = this.#events;
    this.#events = [];
    try {
      this.#client.transaction(() => this.#options.write(events))();
    } catch (error) {
      this.#events = [...events, ...this.#events];
      this.wake();
      throw error;
    }
    this.#failing = false;
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#options.onError(eventsLost(lost, this.#client.path), "writing events of calls");
  }

  /** Writes what waits and ends the timer. @throws what the file says */
  close(): void {
    try {
      this.flush();
    } finally {
      this.#stop();
    }
  }

  #tryFlush(): void {
    try {
      // what is written inside somebody's open transaction could be rolled back
      if (!this.#client.inTransaction) this.flush();
    } catch (error) {
      this.#failing = true;
      this.#options.onError(error, "writing events of calls");
    }
    const waits = this.#timer !== undefined;
    this.#stop();
    if (waits && this.#client.open) this.wake();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function eventsLost(lost: number, path: string): StorageError {
  return new StorageError(
    "EVENTS_LOST",
    `${lost} events of calls were lost: "${path}" could not be written, and ${MOST_WAITING} others waited`,
    { hint: "Find out who keeps its write lock, or why its disk is full", details: { lost, path } },
  );
}
