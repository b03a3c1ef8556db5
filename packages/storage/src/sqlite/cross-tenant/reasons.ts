import type { OutgoingDelegation } from "./outgoing.ts";

/** The state in which a delegation ends that is revoked: `failed` where its owner did not ask for it. */
export function endOf({ reason }: OutgoingDelegation): "revoked" | "failed" {
  return reason === null ? "revoked" : "failed";
}

/** Why a delegation to or from an organisation without a tenant ends. */
export function noTenant(orgId: string): string {
  return `organisation "${orgId}" has no tenant`;
}

/** Why a delegation ends whose delegator lost what it gave. */
export function notHeld({ from }: OutgoingDelegation): string {
  return `"${from.principal}" of "${from.orgId}" no longer holds it`;
}

/** Why a delegation ends whose principal or delegation was changed by hand. */
export function takenApart(orgId: string): string {
  return `"${orgId}" removed or changed it`;
}

/** An error in one line, with its code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? `${code}: ${error.message}` : error.message;
}
