import { decodePayload, encodePayload } from "../core/json.ts";
import { checkPayload, issuesText } from "../core/payload-schema.ts";
import type { StandardSchemaV1 } from "../core/standard-schema.ts";
import { HonkerError } from "../errors.ts";

/** A claimed payload, or why it no longer fits. */
export type DecodedPayload<O> =
  | { readonly ok: true; readonly payload: O }
  | { readonly ok: false; readonly reason: string };

/** Turns payloads of one queue into text and back, checking them both ways. */
export class PayloadCodec<I, O> {
  readonly #what: string;
  readonly #schema: StandardSchemaV1<I, O> | undefined;
  readonly #upcast: ((payload: unknown) => unknown) | undefined;

  constructor(
    queue: string,
    options: {
      readonly schema?: StandardSchemaV1<I, O>;
      readonly upcast?: (payload: unknown) => unknown;
    },
  ) {
    this.#what = `payload for queue "${queue}"`;
    this.#schema = options.schema;
    this.#upcast = options.upcast;
  }

  /** What is stored is the payload as given: a schema that transforms does so when the job is claimed. */
  encode(payload: I): string {
    if (this.#schema !== undefined) this.#require(this.#schema, payload);
    return encodePayload(payload, this.#what);
  }

  decode(text: string): DecodedPayload<O> {
    let payload = decodePayload(text);
    if (this.#upcast !== undefined) {
      try {
        payload = this.#upcast(payload);
      } catch (error) {
        return { ok: false, reason: `upcast failed: ${(error as Error)?.message ?? error}` };
      }
    }
    if (this.#schema === undefined) return { ok: true, payload: payload as O };
    const result = checkPayload(this.#schema, payload, this.#what);
    if (result.issues === undefined) return { ok: true, payload: result.value };
    return { ok: false, reason: issuesText(result.issues) };
  }

  #require(schema: StandardSchemaV1<I, O>, payload: I): void {
    const { issues } = checkPayload(schema, payload, this.#what);
    if (issues === undefined) return;
    throw new HonkerError("INVALID_PAYLOAD", `${this.#what} ${issuesText(issues)}`, {
      details: { issues },
    });
  }
}
