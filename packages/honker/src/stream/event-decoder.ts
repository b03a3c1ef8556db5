import type { Core } from "../core/core.ts";
import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { addDeadLetter } from "./stream-dead-letters.ts";
import { eventOf, payloadOf, type StreamEvent } from "./stream-event.ts";
import type { InvalidPayloadPolicy } from "./stream-options.ts";

/** Turns rows into events and does what the stream says about payloads that do not fit. */
export class EventDecoder<T> {
  readonly #topic: string;
  readonly #codec: PayloadCodec<T>;
  readonly #policy: InvalidPayloadPolicy;

  constructor(topic: string, codec: PayloadCodec<T>, policy: InvalidPayloadPolicy) {
    this.#topic = topic;
    this.#codec = codec;
    this.#policy = policy;
  }

  /**
   * @param consumer whose dead letters take payloads that do not fit
   * @returns `undefined` when the event is left out by policy, or was pruned on its way
   * @throws `INVALID_PAYLOAD`
   */
  event(core: Core, row: readonly SqlValue[], consumer?: string): StreamEvent<T> | undefined {
    const text = payloadOf(core, row);
    if (text === undefined) return undefined;
    let payload: T;
    try {
      payload = this.#codec.decode(text, row);
    } catch (error) {
      this.#leaveOut(
        core,
        error,
        consumer === undefined ? undefined : { consumer, row: row.with(2, text) },
      );
      return undefined;
    }
    return eventOf(this.#topic, row, payload);
  }

  #leaveOut(
    core: Core,
    error: unknown,
    letter: { readonly consumer: string; readonly row: readonly SqlValue[] } | undefined,
  ): void {
    const refused = error instanceof HonkerError && error.code === "INVALID_PAYLOAD";
    if (refused && this.#policy === "skip") {
      core.onError(error, `skipping an event of stream "${this.#topic}"`);
      return;
    }
    if (!refused || this.#policy !== "dead-letter" || letter === undefined) throw error;
    addDeadLetter(core, this.#topic, { ...letter, deliveries: 1, reason: error.message });
  }
}
