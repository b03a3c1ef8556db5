import { isDeepStrictEqual } from "node:util";
import { StorageError } from "../../errors.ts";
import type { PrincipalKey } from "../../graphs/index.ts";
import { readPrincipalKey } from "../acl/acl-keys.ts";
import { requireFuture } from "../acl/require-future.ts";
import type { TenantDatabase } from "../client.ts";
import { keyProblem } from "../graph-store/check-row.ts";
import { requireOrgId } from "../tenants/org-id.ts";
import { uuidV7 } from "../uuid-v7.ts";
import type { CrossTenantContext } from "./context.ts";
import { incomingRow } from "./incoming.ts";
import { beginRevocation, enqueueDelivery } from "./outbox.ts";
import {
  type DelegationTerms,
  insertOutgoing,
  type OutgoingDelegation,
  readOutgoing,
} from "./outgoing.ts";
import { requireHeld } from "./require-held.ts";
import { checkedTerms } from "./terms.ts";

/** What is delegated by whom to whom. */
export interface CrossTenantDelegationInput extends DelegationTerms {
  /**
   * Id of the intent: the same one again, after a crash, is the same delegation. 1 to 128 letters, digits
   * and `. _ : -`. Default a new UUID v7.
   */
  readonly id?: string;
  readonly from: { readonly orgId: string; readonly principal: PrincipalKey };
  readonly to: { readonly orgId: string; readonly principal: PrincipalKey };
}

const ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Writes the intent and the message that carries it, in one commit of the delegating file. */
export function delegate(
  context: CrossTenantContext,
  input: CrossTenantDelegationInput,
): OutgoingDelegation {
  const intent = checkedIntent(input);
  const { id, from, terms } = intent;
  return context.tenants.withTenant(from.orgId, (tenant) => {
    const client = tenant.$client;
    return client.transaction((): OutgoingDelegation => {
      const before = readOutgoing(client, id);
      if (before !== null) return sameIntent(before, intent);
      const nowMs = context.clock.now();
      requireFuture(terms.expiresAt, nowMs);
      requireHeld(tenant, intent, nowMs);
      const now = new Date(nowMs);
      const state = "pending";
      insertOutgoing(client, { ...intent, state, reason: null, createdAt: now, updatedAt: now });
      enqueueDelivery(context, tenant, { id, state });
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
    beginRevocation(context, tenant, { id, reason: null });
    const delegation = readOutgoing(client, id);
    if (delegation !== null) return delegation;
    const message = `there is no delegation "${id}" to another organisation`;
    throw new StorageError("NOT_FOUND", message, { details: { id } });
  });
}

type Intent = Pick<OutgoingDelegation, "id" | "from" | "to" | "terms">;

/** @throws StorageError `INVALID_ARGUMENT` */
function checkedIntent(input: CrossTenantDelegationInput): Intent {
  const { id = uuidV7(), from, to, ...given } = input;
  if (typeof id !== "string" || !ID.test(id)) {
    throw new StorageError(
      "INVALID_ARGUMENT",
      'the id of an intent must be 1 to 128 letters, digits, ".", "_", ":" and "-"',
      { details: { id } },
    );
  }
  requireOrgId(from.orgId);
  requireOrgId(to.orgId);
  if (from.orgId === to.orgId) {
    throw new StorageError("INVALID_ARGUMENT", `both principals are of "${from.orgId}"`, {
      hint: "Inside one organisation delegate with its ACL",
    });
  }
  const intent = {
    id,
    from: { orgId: from.orgId, principal: readPrincipalKey(from.principal).key },
    to: { orgId: to.orgId, principal: readPrincipalKey(to.principal).key },
    terms: checkedTerms(given),
  };
  // what the receiving file could never take is refused here
  const problem = keyProblem(incomingRow(intent).stub) ?? keyProblem(intent.to.principal);
  if (problem === null) return intent;
  throw new StorageError("INVALID_ARGUMENT", `the key of the principal there ${problem}`);
}

/** @throws StorageError `ALREADY_EXISTS` */
function sameIntent(before: OutgoingDelegation, now: Intent): OutgoingDelegation {
  const { id, from, to, terms } = before;
  if (isDeepStrictEqual({ id, from, to, terms }, now)) return before;
  throw new StorageError("ALREADY_EXISTS", `the intent "${id}" stands for another delegation`, {
    hint: "Give each delegation an id of its own; to change the terms, revoke it and make a new one",
    details: { id },
  });
}
