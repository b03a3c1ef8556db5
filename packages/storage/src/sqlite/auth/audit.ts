import type { SystemDatabase } from "../client.ts";
import { auditLogOperations } from "../operations/tables/audit-logs.ts";
import type { AUDIT_CREDENTIAL_TYPES } from "../tables/identity/audit-logs.ts";
import { callTable } from "./call-table.ts";

/** What kind of credential somebody has shown. */
export type CredentialType = (typeof AUDIT_CREDENTIAL_TYPES)[number];

/** By whom something is done, for the audit trail. A `Principal` is one. */
export interface Actor {
  readonly accountId: string;
  readonly credentialId?: string;
  readonly credentialType?: CredentialType;
}

/** One line of the audit trail. */
export interface AuditEntry {
  /** What was done: `api_key.revoked`. */
  readonly action: string;
  readonly by: Actor;
  readonly orgId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a row of `audit_logs` and the same on the stream `audit-events`, in the open transaction.
 *
 * @throws StorageError `REFERENCE_NOT_FOUND` where there is no such account
 */
export function recordAudit(system: SystemDatabase, entry: AuditEntry): void {
  const { action, by, orgId, details } = entry;
  const { accountId: ownerId, credentialId, credentialType } = by;
  callTable({ system, operations: auditLogOperations }, "create", {
    action,
    ownerId,
    ...(credentialId === undefined || credentialType === undefined
      ? {}
      : { credentialId, credentialType }),
    ...(orgId === undefined ? {} : { orgId }),
    ...(details === undefined ? {} : { details }),
  });
}
