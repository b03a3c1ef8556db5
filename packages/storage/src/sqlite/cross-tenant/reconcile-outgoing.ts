import type { TenantDatabase } from "../client.ts";
import { isInForce, isSameDelegation, revokeIncoming } from "./apply-incoming.ts";
import { askOther } from "./ask-other.ts";
import type { CrossTenantContext } from "./context.ts";
import { incomingRow, readIncoming } from "./incoming.ts";
import { beginRevocation, enqueueDelivery } from "./outbox.ts";
import {
  moveOutgoing,
  type OutgoingDelegation,
  type OutgoingState,
  readOutgoing,
} from "./outgoing.ts";
import { endOf, notHeld, takenApart } from "./reasons.ts";
import type { DelegationVerdict, ReconcileAction, ReconciledDelegation } from "./reconciled.ts";
import { isHeld } from "./require-held.ts";
import { isExpired, isLongExpired } from "./terms.ts";

/** Settles one delegation from the delegating side; null where it has ended meanwhile. */
export function reconcileOutgoing(
  context: CrossTenantContext,
  tenant: TenantDatabase,
  id: string,
): ReconciledDelegation | null {
  const delegation = readOutgoing(tenant.$client, id);
  if (delegation === null || !isOpen(delegation)) return null;
  const there = askThere(context, delegation);
  const { action, reason } = settle(context, { tenant, delegation, there });
  const about = { id, side: "outgoing", otherOrgId: delegation.to.orgId } as const;
  const { state } = there;
  const verdict = verdictOf(delegation, { there: state, action, nowMs: context.clock.now() });
  return { ...about, here: delegation.state, there: state, verdict, action, reason };
}

type Open = OutgoingDelegation & { readonly state: "pending" | "applied" | "revoking" };

function isOpen(delegation: OutgoingDelegation): delegation is Open {
  return ["pending", "applied", "revoking"].includes(delegation.state);
}

interface There {
  readonly state: "applied" | "revoked" | "none" | "unreachable" | "gone";
  readonly reason: string | null;
}

/** What the receiving file says. What is void there by now, or was taken apart, is revoked while asking. */
function askThere(context: CrossTenantContext, delegation: Open): There {
  const { clock } = context;
  const incoming = incomingRow(delegation);
  const asked = askOther(context, delegation.to.orgId, (db): There => {
    const row = readIncoming(db.$client, incoming);
    if (row === null) return { state: "none", reason: null };
    if (row.state === "revoked") return { state: "revoked", reason: row.reason };
    const wrong = isLongExpired(delegation.terms, clock.now())
      ? "it has expired"
      : isSameDelegation(row, incoming) && isInForce(db, row, clock)
        ? null
        : takenApart(delegation.to.orgId);
    if (wrong === null) return { state: "applied", reason: null };
    revokeIncoming(db, row, { clock, reason: wrong });
    return { state: "revoked", reason: wrong };
  });
  return asked.state === "answered" ? asked.answer : asked;
}

interface Settled {
  readonly action: ReconcileAction;
  readonly reason: string | null;
}

function settle(
  context: CrossTenantContext,
  about: { readonly tenant: TenantDatabase; readonly delegation: Open; readonly there: There },
): Settled {
  const { tenant, delegation, there } = about;
  const { id, state: here } = delegation;
  const nowMs = context.clock.now();
  const move = (to: OutgoingState, reason: string | null): boolean =>
    moveOutgoing(tenant.$client, id, { from: [here], to, reason, nowMs });
  const end = (to: OutgoingState, reason: string | null): Settled => {
    move(to, reason);
    return { action: "ended", reason };
  };
  const resend = (state: "pending" | "revoking"): Settled => {
    enqueueDelivery(context, tenant, { id, state });
    return { action: "resent", reason: there.reason ?? delegation.reason };
  };
  if (here === "revoking") {
    return there.state === "gone" ? end(endOf(delegation), delegation.reason) : resend(here);
  }
  if (there.state === "gone") return end("failed", there.reason);
  if (there.state === "revoked") {
    const reason = there.reason ?? `"${delegation.to.orgId}" ended it`;
    if (isExpired(delegation.terms, nowMs)) return end("expired", reason);
    return end(here === "pending" ? "refused" : "failed", reason);
  }
  if (!isHeld(tenant, delegation, nowMs)) {
    const reason = notHeld(delegation);
    beginRevocation(context, tenant, { id, reason });
    return { action: "taken-back", reason };
  }
  if (there.state === "none") {
    return tenant.$client.transaction((): Settled => {
      // revoked meanwhile: its message is on the way
      if (!move("pending", null)) return { action: "none", reason: null };
      return resend("pending");
    });
  }
  if (there.state === "unreachable") {
    return here === "pending" ? resend(here) : { action: "none", reason: there.reason };
  }
  if (here === "applied") return { action: "none", reason: null };
  move("applied", null);
  return { action: "confirmed", reason: null };
}

function verdictOf(
  { state: here, terms }: Open,
  now: {
    readonly there: There["state"];
    readonly action: ReconcileAction;
    readonly nowMs: number;
  },
): DelegationVerdict {
  const { there, action, nowMs } = now;
  if (there === "unreachable") return "unknown";
  if (there !== "applied") return "not-applied";
  if (here === "revoking" || action === "taken-back") return "to-be-compensated";
  return isExpired(terms, nowMs) ? "expired" : "applied";
}
