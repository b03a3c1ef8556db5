import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import { polledSequence, type Sequence } from "../core/polled-sequence.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { ConsumerOffsets } from "./consumer-offsets.ts";
import { isInline, type StreamEvent } from "./stream-event.ts";
import type { CompiledFilter } from "./stream-filter.ts";
import { readBatch } from "./stream-reader.ts";

/** What a subscription needs to know. */
export interface SubscriptionSource<T> {
  readonly topic: string;
  /** Delivers events after this offset. */
  readonly after: number;
  readonly filter: CompiledFilter | undefined;
  readonly signal: AbortSignal | undefined;
  /** `undefined` skips the event. */
  readonly decode: (row: readonly SqlValue[]) => StreamEvent<T> | undefined;
  /** Absent for a reader that saves nothing. */
  readonly progress: ProgressSaver | undefined;
  readonly onClose?: () => void;
}

/** Events read at once. More was not faster. */
const BATCH = 512;

/** Events as they come, starting after `source.after`. */
export function subscription<T>(
  core: Core,
  source: SubscriptionSource<T>,
): Sequence<StreamEvent<T>> {
  const { topic, filter, progress } = source;
  let rows: readonly SqlValue[][] = [];
  let index = 0;
  let through = source.after;
  let delivered: number | undefined;
  let behind = false;

  /** The next event of the batch in memory. */
  const fromBatch = (): StreamEvent<T> | undefined => {
    while (index < rows.length) {
      const row = rows[index++] as SqlValue[];
      const event = source.decode(row);
      if (event !== undefined) {
        delivered = event.offset;
        return event;
      }
    }
    return undefined;
  };

  return polledSequence({
    waiter: core.wake.waiter(topics.stream(topic)),
    signal: source.signal,
    buffered: () => {
      const row = rows[index];
      return row !== undefined && isInline(row);
    },
    poll: () => {
      // asking for the next event says that the one before is processed
      if (delivered !== undefined) progress?.processed(delivered);
      delivered = undefined;
      let event = fromBatch();
      if (event === undefined) {
        // what a filter or a skipped payload left out needs no processing
        progress?.passed(through);
        const batch = readBatch(core, topic, { after: through, limit: BATCH, filter });
        rows = batch.rows;
        index = 0;
        behind = batch.through > through;
        through = batch.through;
        event = fromBatch();
      }
      progress?.saveIfDue();
      return event;
    },
    // a batch in which nothing matched: go on, but let others run first
    timeoutMs: () => (behind ? 1 : progress?.dueInMs()),
    onClose: () => {
      progress?.close();
      source.onClose?.();
    },
  });
}

/** When a subscription saves its offset by itself. */
export interface SavePolicy {
  /** Events; 0: not by count. */
  readonly everyN: number;
  /** 0: not by time. */
  readonly everySeconds: number;
}

/** Saves the offset of one consumer now and then, and never that of an event still in work. */
export class ProgressSaver {
  readonly #core: Core;
  readonly #offsets: ConsumerOffsets;
  readonly #consumer: string;
  readonly #policy: SavePolicy;
  #position: number;
  #saved: number;
  #unsavedEvents = 0;
  #savedAtMs: number;

  constructor(
    core: Core,
    offsets: ConsumerOffsets,
    start: { readonly consumer: string; readonly offset: number; readonly policy: SavePolicy },
  ) {
    this.#core = core;
    this.#offsets = offsets;
    this.#consumer = start.consumer;
    this.#policy = start.policy;
    this.#position = start.offset;
    this.#saved = start.offset;
    this.#savedAtMs = core.nowMs();
  }

  /** The consumer is done with the event at `offset`. */
  processed(offset: number): void {
    this.#position = offset;
    this.#unsavedEvents += 1;
  }

  /** Nothing up to `offset` is left to process. */
  passed(offset: number): void {
    if (offset > this.#position) this.#position = offset;
  }

  saveIfDue(): void {
    const { everyN } = this.#policy;
    const byCount = everyN > 0 && this.#unsavedEvents >= everyN;
    if (byCount || this.dueInMs() === 0) this.#save();
  }

  /** Milliseconds until the next save by time; `undefined` when there is nothing to save. */
  dueInMs(): number | undefined {
    const everyMs = this.#policy.everySeconds * 1_000;
    if (everyMs === 0 || this.#position <= this.#saved) return undefined;
    const elapsed = this.#core.nowMs() - this.#savedAtMs;
    // a clock set back must not postpone the save
    return elapsed < 0 ? 0 : Math.max(0, everyMs - elapsed);
  }

  /** Saves what is processed, unless saving is left to the caller. */
  close(): void {
    const { everyN, everySeconds } = this.#policy;
    if (everyN > 0 || everySeconds > 0) this.#save();
  }

  /** A failed save is reported and tried again when the next one is due: it can only repeat events. */
  #save(): void {
    this.#savedAtMs = this.#core.nowMs();
    this.#unsavedEvents = 0;
    if (this.#position <= this.#saved || this.#core.closed) return;
    try {
      this.#offsets.advance(this.#consumer, this.#position);
      this.#saved = this.#position;
    } catch (error) {
      this.#core.onError(error, `saving the offset of stream consumer "${this.#consumer}"`);
    }
  }
}
