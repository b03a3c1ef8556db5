import type {
  IncomingDelegation,
  OutgoingDelegation,
  OutgoingState,
  ReconciledDelegation,
} from "@alkdev/storage/sqlite";
import { type TOptional, type TString, type TUnsafe, Type } from "@sinclair/typebox";
import { closed, JsonObject, Moment, nullable, oneOf, texts } from "./schemas.ts";

/** `account:ada`, `service:indexer`, `org:…`, `role:…`. */
export const PrincipalSchema: TString = Type.String({
  pattern: "^(account|service|org|role):.+$",
  maxLength: 512,
});

/** At most so many scopes. */
export const ScopesSchema: ReturnType<typeof texts> = texts(100);

/** Actions by resource: `{ "graph:g1": ["read"] }`. */
export const ResourcesSchema: TOptional<TUnsafe<Readonly<Record<string, readonly string[]>>>> =
  Type.Optional(
    Type.Unsafe<Readonly<Record<string, readonly string[]>>>(
      Type.Record(Type.String({ minLength: 1, maxLength: 512 }), texts(20), { maxProperties: 100 }),
    ),
  );

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
