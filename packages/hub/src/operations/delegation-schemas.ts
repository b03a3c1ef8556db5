import type {
  IncomingDelegation,
  OutgoingDelegation,
  OutgoingState,
  ReconciledDelegation,
} from "@alkdev/storage/sqlite";
import { type TUnsafe, Type } from "@sinclair/typebox";
import { closed, JsonObject, Moment, nullable, oneOf } from "./schemas.ts";

/** States of a delegation to another organisation. */
export const OUTGOING_STATES: readonly OutgoingState[] = [
  "pending",
  "applied",
  "refused",
  "expired",
  "revoking",
  "revoked",
  "failed",
];

/** A delegation to another organisation as it travels; its times are ISO 8601. */
export type OutgoingView = Omit<OutgoingDelegation, "createdAt" | "updatedAt"> & {
  readonly createdAt: string;
  readonly updatedAt: string;
};

const End = closed({ orgId: Type.String(), principal: Type.String() });

/** {@link OutgoingView} as a schema. */
export const OutgoingSchema: TUnsafe<OutgoingView> = Type.Unsafe<OutgoingView>(
  closed({
    id: Type.String(),
    from: End,
    to: End,
    terms: JsonObject,
    state: oneOf(OUTGOING_STATES),
    reason: nullable(Type.String()),
    createdAt: Moment,
    updatedAt: Moment,
  }),
);

/** A delegation to another organisation as it travels. */
export function outgoingOf(delegation: OutgoingDelegation): OutgoingView {
  const { createdAt, updatedAt } = delegation;
  return { ...delegation, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

/** A delegation from another organisation as it travels; its time is ISO 8601. */
export type IncomingView = Omit<IncomingDelegation, "updatedAt"> & { readonly updatedAt: string };

/** {@link IncomingView} as a schema. */
export const IncomingSchema: TUnsafe<IncomingView> = Type.Unsafe<IncomingView>(
  closed({
    id: Type.String(),
    fromOrgId: Type.String(),
    stub: Type.String(),
    principal: Type.String(),
    terms: JsonObject,
    state: oneOf(["applied", "revoked"]),
    reason: nullable(Type.String()),
    updatedAt: Moment,
  }),
);

/** What reconciling found out about one delegation. */
export const ReconciledSchema: TUnsafe<ReconciledDelegation> = Type.Unsafe<ReconciledDelegation>(
  closed({
    id: Type.String(),
    side: oneOf(["outgoing", "incoming"]),
    otherOrgId: Type.String(),
    here: Type.String(),
    there: Type.String(),
    verdict: Type.String(),
    action: Type.String(),
    reason: nullable(Type.String()),
  }),
);
