import type { OperationSpec } from "@alkdev/operations";

/** What {@link resumedInput} goes by. */
export interface ResumeOptions {
  readonly spec: OperationSpec | null;
  /** What the client saw last, as browsers send it when they come back. */
  readonly lastEventId: string | undefined;
}

/**
 * The input of a subscription that goes on where its client was: operations whose answers have an `offset`
 * name in `_meta.resumeBy` the property of the input that takes the last one seen.
 */
export function resumedInput(input: unknown, { spec, lastEventId }: ResumeOptions): unknown {
  const property = spec?._meta?.["resumeBy"];
  if (typeof property !== "string" || lastEventId === undefined) return input;
  const offset = Number(lastEventId);
  if (!Number.isSafeInteger(offset) || typeof input !== "object" || input === null) return input;
  return { ...input, [property]: offset };
}
