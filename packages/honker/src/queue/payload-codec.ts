import { decodePayload, encodePayload } from "../core/json.ts";
import type { StandardSchemaIssue, StandardSchemaV1 } from "../core/standard-schema.ts";
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
    const issues = this.#schema === undefined ? undefined : this.#check(payload).issues;
    if (issues !== undefined) {
      throw new HonkerError("INVALID_PAYLOAD", `${this.#what} ${issuesText(issues)}`, {
        details: { issues },
      });
    }
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
    const result = this.#check(payload);
    if (result.issues === undefined) return { ok: true, payload: result.value };
    return { ok: false, reason: issuesText(result.issues) };
  }

  #check(payload: unknown) {
    const result = (this.#schema as StandardSchemaV1<I, O>)["~standard"].validate(payload);
    if (!(result instanceof Promise)) return result;
    result.catch(() => undefined);
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `the schema of ${this.#what} answers asynchronously, which a transaction cannot wait for`,
      { hint: "Use a schema without async checks; do those in the handler" },
    );
  }
}

function issuesText(issues: readonly StandardSchemaIssue[]): string {
  const texts = issues.slice(0, 5).map(({ message, path = [] }) => {
    const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
    return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  });
  return `does not fit its schema: ${texts.join("; ")}`;
}
