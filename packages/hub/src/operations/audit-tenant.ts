import type { OperationContext } from "@alkdev/operations";
import { recordAudit, type SystemDatabase } from "@alkdev/storage/sqlite";
import { actorOf } from "./actor-of.ts";

/** What was done to a tenant. */
export interface TenantDeed {
  /** In the past: `tenant.suspended`. */
  readonly action: `tenant.${string}`;
  readonly orgId: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes a line of the audit trail, by the caller; in the open transaction if there is one. */
export function auditTenant(
  system: SystemDatabase,
  context: OperationContext,
  deed: TenantDeed,
): void {
  recordAudit(system, { ...deed, by: actorOf(context) });
}
