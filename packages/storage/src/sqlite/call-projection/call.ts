import type { Identity } from "@alkdev/operations";
import type { StoredNode } from "../graph-store/rows.ts";

/** Where a call can be. */
export const CALL_STATUSES = ["pending", "running", "completed", "failed", "aborted"] as const;

/** Where a call is: `running` is a subscription that has answered and goes on. */
export type CallStatus = (typeof CALL_STATUSES)[number];

/** A projected call. */
export interface Call {
  readonly requestId: string;
  readonly operationId: string;
  readonly status: CallStatus;
  /** The call that made it, whether or not that is known; null for a root. */
  readonly parentRequestId: string | null;
  readonly input?: unknown;
  /** The answer; of a subscription, the last one. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly details?: unknown };
  /** Who called: id, scopes and resources, nothing else. */
  readonly identity: Identity | null;
  /** ISO 8601, as the request was published. */
  readonly startedAt: string;
  /** ISO 8601; null while it has not ended. */
  readonly completedAt: string | null;
  /** Milliseconds from request to end; null while it has not ended. */
  readonly durationMs: number | null;
  /** Which of `input`, `output` and `details` were too large to keep. */
  readonly leftOut: readonly string[];
}

/** A call from its node. */
export function callOf({ key, attributes, metadata }: StoredNode): Call {
  const { parentRequestId, identity, completedAt, ...others } = attributes as Partial<Call>;
  const { durationMs, leftOut } = metadata as Partial<Call>;
  return {
    ...(others as Pick<Call, "operationId" | "status" | "startedAt">),
    requestId: key,
    parentRequestId: parentRequestId ?? null,
    identity: identity ?? null,
    completedAt: completedAt ?? null,
    durationMs: durationMs ?? null,
    leftOut: leftOut ?? [],
  };
}
