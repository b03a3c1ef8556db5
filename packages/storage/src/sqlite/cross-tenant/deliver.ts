import type { Job, JobContext } from "@alkdev/honker";
import type { TenantDatabase } from "../client.ts";
import { applyIncoming, revokeIncoming } from "./apply-incoming.ts";
import type { CrossTenantContext } from "./context.ts";
import { incomingRow } from "./incoming.ts";
import { beginRevocation, type DelegationMessage } from "./outbox.ts";
import {
  moveOutgoing,
  type OutgoingDelegation,
  type OutgoingState,
  readOutgoing,
} from "./outgoing.ts";
import { describeError, endOf, noTenant, notHeld } from "./reasons.ts";
import { isHeld } from "./require-held.ts";

/** A claimed message, and how it ends. */
export interface Delivery extends Pick<JobContext, "complete"> {
  readonly job: Job<DelegationMessage>;
}

/**
 * Brings one delegation to where its state says it should be: first a commit in the receiving file, then
 * the confirmation here, with the end of the job. Both can be repeated, so whatever is killed between
 * them is done again without another effect.
 */
export function deliver(
  context: CrossTenantContext,
  tenant: TenantDatabase,
  delivery: Delivery,
): void {
  const { job, complete } = delivery;
  const delegation = readOutgoing(tenant.$client, job.payload.id);
  if (delegation?.state === "pending") apply(context, { tenant, delegation, ...delivery });
  else if (delegation?.state === "revoking") revoke(context, { tenant, delegation, ...delivery });
  // another message was first, or the file is a copy and its delegations were left to the original
  else complete();
}

interface Step extends Delivery {
  readonly tenant: TenantDatabase;
  readonly delegation: OutgoingDelegation;
}

function apply(context: CrossTenantContext, step: Step): void {
  const { tenant, delegation, job, complete } = step;
  const { id } = delegation;
  const client = tenant.$client;
  if (!isHeld(tenant, delegation, context.clock.now())) {
    complete(() => void beginRevocation(context, tenant, { id, reason: notHeld(delegation) }));
    return;
  }
  let outcome: { readonly to: OutgoingState; readonly reason: string | null };
  try {
    outcome = applyThere(context, delegation);
  } catch (error) {
    if (job.attempts < job.maxAttempts) throw error;
    const reason = `given up after ${job.attempts} attempts: ${describeError(error)}`;
    // whether it has an effect there is not known, so it is taken back there
    client.transaction(() => {
      if (job.fail(error)) beginRevocation(context, tenant, { id, reason });
    });
    return;
  }
  const nowMs = context.clock.now();
  complete(() => void moveOutgoing(client, id, { from: ["pending"], ...outcome, nowMs }));
}

function applyThere({ tenants, clock }: CrossTenantContext, delegation: OutgoingDelegation) {
  const { orgId } = delegation.to;
  if (tenants.get(orgId) === null) return { to: "failed", reason: noTenant(orgId) } as const;
  const incoming = incomingRow(delegation);
  const { state, reason } = tenants.withTenant(orgId, (db) => applyIncoming(db, incoming, clock));
  return { to: state, reason };
}

function revoke({ tenants, clock }: CrossTenantContext, step: Step): void {
  const { tenant, delegation, complete } = step;
  const { id, to, reason } = delegation;
  // without a tenant there is no effect; a file that comes back is looked through by reconcile()
  if (tenants.get(to.orgId) !== null) {
    using handle = tenants.open(to.orgId);
    revokeIncoming(handle.db, incomingRow(delegation), { clock, reason: null });
  }
  const end = { from: ["revoking"], to: endOf(delegation), reason, nowMs: clock.now() } as const;
  complete(() => void moveOutgoing(tenant.$client, id, end));
}
