import { isDeepStrictEqual } from "node:util";
import type { Clock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { type Acl, createAcl } from "../acl/acl.ts";
import type { TenantDatabase } from "../client.ts";
import { requireConsent } from "./consents.ts";
import {
  type IncomingDelegation,
  type IncomingRow,
  putIncoming,
  readIncoming,
} from "./incoming.ts";
import { isExpired } from "./terms.ts";

/** What became of an application. */
export interface Application {
  readonly state: "applied" | "refused" | "expired";
  readonly reason: string | null;
}

/** A refusal that trying again cannot change; whoever receives has to change something first. */
const FINAL: readonly string[] = [
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "DELEGATION_NOT_ALLOWED",
  "DELEGATION_CYCLE",
  "INVALID_ARGUMENT",
  "INVALID_ATTRIBUTES",
];

/** Applies a delegation in the receiving file, in one commit; again is the same as once. */
export function applyIncoming(
  tenant: TenantDatabase,
  incoming: IncomingRow,
  clock: Clock,
): Application {
  try {
    return tenant.$client.transaction((): Application => applyOnce(tenant, incoming, clock));
  } catch (error) {
    if (!(error instanceof StorageError) || !FINAL.includes(error.code)) throw error;
    return { state: "refused", reason: `${error.code}: ${error.message}` };
  }
}

function applyOnce(tenant: TenantDatabase, incoming: IncomingRow, clock: Clock): Application {
  const client = tenant.$client;
  const { fromOrgId, stub, principal, terms } = incoming;
  const before = readIncoming(client, incoming);
  if (before !== null) return again(before, incoming);
  const nowMs = clock.now();
  if (isExpired(terms, nowMs)) return { state: "expired", reason: "it expired before it arrived" };
  requireConsent(client, fromOrgId, terms);
  const acl = aclOf(tenant, clock);
  const { narrowedScopes, narrowedResources, expiresAt } = terms;
  acl.putPrincipal(stub, {
    scopes: narrowedScopes,
    ...(narrowedResources === undefined ? {} : { resources: narrowedResources }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  acl.delegate(stub, principal, terms);
  putIncoming(client, incoming, { state: "applied", reason: null, nowMs });
  return { state: "applied", reason: null };
}

/** An application of what the file knows already. */
function again(before: IncomingDelegation, incoming: IncomingRow): Application {
  if (before.state === "revoked") {
    return { state: "refused", reason: before.reason ?? "it was revoked before it arrived" };
  }
  if (isSameDelegation(before, incoming)) return { state: "applied", reason: null };
  // the delegating file was put back to a time before that one
  const { id, fromOrgId } = incoming;
  throw new StorageError("ALREADY_EXISTS", `"${id}" of "${fromOrgId}" is another delegation here`);
}

/**
 * Takes a delegation out of the receiving file, in one commit, and notes that it is revoked, so that an
 * application that is still on its way finds that.
 *
 * @param how `reason`: null where the delegating side wants it
 */
export function revokeIncoming(
  tenant: TenantDatabase,
  incoming: IncomingRow,
  { clock, reason }: { readonly clock: Clock; readonly reason: string | null },
): void {
  const client = tenant.$client;
  client.transaction(() => {
    const before = readIncoming(client, incoming);
    if (before?.state === "revoked") return;
    aclOf(tenant, clock).removePrincipal((before ?? incoming).stub);
    putIncoming(client, incoming, { state: "revoked", reason, nowMs: clock.now() });
  });
}

/** Whether both say the same about who gives what to whom. */
export function isSameDelegation(one: IncomingRow, other: IncomingRow): boolean {
  const said = ({ stub, principal, terms }: IncomingRow) => ({ stub, principal, terms });
  return isDeepStrictEqual(said(one), said(other));
}

/** Whether the ACL still says what the row says: nobody removed or changed the stub or its delegation. */
export function isInForce(
  tenant: TenantDatabase,
  { stub, principal, terms }: IncomingRow,
  clock: Clock,
): boolean {
  const acl = aclOf(tenant, clock);
  const found = acl.getPrincipal(stub);
  const [edge] = acl.listDelegations({ source: stub, target: principal, limit: 1 }).items;
  if (found === null || edge === undefined) return false;
  const { narrowedScopes, narrowedResources = {}, narrowable = true, expiresAt = null } = terms;
  const wanted = [narrowedScopes, narrowedResources, expiresAt];
  return (
    isDeepStrictEqual([found.scopes, found.resources, found.expiresAt], wanted) &&
    isDeepStrictEqual([edge.narrowedScopes, edge.narrowedResources, edge.expiresAt], wanted) &&
    edge.narrowable === narrowable
  );
}

function aclOf(tenant: TenantDatabase, clock: Clock): Acl {
  return createAcl(tenant, { clock, cacheSize: 0 });
}
