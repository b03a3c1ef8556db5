import type { CallOutcome, ErrorDefinition, Identity } from "@alkdev/operations";
import { StorageError } from "../../errors.ts";
import { keyProblem } from "../graph-store/check-row.ts";

/** A call as the journal is told of it. Give the same object for everything that becomes of it. */
export interface JournaledCall {
  readonly requestId: string;
  readonly operationId: string;
  readonly input?: unknown;
  /** Who calls: id, scopes and resources are written down. Left out or null: a stranger. */
  readonly identity?: Identity | null;
  /** The call this one was made for. */
  readonly parentRequestId?: string;
  /** Milliseconds since 1970 after which nobody waits. */
  readonly deadline?: number;
  /** Only `dependsOn`, request ids that the call graph draws edges from, is written down. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** `many`: a subscription. Default `one`. */
  readonly answers?: "one" | "many";
  /**
   * `names`: input, output, error message and details are nowhere kept, and a request that is sent again
   * is told so instead of its answer. For operations that carry secrets. Default `full`.
   */
  readonly record?: "full" | "names";
  /** Errors the operation declares: a failure with one of them is an outcome like any other. */
  readonly errorSchemas?: readonly ErrorDefinition[];
}

/** What becomes of a query or a subscription; `responded` is one answer of a subscription. */
export type CallNote = "requested" | CallOutcome;

/** What makes two requests the same call. */
export type CallKey = readonly [requestId: string, callerId: string, operationId: string];

/** @throws StorageError `INVALID_ARGUMENT` for ids that are no texts, empty, or too long */
export function callKey({ requestId, operationId, identity }: JournaledCall): CallKey {
  requireId("requestId", requestId);
  requireId("operationId", operationId);
  if (identity === undefined || identity === null) return [requestId, "", operationId];
  requireId("identity.id", identity.id);
  return [requestId, identity.id, operationId];
}

function requireId(name: string, value: unknown): void {
  const problem = keyProblem(value);
  if (problem === null) return;
  throw new StorageError("INVALID_ARGUMENT", `${name} of a call ${problem}`, {
    details: { name },
  });
}
