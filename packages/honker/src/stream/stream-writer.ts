import type { Core } from "../core/core.ts";
import { topics } from "../core/core.ts";
import { requireName } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { SqlInput } from "../sqlite/connection.ts";
import { requireSubject } from "./stream-filter.ts";
import type { AutomaticPruning } from "./stream-retention.ts";

/** What can be said about an event besides its payload. */
export interface PublishOptions {
  /** What the event is about, for filters and for order per key in groups. Default none. */
  readonly key?: string | null;
  /** Dotted subject for filters with wildcards, such as `orders.eu.created`. Default none. */
  readonly subject?: string;
  /** Anything else that travels with the event: trace ids, content type. Values are strings. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * De-duplicates: a second event with the same id within the stream's window is not written, and the
   * offset of the first is returned. Set it where a publisher may repeat itself. Default none.
   */
  readonly messageId?: string;
}

/** An event ready to be written. */
export interface OutgoingEvent {
  readonly text: string;
  readonly options: PublishOptions;
}

/** Rows per statement of a batch: measured twice as fast as one by one, and hardly faster with more. */
const ROWS_PER_INSERT = 50;
/** Most events have neither subject, headers nor message id, and binding those would cost a third more. */
const PLAIN_COLUMNS = 5;

/**
 * Message ids remembered between two clean-ups, each of which deletes up to twice as many: the table
 * shrinks to the ids of one window, at a constant cost.
 */
const FORGET_EVERY = 16;

const INSERT = `INSERT INTO _honker_stream (topic, key, payload, created_at, alk_created_ms,
  alk_subject, alk_headers, alk_message_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_PLAIN = insertPlain(1);
const INSERT_MANY = insertPlain(ROWS_PER_INSERT);
const FIND_MESSAGE = `SELECT offset FROM _alk_stream_messages
  WHERE topic = ? AND message_id = ? AND forget_at_ms > ?`;
const REMEMBER = `INSERT INTO _alk_stream_messages (topic, message_id, offset, forget_at_ms)
  VALUES (?, ?, ?, ?) ON CONFLICT (topic, message_id)
  DO UPDATE SET offset = excluded.offset, forget_at_ms = excluded.forget_at_ms`;
const FORGET = `DELETE FROM _alk_stream_messages WHERE (topic, message_id) IN (
  SELECT topic, message_id FROM _alk_stream_messages
  WHERE topic = ? AND forget_at_ms <= ? ORDER BY forget_at_ms LIMIT ${FORGET_EVERY * 2})`;

/** Writes the events of one stream. */
export class StreamWriter {
  readonly #core: Core;
  readonly #topic: string;
  readonly #dedupeWindowMs: number;
  readonly #pruning: AutomaticPruning | undefined;
  #untilForget = 0;

  constructor(
    core: Core,
    topic: string,
    options: { readonly dedupeWindowMs: number; readonly pruning: AutomaticPruning | undefined },
  ) {
    this.#core = core;
    this.#topic = topic;
    this.#dedupeWindowMs = options.dedupeWindowMs;
    this.#pruning = options.pruning;
  }

  /** Writes one event and returns its offset, or the first one's where it is a repetition. */
  write({ text, options }: OutgoingEvent): number {
    const row = this.#row(text, options, this.#core.nowMs());
    const offset =
      options.messageId === undefined
        ? this.#insert(row)
        : this.#core.transaction(() => this.#insertOnce(row, options.messageId));
    this.#core.touch(topics.stream(this.#topic));
    this.#pruning?.published(1);
    return offset;
  }

  /** Writes events in one transaction and returns their offsets in order. */
  writeMany(events: Iterable<OutgoingEvent>): number[] {
    const offsets: number[] = [];
    const nowMs = this.#core.nowMs();
    this.#core.transaction(() => {
      let plain: SqlInput[][] = [];
      for (const { text, options } of events) {
        const row = this.#row(text, options, nowMs);
        const isPlain = row.length === PLAIN_COLUMNS;
        if (isPlain) plain.push(row);
        if (plain.length < ROWS_PER_INSERT && isPlain) continue;
        this.#insertPlain(plain, offsets);
        plain = [];
        if (!isPlain) offsets.push(this.#insertOnce(row, options.messageId));
      }
      this.#insertPlain(plain, offsets);
      if (offsets.length > 0) this.#core.touch(topics.stream(this.#topic));
    });
    this.#pruning?.published(offsets.length);
    return offsets;
  }

  #insertPlain(rows: readonly SqlInput[][], offsets: number[]): void {
    if (rows.length < ROWS_PER_INSERT) {
      for (const row of rows) offsets.push(this.#insert(row));
      return;
    }
    const last = Number(this.#core.prepare(INSERT_MANY).run(rows.flat()).lastInsertRowid);
    // one statement of the only writer: its ids are consecutive
    for (let i = rows.length - 1; i >= 0; i--) offsets.push(last - i);
  }

  #insert(row: readonly SqlInput[]): number {
    const sql = row.length === PLAIN_COLUMNS ? INSERT_PLAIN : INSERT;
    return Number(this.#core.prepare(sql).run(row).lastInsertRowid);
  }

  #insertOnce(row: readonly SqlInput[], messageId: string | undefined): number {
    if (messageId === undefined) return this.#insert(row);
    const nowMs = row[4] as number;
    const known = this.#core.prepare(FIND_MESSAGE).row([this.#topic, messageId, nowMs])?.[0];
    if (known !== undefined) return Number(known);
    const offset = this.#insert(row);
    if (this.#untilForget === 0) this.#core.prepare(FORGET).run([this.#topic, nowMs]);
    this.#untilForget = (this.#untilForget + 1) % FORGET_EVERY;
    this.#core
      .prepare(REMEMBER)
      .run([this.#topic, messageId, offset, nowMs + this.#dedupeWindowMs]);
    return offset;
  }

  #row(text: string, options: PublishOptions, nowMs: number): SqlInput[] {
    const { key = null, subject, headers, messageId } = options;
    if (key !== null && typeof key !== "string") throw refusal("key", "a string", key);
    if (subject !== undefined) requireSubject(subject);
    if (messageId !== undefined) requireName(messageId, "messageId");
    const plain = [this.#topic, key, text, Math.floor(nowMs / 1_000), nowMs];
    if (subject === undefined && headers === undefined && messageId === undefined) return plain;
    const encoded = headers === undefined ? null : encodeHeaders(headers);
    return [...plain, subject ?? null, encoded, messageId ?? null];
  }
}

function insertPlain(rows: number): string {
  return `INSERT INTO _honker_stream (topic, key, payload, created_at, alk_created_ms)
    VALUES ${Array(rows).fill("(?, ?, ?, ?, ?)").join(", ")}`;
}

function encodeHeaders(headers: Readonly<Record<string, string>>): string | null {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw refusal("headers", "an object of strings", headers);
  }
  const entries = Object.entries(headers);
  for (const [name, value] of entries) {
    if (typeof value !== "string") throw refusal(`header "${name}"`, "a string", value);
  }
  return entries.length === 0 ? null : JSON.stringify(headers);
}

function refusal(what: string, expected: string, value: unknown): HonkerError {
  return new HonkerError("INVALID_ARGUMENT", `${what} must be ${expected}, got ${typeof value}`);
}
