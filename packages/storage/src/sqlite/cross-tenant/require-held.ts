import { StorageError } from "../../errors.ts";
import type { PrincipalKey } from "../../graphs/index.ts";
import { requirePassable } from "../acl/delegation-rules.ts";
import { readLineage } from "../acl/read-lineage.ts";
import type { TenantDatabase } from "../client.ts";
import type { OutgoingDelegation } from "./outgoing.ts";

/**
 * Checks that a principal holds, and may pass on, what it delegates to another organisation.
 *
 * @throws StorageError `NOT_FOUND`, `DELEGATION_NOT_ALLOWED`
 */
export function requireHeld(
  tenant: TenantDatabase,
  principal: PrincipalKey,
  { terms, nowMs }: { readonly terms: OutgoingDelegation["terms"]; readonly nowMs: number },
): void {
  const lineage = readLineage(tenant.$client, principal);
  if (lineage.principal(principal) === null) {
    throw new StorageError("NOT_FOUND", `there is no principal "${principal}"`, {
      details: { principal },
    });
  }
  const { narrowedScopes, narrowedResources = {}, narrowable = true, expiresAt = null } = terms;
  const target: PrincipalKey = "org:another";
  const given = { narrowedScopes, narrowedResources, narrowable, expiresAt };
  const rules = { now: nowMs, allowUnheld: false };
  requirePassable(lineage, { source: principal, target, ...given }, rules);
}

/** Whether the delegator still holds, and may pass on, what it delegated. */
export function isHeld(
  tenant: TenantDatabase,
  { from, terms }: OutgoingDelegation,
  nowMs: number,
): boolean {
  try {
    requireHeld(tenant, from.principal, { terms, nowMs });
    return true;
  } catch (error) {
    if (error instanceof StorageError && NOT_HELD.includes(error.code)) return false;
    throw error;
  }
}

const NOT_HELD: readonly string[] = ["NOT_FOUND", "DELEGATION_NOT_ALLOWED"];
