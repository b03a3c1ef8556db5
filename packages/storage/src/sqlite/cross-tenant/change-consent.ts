import { StorageError } from "../../errors.ts";
import type { ResourceActions } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import { requireOrgId } from "../tenants/org-id.ts";
import { revokeIncoming } from "./apply-incoming.ts";
import { putConsent, removeConsent, requireConsent } from "./consents.ts";
import type { CrossTenantContext } from "./context.ts";
import { incomingFrom } from "./incoming.ts";
import { checkedTerms } from "./terms.ts";

/** What is consented to. */
export interface ConsentInput {
  /** The organisation that may delegate. */
  readonly from: string;
  /** At most these scopes. */
  readonly scopes: readonly string[];
  /** At most these actions, by resource. Default none. */
  readonly resources?: ResourceActions;
}

/** Writes a consent, and ends what it no longer covers, in one commit. */
export function allow(
  { clock }: CrossTenantContext,
  tenant: TenantDatabase,
  { from, scopes, resources = {} }: ConsentInput,
): void {
  requireOrgId(from);
  checkedTerms({ narrowedScopes: scopes, narrowedResources: resources });
  const client = tenant.$client;
  client.transaction(() => {
    putConsent(client, { fromOrgId: from, scopes, resources });
    for (const incoming of incomingFrom(client, from)) {
      try {
        requireConsent(client, from, incoming.terms);
      } catch (error) {
        if (!(error instanceof StorageError && error.code === "DELEGATION_NOT_ALLOWED"))
          throw error;
        revokeIncoming(tenant, incoming, { clock, reason: error.message });
      }
    }
  });
}

/** Removes a consent, and ends all that was delegated by it, in one commit. */
export function disallow(
  { clock }: CrossTenantContext,
  tenant: TenantDatabase,
  from: string,
): boolean {
  const client = tenant.$client;
  const ended = client.transaction(() => {
    const reason = "the organisation withdrew its consent";
    for (const incoming of incomingFrom(client, from)) {
      revokeIncoming(tenant, incoming, { clock, reason });
    }
    return { removed: removeConsent(client, from) };
  });
  return ended.removed;
}
