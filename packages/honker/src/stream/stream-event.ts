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

/** Columns of an event, in the order {@link eventOf} reads them. */
export const EVENT_COLUMNS =
  "offset, key, payload, created_at, alk_created_ms, alk_subject, alk_headers, alk_message_id";

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Turns a row of {@link EVENT_COLUMNS} into an event. */
export function eventOf<T>(
  topic: string,
  row: readonly SqlValue[],
  decode: (text: string) => T,
): StreamEvent<T> {
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
    payload: decode(row[2] as string),
    createdAt,
    timestamp: (row[4] as number | null) ?? createdAt * 1_000,
  };
}
