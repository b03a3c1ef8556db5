import { decodePayload, encodePayload } from "../core/json.ts";
import { checkPayload, issuesText } from "../core/payload-schema.ts";
import type { StandardSchemaV1 } from "../core/standard-schema.ts";
import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";
import { eventOf } from "./stream-event.ts";
import type { StreamOptions } from "./stream-options.ts";

/** Turns payloads of one stream into JSON text and back, checked by its schema where there is one. */
export class PayloadCodec<T> {
  readonly #topic: string;
  readonly #what: string;
  readonly #schema: StandardSchemaV1<unknown, T> | undefined;
  readonly #upcast: StreamOptions<T>["upcast"];

  constructor(topic: string, { schema, upcast }: StreamOptions<T>) {
    this.#topic = topic;
    this.#what = `payload for stream "${topic}"`;
    this.#schema = schema;
    this.#upcast = upcast;
  }

  /** @throws `INVALID_PAYLOAD` */
  encode(payload: T): string {
    if (this.#schema !== undefined) this.#validate(this.#schema, payload, this.#what);
    return encodePayload(payload, this.#what);
  }

  /** @param row columns of the event @throws `INVALID_PAYLOAD` */
  decode(text: string, row: readonly SqlValue[]): T {
    let value = decodePayload(text);
    if (this.#upcast !== undefined) value = this.#upcasted(this.#upcast, value, row);
    if (this.#schema === undefined) return value as T;
    return this.#validate(this.#schema, value, `${this.#what} at offset ${row[0]}`);
  }

  #upcasted(
    upcast: NonNullable<StreamOptions<T>["upcast"]>,
    value: unknown,
    row: readonly SqlValue[],
  ): unknown {
    try {
      return upcast(value, eventOf(this.#topic, row, value));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new HonkerError(
        "INVALID_PAYLOAD",
        `${this.#what} at offset ${row[0]} could not be upcast: ${reason}`,
        { cause: error },
      );
    }
  }

  #validate(schema: StandardSchemaV1<unknown, T>, value: unknown, what: string): T {
    const result = checkPayload(schema, value, what);
    if (result.issues === undefined) return result.value;
    throw new HonkerError("INVALID_PAYLOAD", `${what} ${issuesText(result.issues)}`, {
      details: { issues: result.issues },
    });
  }
}
