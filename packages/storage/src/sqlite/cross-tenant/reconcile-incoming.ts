import type { TenantDatabase } from "../client.ts";
import { isInForce, isSameDelegation, revokeIncoming } from "./apply-incoming.ts";
import { askOther } from "./ask-other.ts";
import type { CrossTenantContext } from "./context.ts";
import {
  type IncomingDelegation,
  type IncomingKey,
  incomingRow,
  readIncoming,
} from "./incoming.ts";
import { readOutgoing } from "./outgoing.ts";
import { noTenant, takenApart } from "./reasons.ts";
import type { OtherSide, ReconciledDelegation } from "./reconciled.ts";
import { isExpired, isLongExpired } from "./terms.ts";

/** Settles one delegation from the receiving side; null where it has ended meanwhile. */
export function reconcileIncoming(
  context: CrossTenantContext,
  { tenant, orgId }: { readonly tenant: TenantDatabase; readonly orgId: string },
  key: IncomingKey,
): ReconciledDelegation | null {
  const { clock } = context;
  const incoming = readIncoming(tenant.$client, key);
  if (incoming === null || incoming.state === "revoked") return null;
  const { id, fromOrgId, state: here, terms } = incoming;
  const about = { id, side: "incoming", otherOrgId: fromOrgId, here } as const;
  const there = askThere(context, incoming);
  const wrong = wrongThere(there.state, fromOrgId) ?? wrongHere(tenant, { orgId, incoming, clock });
  if (wrong !== null) {
    // null: the delegating side wants it, so its message finds what it would have done
    const reason = there.state === "revoking" ? null : wrong;
    revokeIncoming(tenant, incoming, { clock, reason });
    return { ...about, there: there.state, verdict: "not-applied", action: "ended", reason: wrong };
  }
  const verdict = isExpired(terms, clock.now()) ? "expired" : "applied";
  return { ...about, there: there.state, verdict, action: "none", reason: there.reason };
}

interface There {
  readonly state: OtherSide;
  /** Why it cannot be asked. */
  readonly reason: string | null;
}

function askThere(context: CrossTenantContext, incoming: IncomingDelegation): There {
  const asked = askOther(context, incoming.fromOrgId, (db): There => {
    const outgoing = readOutgoing(db.$client, incoming.id);
    const isThis = outgoing !== null && isSameDelegation(incoming, incomingRow(outgoing));
    return { state: isThis ? outgoing.state : "none", reason: null };
  });
  return asked.state === "answered" ? asked.answer : asked;
}

function wrongThere(state: OtherSide, fromOrgId: string): string | null {
  switch (state) {
    case "pending":
    case "applied":
    case "unreachable":
      return null;
    case "gone":
      return noTenant(fromOrgId);
    case "none":
      return `"${fromOrgId}" knows nothing of it`;
    default:
      return `it has ended in "${fromOrgId}"`;
  }
}

function wrongHere(
  tenant: TenantDatabase,
  about: {
    readonly orgId: string;
    readonly incoming: IncomingDelegation;
    readonly clock: CrossTenantContext["clock"];
  },
): string | null {
  const { orgId, incoming, clock } = about;
  if (isLongExpired(incoming.terms, clock.now())) return "it has expired";
  return isInForce(tenant, incoming, clock) ? null : takenApart(orgId);
}
