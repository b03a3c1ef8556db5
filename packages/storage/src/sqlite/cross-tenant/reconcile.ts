import { setImmediate } from "node:timers/promises";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import { type CrossTenantContext, endOf, enqueueDelivery, noTenant } from "./deliver.ts";
import {
  forgetIncoming,
  type IncomingDelegation,
  incomingRow,
  isInForce,
  listIncoming,
  readIncoming,
  revokeIncoming,
} from "./incoming.ts";
import {
  forgetOutgoing,
  listOutgoing,
  moveOutgoing,
  type OutgoingDelegation,
  type OutgoingState,
  readOutgoing,
} from "./outgoing.ts";
import { isHeld } from "./require-held.ts";

/** What the other side says: its state, `none`, or that it cannot be asked. */
export type OtherSide = OutgoingState | "none" | "unreachable" | "gone";

/** What reconciling found out about one delegation, and did. */
export interface ReconciledDelegation {
  readonly id: string;
  /** Which side the reconciled organisation is. */
  readonly side: "outgoing" | "incoming";
  readonly otherOrgId: string;
  /** State in this organisation's file, before. */
  readonly here: OutgoingState;
  /** State in the other one's file, before. */
  readonly there: OtherSide;
  /** Whether the delegation gives anything in the receiving file, after; null: it cannot be asked. */
  readonly inEffect: boolean | null;
  readonly action: ReconcileAction;
}

/**
 * What was done: nothing, as both sides agree or the other cannot be asked; the missing half was noted
 * here; it is brought on its way again; it is taken back.
 */
export type ReconcileAction = "none" | "confirmed" | "resent" | "ended" | "taken-back";

/** What {@link reconcile} works with. */
export interface ReconcileSource {
  readonly tenant: TenantDatabase;
  readonly orgId: string;
  readonly signal?: AbortSignal | undefined;
}

const PAGE = 100;
/** Ended delegations are kept for 90 days. */
const KEEP_MS = 90 * 86_400_000;
const OPEN_STATES = ["pending", "applied", "revoking"] as const;

