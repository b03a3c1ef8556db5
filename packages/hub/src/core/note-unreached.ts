import { CallError, type CallOptions, type OperationSpec } from "@alkdev/operations";
import { journaledCall } from "../journal/journaled.ts";
import type { CallPlace } from "./call-place.ts";

/** A call that was turned away before its handler. */
export interface UnreachedCall {
  /** Null where there is no such operation. */
  readonly spec: OperationSpec | null;
  readonly options: CallOptions & { readonly requestId: string };
  readonly error: unknown;
}

/** Writes down a call that was refused: its input is not kept, for nobody checked it. */
export function noteUnreached(
  { services }: CallPlace,
  { spec, options, error }: UnreachedCall,
): void {
  if (spec === null || !(error instanceof CallError)) return;
  const { code, message } = error;
  const { metadata = {} } = options;
  const call = journaledCall({ ...options, metadata }, { spec, input: undefined, record: "full" });
  services.journal.note(call, "requested");
  services.journal.note(call, { type: "failed", code, message });
}
