import type { StandardSchemaV1 } from "../core/standard-schema.ts";
import type { StreamFilter } from "./stream-filter.ts";
import type { StreamRetention } from "./stream-retention.ts";

/** Options of `db.stream()`. Give every user of one stream the same ones. */
export interface StreamOptions<T = unknown> {
  /**
   * Checks payloads when they are published and again when they are read; any Standard Schema
   * validator (zod, valibot, arktype). It must be synchronous and accept what it returns. Default none.
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /**
   * Turns a stored payload into today's shape before it is checked, so that old events stay readable.
   * Called for every event that is read. Default none.
   */
  readonly upcast?: (payload: unknown, event: UpcastEvent) => unknown;
  /**
   * What happens to an event that is read and whose payload does not fit. Default `"throw"`: the
   * reader ends with `INVALID_PAYLOAD`. `"dead-letter"`: a subscription puts it aside for
   * `deadLetters(consumer)` and goes on. `"skip"`: it is reported to `onError` and left out. Groups
   * always use their dead letters, unless it is `"skip"`.
   */
  readonly onInvalid?: InvalidPayloadPolicy;
  /** What is kept; applied by itself while this process publishes. Default everything. */
  readonly retention?: StreamRetention;
  /** Seconds, default 120: how long a `messageId` is remembered. Raise it for slow publishers. */
  readonly dedupeWindowSeconds?: number;
}

/** What to do with an event whose payload does not fit its schema. */
export type InvalidPayloadPolicy = "throw" | "dead-letter" | "skip";

/** What `upcast` knows of an event. */
export interface UpcastEvent {
  readonly offset: number;
  readonly key: string | null;
  readonly subject: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** Where a subscription begins. Events after an offset, or published at a time or later. */
export type StreamStart = "saved" | "start" | "end" | number | Date;

/** Options of `tail()`. */
export interface TailOptions {
  /** Default `"end"`: only what comes from now on. `"start"`, an offset (events after it) or a Date. */
  readonly from?: Exclude<StreamStart, "saved">;
  /** Only these events. Default all. */
  readonly filter?: StreamFilter;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Options of `subscribe()`. */
export interface SubscribeOptions {
  /**
   * Default `"saved"`: after the consumer's saved offset, for a new consumer from the start. `"start"`,
   * `"end"`, an offset (events after it) or a Date replay or skip; a saved offset never moves back.
   */
  readonly from?: StreamStart;
  /** Only these events; the others count as processed. Default all. */
  readonly filter?: StreamFilter;
  /** Events, default 1,000: save the offset after so many. Lower repeats less after a crash; 0: not by count. */
  readonly saveEveryN?: number;
  /** Seconds, default 1: save the offset at least so often. 0: not by time. Both 0: you save it yourself. */
  readonly saveEverySeconds?: number;
  /** Honker's name of `saveEverySeconds`. */
  readonly saveEveryS?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Options of `readSince()` and `readFromConsumer()`. */
export interface ReadOptions {
  /** Only these events. Default all. */
  readonly filter?: StreamFilter;
}

/** Options of `replay()`. */
export interface ReplayOptions {
  /** Default `"start"`. An offset (events after it) or a Date. */
  readonly from?: "start" | number | Date;
  /** Only these events. Default all. */
  readonly filter?: StreamFilter;
}

/** State of a stream. */
export interface StreamInfo {
  readonly name: string;
  /** Events that are kept. */
  readonly count: number;
  /** `null` when nothing is kept. */
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  /** Milliseconds since 1970. */
  readonly firstTimestamp: number | null;
  readonly lastTimestamp: number | null;
}
