import type { Core } from "../core/core.ts";
import type { SqlValue } from "../sqlite/connection.ts";

/** One event of a stream. */
export interface StreamEvent<T = unknown> {
  /**
   * Position in the order of commits. Offsets are shared by all streams of the file, so those of one
   * stream grow but are not consecutive.
   */
  readonly offset: number;
  /** The same as `offset`. */
  readonly id: number;
  /** Name of the stream. */
  readonly topic: string;
  readonly key: string | null;
  /** Dotted subject, for filters; `null` when none was given. */
  readonly subject: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Id under which it was de-duplicated; `null` when none was given. */
  readonly messageId: string | null;
  readonly payload: T;
  /** When it was published, whole seconds since 1970 (Honker's column). */
  readonly createdAt: number;
  /** When it was published, milliseconds since 1970; whole seconds for events that Honker published. */
  readonly timestamp: number;
}

/**
 * Payload bytes up to which a batch holds them. Larger ones are fetched when their event is delivered, so
 * that a batch of 512 stays within a few MiB however large the events are.
 */
const INLINE_BYTES = 4_096;

/** Columns of an event, in the order {@link eventOf} reads them. */
export const EVENT_COLUMNS: string = `offset, key,
  CASE WHEN octet_length(payload) <= ${INLINE_BYTES} THEN payload END, created_at,
  alk_created_ms, alk_subject, alk_headers, alk_message_id`;

const PAYLOAD = "SELECT payload FROM _honker_stream WHERE offset = ?";
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Text of the payload of a row of {@link EVENT_COLUMNS}; `undefined` when it had to be fetched and the
 * event has been pruned meanwhile.
 */
export function payloadOf(core: Core, row: readonly SqlValue[]): string | undefined {
  const inline = row[2] as string | null;
  if (inline !== null) return inline;
  return core.prepare(PAYLOAD).row([row[0] as number])?.[0] as string | undefined;
}

/** Whether the row holds its payload. */
export function isInline(row: readonly SqlValue[]): boolean {
  return row[2] !== null;
}

/** Turns a row of {@link EVENT_COLUMNS} into an event. */
export function eventOf<T>(topic: string, row: readonly SqlValue[], payload: T): StreamEvent<T> {
  const offset = row[0] as number;
  const createdAt = row[3] as number;
  return {
    offset,
    id: offset,
    topic,
    key: row[1] as string | null,
    subject: row[5] as string | null,
    headers: row[6] === null ? NO_HEADERS : JSON.parse(row[6] as string),
    messageId: row[7] as string | null,
    payload,
    createdAt,
    timestamp: (row[4] as number | null) ?? createdAt * 1_000,
  };
}
