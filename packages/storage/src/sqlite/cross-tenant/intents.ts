import { isDeepStrictEqual } from "node:util";
import { StorageError } from "../../errors.ts";
import type { PrincipalKey } from "../../graphs/index.ts";
import { readPrincipalKey } from "../acl/acl-keys.ts";
import { requireFuture } from "../acl/require-future.ts";
import type { TenantDatabase } from "../client.ts";
import { requireOrgId } from "../tenants/org-id.ts";
import { uuidV7 } from "../uuid-v7.ts";
import { type CrossTenantContext, enqueueDelivery } from "./deliver.ts";
import {
  type DelegationTerms,
  insertOutgoing,
  moveOutgoing,
  type OutgoingDelegation,
  readOutgoing,
} from "./outgoing.ts";
import { requireHeld } from "./require-held.ts";
import { checkedTerms } from "./terms.ts";

/** What is delegated by whom to whom. */
export interface CrossTenantDelegationInput extends DelegationTerms {
  /** Id of the intent: the same one again, after a crash, is the same delegation. Default a new UUID v7. */
  readonly id?: string;
  readonly from: { readonly orgId: string; readonly principal: PrincipalKey };
  readonly to: { readonly orgId: string; readonly principal: PrincipalKey };
}

/** Writes the intent and the message that carries it, in one commit of the delegating file. */
export function delegate(
  context: CrossTenantContext,
  { id = uuidV7(), from, to, ...given }: CrossTenantDelegationInput,
): OutgoingDelegation {
  const terms = checkedTerms(given);
  if (typeof id !== "string" || id === "" || id.length > 128) {
    throw new StorageError(
      "INVALID_ARGUMENT",
      "the id of an intent is a text of 1 to 128 characters",
    );
  }
  requireOrgId(to.orgId);
  const ends = {
    from: { orgId: from.orgId, principal: readPrincipalKey(from.principal).key },
    to: { orgId: to.orgId, principal: readPrincipalKey(to.principal).key },
  };
  if (from.orgId === to.orgId) {
    throw new StorageError("INVALID_ARGUMENT", `both principals are of "${from.orgId}"`, {
      hint: "Inside one organisation delegate with its ACL",
    });
  }
  return context.tenants.withTenant(from.orgId, (tenant) => {
    const client = tenant.$client;
    return client.transaction((): OutgoingDelegation => {
      const before = readOutgoing(client, id);
      if (before !== null) return sameIntent(before, { ...ends, terms });
      const nowMs = context.clock.now();
      requireFuture(terms.expiresAt, nowMs);
      requireHeld(tenant, ends.from.principal, { terms, nowMs });
      const now = new Date(nowMs);
      const times = { createdAt: now, updatedAt: now };
      insertOutgoing(client, { id, ...ends, terms, state: "pending", reason: null, ...times });
      enqueueDelivery(tenant, id, { context, scope: "pending" });
      return readOutgoing(client, id) as OutgoingDelegation;
    });
  });
}

/** Notes that a delegation shall end, and sends the message that ends it, in one commit. */
export function revoke(
  context: CrossTenantContext,
  tenant: TenantDatabase,
  id: string,
): OutgoingDelegation {
  const client = tenant.$client;
  return client.transaction((): OutgoingDelegation => {
    if (readOutgoing(client, id) === null) {
      throw new StorageError(
        "NOT_FOUND",
        `there is no delegation "${id}" to another organisation`,
        {
          details: { id },
        },
      );
    }
    const nowMs = context.clock.now();
    const from = ["pending", "applied"] as const;
    if (moveOutgoing(client, id, { from, to: "revoking", reason: null, nowMs })) {
      enqueueDelivery(tenant, id, { context, scope: "pending" });
    }
    return readOutgoing(client, id) as OutgoingDelegation;
  });
}

/** @throws StorageError `ALREADY_EXISTS` */
function sameIntent(
  before: OutgoingDelegation,
  now: Pick<OutgoingDelegation, "from" | "to" | "terms">,
): OutgoingDelegation {
  const { id, from, to, terms } = before;
  if (isDeepStrictEqual({ from, to, terms }, now)) return before;
  throw new StorageError("ALREADY_EXISTS", `the intent "${id}" stands for another delegation`, {
    hint: "Give each delegation an id of its own; to change the terms, revoke it and make a new one",
    details: { id },
  });
}
