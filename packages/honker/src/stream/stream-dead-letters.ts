import { type Core, topics } from "../core/core.ts";
import { decodePayload } from "../core/json.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import { eventOf, type StreamEvent } from "./stream-event.ts";

/** An event that a group or consumer gave up on, with a copy of it that outlives retention. */
export interface StreamDeadLetter extends StreamEvent<unknown> {
  /** Name of the group or consumer. */
  readonly consumer: string;
  /** How often it was delivered. */
  readonly deliveries: number;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly diedAt: number;
}

/** Options of `list()`. */
export interface DeadLetterListOptions {
  /** Rows, default 100. */
  readonly limit?: number;
  /** Only offsets after this one, for paging. Default 0. */
  readonly after?: number;
}

const ADD = `INSERT INTO _alk_stream_dead
    (topic, consumer, offset, event, deliveries, reason, died_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (topic, consumer, offset) DO UPDATE SET
    deliveries = excluded.deliveries, reason = excluded.reason, died_at_ms = excluded.died_at_ms`;
const LIST = `SELECT event, deliveries, reason, died_at_ms FROM _alk_stream_dead
  WHERE topic = ? AND consumer = ? AND offset > ? ORDER BY offset LIMIT ?`;
const COUNT = "SELECT count(*) FROM _alk_stream_dead WHERE topic = ? AND consumer = ?";
const OFFSETS = "SELECT offset FROM _alk_stream_dead WHERE topic = ? AND consumer = ?";
const GROUP = "SELECT 1 FROM _alk_stream_groups WHERE topic = ? AND name = ?";
const REDRIVE = `INSERT INTO _alk_stream_pending
    (topic, group_name, offset, key, deliveries, ready_at_ms, copy)
  SELECT topic, consumer, offset, json_extract(event, '$[1]'), 0, ?, event FROM _alk_stream_dead
  WHERE topic = ? AND consumer = ? AND offset = ? ON CONFLICT DO NOTHING`;
const REMOVE = "DELETE FROM _alk_stream_dead WHERE topic = ? AND consumer = ? AND offset = ?";
const PURGE = "DELETE FROM _alk_stream_dead WHERE topic = ? AND consumer = ? AND died_at_ms <= ?";

/** The dead letters of one group or consumer of a stream. */
export class StreamDeadLetters {
  readonly #core: () => Core;
  readonly #topic: string;
  readonly #consumer: string;

  /** @internal Use `group.dead` or `stream.deadLetters(consumer)`. */
  constructor(core: () => Core, topic: string, consumer: string) {
    requireName(consumer, "consumer");
    this.#core = core;
    this.#topic = topic;
    this.#consumer = consumer;
  }

  /** Oldest first. Payloads are as stored: not checked and not upcast. */
  list({ limit = 100, after = 0 }: DeadLetterListOptions = {}): StreamDeadLetter[] {
    requireNumber(limit, "limit", { min: 0, integer: true });
    requireNumber(after, "after", { min: 0, integer: true });
    return this.#core()
      .prepare(LIST)
      .rows([this.#topic, this.#consumer, after, limit])
      .map(([event, deliveries, reason, diedAt]) => {
        const row = JSON.parse(event as string) as SqlValue[];
        return {
          ...eventOf(this.#topic, row, decodePayload(row[2] as string)),
          consumer: this.#consumer,
          deliveries: deliveries as number,
          reason: reason as string,
          diedAt: diedAt as number,
        };
      });
  }

  /** How many there are. */
  count(): number {
    return Number(this.#core().prepare(COUNT).row([this.#topic, this.#consumer])?.[0]);
  }

  /**
   * Gives events back to their group, which starts counting their deliveries anew.
   *
   * @param offsets which; default all
   * @returns how many there were
   * @throws `INVALID_ARGUMENT` when the dead letters are those of a consumer, not of a group
   */
  redrive(offsets?: readonly number[]): number {
    const core = this.#core();
    const id = [this.#topic, this.#consumer] as const;
    return core.transaction(() => {
      if (this.count() === 0) return 0;
      if (core.prepare(GROUP).row(id) === undefined) {
        throw new HonkerError(
          "INVALID_ARGUMENT",
          `"${this.#consumer}" is not a group of stream "${this.#topic}", so nobody would get its dead letters`,
          {
            hint: "Handle the listed events yourself, then purge() them, or resetOffset() the consumer",
          },
        );
      }
      const all = (): number[] =>
        core
          .prepare(OFFSETS)
          .rows(id)
          .map(([offset]) => offset as number);
      let redriven = 0;
      for (const offset of offsets ?? all()) {
        requireNumber(offset, "offset", { min: 0, integer: true });
        core.prepare(REDRIVE).run([core.nowMs(), ...id, offset]);
        redriven += core.prepare(REMOVE).run([...id, offset]).changes;
      }
      core.touch(topics.stream(this.#topic));
      return redriven;
    });
  }

  /**
   * Deletes dead letters for good.
   *
   * @param olderThanSeconds default 0: all
   * @returns how many
   */
  purge(olderThanSeconds = 0): number {
    requireNumber(olderThanSeconds, "olderThanSeconds", { min: 0 });
    const core = this.#core();
    const until =
      olderThanSeconds === 0 ? Number.MAX_SAFE_INTEGER : core.nowMs() - olderThanSeconds * 1_000;
    return core.prepare(PURGE).run([this.#topic, this.#consumer, until]).changes;
  }
}

/** Adds a dead letter; the reason is replaced where the event is one already. */
export function addDeadLetter(
  core: Core,
  topic: string,
  letter: {
    readonly consumer: string;
    /** Columns of an event, its payload included. */
    readonly row: readonly SqlValue[];
    readonly deliveries: number;
    readonly reason: string;
  },
): void {
  const { consumer, row, deliveries, reason } = letter;
  core
    .prepare(ADD)
    .run([
      topic,
      consumer,
      row[0] as number,
      JSON.stringify(row),
      deliveries,
      reason,
      core.nowMs(),
    ]);
}
