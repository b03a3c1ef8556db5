import { CallError, type OperationSpec } from "@alkdev/operations";

/** What {@link resumedInput} goes by. */
export interface ResumeOptions {
  readonly spec: OperationSpec | null;
  /** What the client saw last, as browsers send it when they come back. */
  readonly lastEventId: string | undefined;
}

/**
 * The input of a subscription that goes on where its client was: operations whose answers have an `offset`
 * name in `_meta.resumeBy` the property of the input that takes the last one seen.
 *
 * @throws CallError `MALFORMED_REQUEST` for what is no offset: going on anywhere else would lose answers
 */
export function resumedInput(input: unknown, { spec, lastEventId }: ResumeOptions): unknown {
  const property = spec?._meta?.["resumeBy"];
  if (typeof property !== "string" || lastEventId === undefined) return input;
  if (typeof input !== "object" || input === null) return input; // the operation refuses it
  const offset = /^\d{1,16}$/.test(lastEventId) ? Number(lastEventId) : Number.NaN;
  if (Number.isSafeInteger(offset)) return { ...input, [property]: offset };
  throw new CallError("MALFORMED_REQUEST", "Last-Event-ID is none that this operation has sent");
}
