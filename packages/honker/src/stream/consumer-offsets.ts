import type { Core } from "../core/core.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { newestOffset } from "./stream-reader.ts";

/** How far a consumer is. */
export interface ConsumerInfo {
  readonly consumer: string;
  /** Everything up to here is processed. */
  readonly offset: number;
  /** Events of the stream after `offset`. */
  readonly lag: number;
}

const GET = "SELECT offset FROM _honker_stream_consumers WHERE name = ? AND topic = ?";
// the same rule as honker_stream_save_offset: forward only
const ADVANCE = `INSERT INTO _honker_stream_consumers (name, topic, offset) VALUES (?, ?, ?)
  ON CONFLICT (name, topic) DO UPDATE SET offset = excluded.offset
  WHERE excluded.offset > _honker_stream_consumers.offset`;
const REGISTER = `INSERT INTO _honker_stream_consumers (name, topic, offset) VALUES (?, ?, ?)
  ON CONFLICT (name, topic) DO NOTHING`;
const RESET = `INSERT INTO _honker_stream_consumers (name, topic, offset) VALUES (?, ?, ?)
  ON CONFLICT (name, topic) DO UPDATE SET offset = excluded.offset`;
const REMOVE = "DELETE FROM _honker_stream_consumers WHERE name = ? AND topic = ?";
const LIST = `SELECT name, offset,
    (SELECT count(*) FROM _honker_stream AS s WHERE s.topic = c.topic AND s.offset > c.offset)
  FROM _honker_stream_consumers AS c WHERE topic = ? ORDER BY name`;
const LIST_TO = `SELECT name, offset,
    (SELECT count(*) FROM (SELECT 1 FROM _honker_stream AS s
      WHERE s.topic = c.topic AND s.offset > c.offset LIMIT ?2))
  FROM _honker_stream_consumers AS c WHERE topic = ?1 ORDER BY name`;

/** Saved offsets of the consumers of one stream; Honker's own table. */
export class ConsumerOffsets {
  readonly #core: Core;
  readonly #topic: string;

  constructor(core: Core, topic: string) {
    this.#core = core;
    this.#topic = topic;
  }

  /** The saved offset, or `undefined` for a consumer that is not known. */
  find(consumer: string): number | undefined {
    requireName(consumer, "consumer");
    const offset = this.#core.prepare(GET).row([consumer, this.#topic])?.[0];
    return offset === undefined ? undefined : Number(offset);
  }

  /** Moves the offset forward; false when it is already there or further. */
  advance(consumer: string, offset: number): boolean {
    requireName(consumer, "consumer");
    this.#requireIssued(offset);
    return this.#core.prepare(ADVANCE).run([consumer, this.#topic, offset]).changes === 1;
  }

  /** Makes the consumer known, so that retention waits for it; nothing when it already is. */
  register(consumer: string, offset: number): void {
    this.#core.prepare(REGISTER).run([consumer, this.#topic, offset]);
  }

  /** Sets the offset, also back. */
  reset(consumer: string, offset: number): void {
    requireName(consumer, "consumer");
    this.#requireIssued(offset);
    this.#core.prepare(RESET).run([consumer, this.#topic, offset]);
  }

  /** Forgets the consumer; false when it was not known. */
  remove(consumer: string): boolean {
    requireName(consumer, "consumer");
    return this.#core.prepare(REMOVE).run([consumer, this.#topic]).changes === 1;
  }

  /** All consumers, their lag counted as far as `countTo`. */
  list(countTo?: number): ConsumerInfo[] {
    const rows =
      countTo === undefined
        ? this.#core.prepare(LIST).rows([this.#topic])
        : this.#core.prepare(LIST_TO).rows([this.#topic, countTo]);
    return rows.map(([consumer, offset, lag]) => ({
      consumer: String(consumer),
      offset: Number(offset),
      lag: Number(lag),
    }));
  }

  /** An offset beyond the newest would silently skip events that are yet to come. */
  #requireIssued(offset: number): void {
    requireNumber(offset, "offset", { min: 0, integer: true });
    const newest = newestOffset(this.#core);
    if (offset <= newest) return;
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `offset ${offset} of stream "${this.#topic}" was never issued; the newest of the file is ${newest}`,
      { hint: "Save the offset of an event you read", details: { offset, newest } },
    );
  }
}
