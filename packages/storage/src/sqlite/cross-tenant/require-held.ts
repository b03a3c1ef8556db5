import { StorageError } from "../../errors.ts";
import type { PrincipalKey } from "../../graphs/index.ts";
import { requirePassable } from "../acl/delegation-rules.ts";
import { readLineage } from "../acl/read-lineage.ts";
import type { TenantDatabase } from "../client.ts";
import type { OutgoingDelegation } from "./outgoing.ts";

/** Who delegates what to whom. */
export type Grant = Pick<OutgoingDelegation, "from" | "to" | "terms">;

/**
 * Checks that a principal holds, and may pass on, what it delegates to another organisation.
 *
 * @throws StorageError `NOT_FOUND`, `DELEGATION_NOT_ALLOWED`
 */
export function requireHeld(tenant: TenantDatabase, { from, to, terms }: Grant, now: number): void {
  const source = from.principal;
  const lineage = readLineage(tenant.$client, source);
  if (lineage.principal(source) === null) {
    throw new StorageError("NOT_FOUND", `there is no principal "${source}" in "${from.orgId}"`, {
      details: { principal: source, orgId: from.orgId },
    });
  }
  // for the message: its file does not know the target
  const target: PrincipalKey = `${to.principal}@${to.orgId}`;
  const { narrowedScopes, narrowedResources = {}, narrowable = true, expiresAt = null } = terms;
  const given = { narrowedScopes, narrowedResources, narrowable, expiresAt };
  requirePassable(lineage, { source, target, ...given }, { now, allowUnheld: false });
}

/** Whether the delegator still holds, and may pass on, what it delegated. */
export function isHeld(tenant: TenantDatabase, grant: Grant, now: number): boolean {
  try {
    requireHeld(tenant, grant, now);
    return true;
  } catch (error) {
    if (error instanceof StorageError && NOT_HELD.includes(error.code)) return false;
    throw error;
  }
}

const NOT_HELD: readonly string[] = ["NOT_FOUND", "DELEGATION_NOT_ALLOWED"];