/** Compares both sides of all delegations of an organisation that have not ended, and settles what differs. */
export async function reconcile(
  context: CrossTenantContext,
  source: ReconcileSource,
): Promise<ReconciledDelegation[]> {
  const { tenant, signal } = source;
  const client = tenant.$client;
  const found: ReconciledDelegation[] = [];
  for (let after = ""; ; ) {
    const page = listOutgoing(client, { states: OPEN_STATES, after, limit: PAGE });
    for (const delegation of page) {
      // a copy of another organisation's file says nothing about this one
      if (delegation.from.orgId !== source.orgId) continue;
      found.push(reconcileOutgoing(context, source, delegation));
      await setImmediate();
      signal?.throwIfAborted();
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? "";
  }
  for (let after = ""; ; ) {
    const page = listIncoming(client, { after, limit: PAGE });
    for (const delegation of page) {
      found.push(reconcileIncoming(context, source, delegation));
      await setImmediate();
      signal?.throwIfAborted();
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? "";
  }
  const untilMs = context.clock.now() - KEEP_MS;
  forgetOutgoing(client, untilMs);
  forgetIncoming(client, untilMs);
  return found;
}

function reconcileOutgoing(
  context: CrossTenantContext,
  { tenant, orgId }: ReconcileSource,
  delegation: OutgoingDelegation,
): ReconciledDelegation {
  const { id, to, state: here, reason } = delegation;
  const client = tenant.$client;
  const about = { id, side: "outgoing", otherOrgId: to.orgId, here } as const;
  const move = (next: OutgoingState, why: string | null): void => {
    const nowMs = context.clock.now();
    moveOutgoing(client, id, { from: [here], to: next, reason: why, nowMs });
  };
  const resend = (): void => enqueueDelivery(tenant, id, { context, scope: "pending-or-running" });
  const other = askThere(context, delegation);
  if (here !== "revoking" && !isHeld(tenant, delegation, context.clock.now())) {
    client.transaction(() => {
      move("revoking", `"${delegation.from.principal}" of "${orgId}" no longer holds it`);
      enqueueDelivery(tenant, id, { context, scope: "pending" });
    });
    return { ...about, there: other.state, inEffect: other.inEffect, action: "taken-back" };
  }
  if (other.state === "unreachable") {
    if (here !== "applied") resend();
    const action = here === "applied" ? "none" : "resent";
    return { ...about, there: other.state, inEffect: null, action };
  }
  if (other.state === "gone") {
    if (here === "revoking") move(endOf(reason), reason);
    else move("failed", noTenant(to.orgId));
    return { ...about, there: other.state, inEffect: false, action: "ended" };
  }
  const there = other.state;
  const { inEffect } = other;
  if (here === "revoking") {
    resend();
    return { ...about, there, inEffect, action: "resent" };
  }
  if (there === "none") {
    client.transaction(() => {
      move("pending", null);
      resend();
    });
    return { ...about, there, inEffect, action: "resent" };
  }
  if (there === "revoked") {
    move(here === "pending" ? "refused" : "failed", other.reason ?? `"${to.orgId}" ended it`);
    return { ...about, there, inEffect, action: "ended" };
  }
  if (here === "applied") return { ...about, there, inEffect, action: "none" };
  move("applied", null);
  return { ...about, there, inEffect, action: "confirmed" };
}

function reconcileIncoming(
  { tenants, clock }: CrossTenantContext,
  { tenant, orgId }: ReconcileSource,
  incoming: IncomingDelegation,
): ReconciledDelegation {
  const { id, fromOrgId, toOrgId, state: here } = incoming;
  const about = { id, side: "incoming", otherOrgId: fromOrgId, here } as const;
  const end = (there: OtherSide, reason: string): ReconciledDelegation => {
    revokeIncoming(tenant, incoming, { clock, reason });
    return { ...about, there, inEffect: false, action: "ended" };
  };
  if (toOrgId !== orgId) return end("none", `this is a copy of the file of "${toOrgId}"`);
  if (!isInForce(tenant, incoming)) return end("none", `"${toOrgId}" removed or changed it`);
  if (tenants.get(fromOrgId) === null) return end("gone", noTenant(fromOrgId));
  let outgoing: OutgoingDelegation | null;
  try {
    outgoing = tenants.withTenant(fromOrgId, ({ $client }) => readOutgoing($client, id));
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { ...about, there: "unreachable", inEffect: true, action: "none" };
  }
  const there = outgoing === null || outgoing.from.orgId !== fromOrgId ? "none" : outgoing.state;
  if (there === "none") return end(there, `"${fromOrgId}" knows nothing of it`);
  if (there === "refused" || there === "revoked" || there === "failed") {
    return end(there, `it has ended in "${fromOrgId}"`);
  }
  return { ...about, there, inEffect: true, action: "none" };
}

interface Answer {
  readonly state: "applied" | "revoked" | "none" | "unreachable" | "gone";
  readonly inEffect: boolean | null;
  readonly reason: string | null;
}

/** What the receiving file says. What its owner removed or changed by hand is noted there as revoked. */
function askThere({ tenants, clock }: CrossTenantContext, delegation: OutgoingDelegation): Answer {
  const { orgId } = delegation.to;
  if (tenants.get(orgId) === null) return { state: "gone", inEffect: false, reason: null };
  try {
    return tenants.withTenant(orgId, (db): Answer => {
      const row = readIncoming(db.$client, delegation.id);
      if (row === null) return { state: "none", inEffect: false, reason: null };
      if (row.state === "revoked") return { state: "revoked", inEffect: false, reason: row.reason };
      const inEffect = (row.terms.expiresAt ?? Number.POSITIVE_INFINITY) > clock.now();
      if (isInForce(db, row)) return { state: "applied", inEffect, reason: null };
      const reason = `"${orgId}" removed or changed it`;
      revokeIncoming(db, incomingRow(delegation), { clock, reason });
      return { state: "revoked", inEffect: false, reason };
    });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { state: "unreachable", inEffect: null, reason: null };
  }
}

const UNREACHABLE: readonly string[] = [
  "TENANT_STATE",
  "TENANT_BUSY",
  "TENANT_ELSEWHERE",
  "TENANT_FILE",
  "UNKNOWN_SCHEMA",
];

function isUnreachable(error: unknown): boolean {
  return error instanceof StorageError && UNREACHABLE.includes(error.code);
}
