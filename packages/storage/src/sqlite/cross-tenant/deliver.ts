import type { Backoff, Clock, Job, JobContext } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { type Application, applyIncoming, incomingRow, revokeIncoming } from "./incoming.ts";
import { moveOutgoing, type OutgoingDelegation, readOutgoing } from "./outgoing.ts";

/** What the parts of cross-tenant delegations share. */
export interface CrossTenantContext {
  readonly tenants: TenantManager;
  readonly clock: Clock;
  /** How often a delegation is tried before it is given up. */
  readonly maxAttempts: number;
  readonly backoff: Exclude<Backoff, (...parameters: never[]) => unknown>;
}

/** A message of the outbox: which delegation to bring to where its state says it should be. */
export interface DelegationMessage {
  readonly id: string;
}

/** Name of the outbox in the delegating file. */
export const DELEGATION_OUTBOX = "cross-tenant";

/**
 * Enqueues a delivery in the open transaction of the delegating file.
 *
 * @param scope `pending`: a delivery that runs may have read the state before; it does not count
 */
export function enqueueDelivery(
  tenant: TenantDatabase,
  id: string,
  options: {
    readonly context: CrossTenantContext;
    readonly scope: "pending" | "pending-or-running";
  },
): void {
  const { maxAttempts, backoff } = options.context;
  const unique = { key: id, scope: options.scope };
  outboxQueue(tenant).enqueue({ id }, { unique, maxAttempts, backoff });
}

/** The queue behind the outbox. */
function outboxQueue(tenant: TenantDatabase) {
  return tenant.$client.queue<DelegationMessage>(`_outbox:${DELEGATION_OUTBOX}`);
}

/**
 * Brings one delegation to where its state says it should be: first a commit in the receiving file, then
 * the confirmation here, with the end of the job. Both can be repeated, so whatever is killed between
 * them is done again without another effect.
 */
export function deliver(
  context: CrossTenantContext,
  { tenant, orgId }: { readonly tenant: TenantDatabase; readonly orgId: string },
  job: Job<DelegationMessage>,
  { complete }: Pick<JobContext, "complete">,
): void {
  const client = tenant.$client;
  const delegation = readOutgoing(client, job.payload.id);
  // of a copy of another organisation's file, or pruned
  if (delegation === null || delegation.from.orgId !== orgId) {
    complete();
    return;
  }
  const move = (change: Omit<Parameters<typeof moveOutgoing>[2], "nowMs">): boolean =>
    moveOutgoing(client, delegation.id, { ...change, nowMs: context.clock.now() });
  if (delegation.state === "revoking") {
    revoke(context, delegation);
    const { reason } = delegation;
    complete(() => void move({ from: ["revoking"], to: endOf(reason), reason }));
    return;
  }
  if (delegation.state !== "pending") {
    complete();
    return;
  }
  let next: ReturnType<typeof applied>;
  try {
    next = applied(context, delegation);
  } catch (error) {
    if (job.attempts < job.maxAttempts) throw error;
    // given up: whether it has an effect there is not known, so it is taken back there
    client.transaction(() => {
      const reason = `given up after ${job.attempts} attempts: ${messageOf(error)}`;
      if (!job.fail(error) || !move({ from: ["pending"], to: "revoking", reason })) return;
      enqueueDelivery(tenant, delegation.id, { context, scope: "pending" });
    });
    return;
  }
  complete(() => void move({ from: ["pending"], ...next }));
}

/** The state in which a delegation ends that is revoked: `failed` where nobody here asked for it. */
export function endOf(reason: string | null): "revoked" | "failed" {
  return reason === null ? "revoked" : "failed";
}

function applied(
  { tenants, clock }: CrossTenantContext,
  delegation: OutgoingDelegation,
): { readonly to: "applied" | "refused" | "failed"; readonly reason: string | null } {
  const { orgId } = delegation.to;
  if (tenants.get(orgId) === null) return { to: "failed", reason: noTenant(orgId) };
  const application = tenants.withTenant(orgId, (db): Application => {
    return applyIncoming(db, delegation, clock);
  });
  if (application.outcome === "applied") return { to: "applied", reason: null };
  const { outcome, reason } = application;
  return { to: "refused", reason: outcome === "refused" ? reason : (reason ?? "it was revoked") };
}

function revoke({ tenants, clock }: CrossTenantContext, delegation: OutgoingDelegation): void {
  const { orgId } = delegation.to;
  // without a tenant there is no effect; a file that comes back is looked through by reconcile()
  if (tenants.get(orgId) === null) return;
  using handle = tenants.open(orgId);
  revokeIncoming(handle.db, incomingRow(delegation), { clock, reason: null });
}

/** Why a delegation to an organisation without a tenant fails. */
export function noTenant(orgId: string): string {
  return `organisation "${orgId}" has no tenant`;
}

function messageOf(error: unknown): string {
  if (error instanceof StorageError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
