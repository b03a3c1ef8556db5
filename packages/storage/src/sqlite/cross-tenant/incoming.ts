import type { Clock, Database } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { IdentityType, PrincipalKey } from "../../graphs/index.ts";
import { type Acl, createAcl } from "../acl/acl.ts";
import { principalKey } from "../acl/acl-keys.ts";
import type { TenantDatabase } from "../client.ts";
import { requireConsent } from "./consents.ts";
import type { DelegationTerms, OutgoingDelegation } from "./outgoing.ts";

/** A delegation from another organisation, as the receiving one knows it. */
export interface IncomingDelegation {
  readonly id: string;
  /** The organisation that delegates. */
  readonly fromOrgId: string;
  /** The organisation of this row; another one where the file is a copy. */
  readonly toOrgId: string;
  /** Key of the principal that stands here for the one who delegates. */
  readonly stub: PrincipalKey;
  readonly principal: PrincipalKey;
  readonly terms: DelegationTerms;
  /** `revoked` also where it was revoked before it was applied: then it never will be. */
  readonly state: "applied" | "revoked";
  /** Why it was revoked from this side; null where the delegating side did. */
  readonly reason: string | null;
  readonly updatedAt: Date;
}

/** What became of an application. */
export type Application =
  | { readonly outcome: "applied" }
  /** It had been revoked before. */
  | { readonly outcome: "revoked"; readonly reason: string | null }
  | { readonly outcome: "refused"; readonly reason: string };

const COLUMNS = "id, from_org, to_org, stub, to_principal, terms, state, reason, updated_at_ms";
const GET = `SELECT ${COLUMNS} FROM _alk_delegations_in WHERE id = ?`;
const LIST = `SELECT ${COLUMNS} FROM _alk_delegations_in
  WHERE state = 'applied' AND id > ? ORDER BY id LIMIT ?`;
const OF_ORG = `SELECT ${COLUMNS} FROM _alk_delegations_in
  WHERE state = 'applied' AND from_org = ? ORDER BY id`;
const PUT = `INSERT INTO _alk_delegations_in (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    updated_at_ms = excluded.updated_at_ms`;
const FORGET = "DELETE FROM _alk_delegations_in WHERE state = 'revoked' AND updated_at_ms <= ?";

/** A refusal that trying again cannot change; whoever receives has to change something first. */
const FINAL: readonly string[] = [
  "NOT_FOUND",
  "DELEGATION_NOT_ALLOWED",
  "DELEGATION_CYCLE",
  "INVALID_ARGUMENT",
  "INVALID_ATTRIBUTES",
];

/** What the receiving file keeps of a delegation. */
export type IncomingRow = Omit<IncomingDelegation, "state" | "reason" | "updatedAt">;

/**
 * A delegation as the receiving file keeps it. The principal that stands there for the delegator is made for
 * this delegation alone, so it never holds more, and to remove it is to revoke.
 */
export function incomingRow({ id, from, to, terms }: OutgoingDelegation): IncomingRow {
  const colon = from.principal.indexOf(":");
  const type = from.principal.slice(0, colon) as IdentityType;
  const stub = principalKey(type, `${from.orgId}/${from.principal.slice(colon + 1)}#${id}`);
  return { id, fromOrgId: from.orgId, toOrgId: to.orgId, stub, principal: to.principal, terms };
}

/** Applies a delegation in the receiving file, in one commit; again is the same as once. */
export function applyIncoming(
  tenant: TenantDatabase,
  delegation: OutgoingDelegation,
  clock: Clock,
): Application {
  const client = tenant.$client;
  const incoming = incomingRow(delegation);
  const { id, fromOrgId, stub, principal, terms } = incoming;
  try {
    return client.transaction((): Application => {
      const before = readIncoming(client, id);
      if (before?.state === "applied") return { outcome: "applied" };
      if (before !== null) return { outcome: "revoked", reason: before.reason };
      requireConsent(client, fromOrgId, terms);
      const acl = aclOf(tenant, clock);
      const { narrowedScopes, narrowedResources, expiresAt } = terms;
      acl.putPrincipal(stub, {
        scopes: narrowedScopes,
        ...(narrowedResources === undefined ? {} : { resources: narrowedResources }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      acl.delegate(stub, principal, terms);
      put(client, incoming, { state: "applied", reason: null, nowMs: clock.now() });
      return { outcome: "applied" };
    });
  } catch (error) {
    if (!(error instanceof StorageError) || !FINAL.includes(error.code)) throw error;
    return { outcome: "refused", reason: `${error.code}: ${error.message}` };
  }
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
    const before = readIncoming(client, incoming.id);
    if (before?.state === "revoked") return;
    aclOf(tenant, clock).removePrincipal(incoming.stub);
    put(client, incoming, { state: "revoked", reason, nowMs: clock.now() });
  });
}

/** Whether the ACL still says what the row says: nobody removed or changed the stub or its delegation. */
export function isInForce(tenant: TenantDatabase, incoming: IncomingDelegation): boolean {
  const acl = aclOf(tenant, { now: () => Date.now() });
  const { stub, principal, terms } = incoming;
  const found = acl.getPrincipal(stub);
  const [edge] = acl.listDelegations({ source: stub, target: principal, limit: 1 }).items;
  if (found === null || edge === undefined) return false;
  const { narrowedScopes, narrowedResources = {}, expiresAt = null } = terms;
  const wanted = JSON.stringify([narrowedScopes, narrowedResources, expiresAt]);
  return (
    JSON.stringify([found.scopes, found.resources, found.expiresAt]) === wanted &&
    JSON.stringify([edge.narrowedScopes, edge.narrowedResources, edge.expiresAt]) === wanted
  );
}

/** A delegation to this file, or null. */
export function readIncoming(client: Database, id: string): IncomingDelegation | null {
  const row = client.prepare(GET).row([id]);
  return row === undefined ? null : incomingOf(row);
}

/** Delegations that are applied in this file, by id. */
export function listIncoming(
  client: Database,
  { after = "", limit = 100 }: { readonly after?: string; readonly limit?: number } = {},
): readonly IncomingDelegation[] {
  return client.prepare(LIST).rows([after, limit]).map(incomingOf);
}

/** Delegations from one organisation that are applied in this file. */
export function incomingFrom(client: Database, fromOrgId: string): readonly IncomingDelegation[] {
  return client.prepare(OF_ORG).rows([fromOrgId]).map(incomingOf);
}

/** Deletes what was revoked at or before that time. */
export function forgetIncoming(client: Database, untilMs: number): number {
  return client.prepare(FORGET).run([untilMs]).changes;
}

function put(
  client: Database,
  { id, fromOrgId, toOrgId, stub, principal, terms }: IncomingRow,
  now: { readonly state: string; readonly reason: string | null; readonly nowMs: number },
): void {
  const ends = [fromOrgId, toOrgId, stub, principal];
  client.prepare(PUT).run([id, ...ends, JSON.stringify(terms), now.state, now.reason, now.nowMs]);
}

function aclOf(tenant: TenantDatabase, clock: Clock): Acl {
  return createAcl(tenant, { clock, cacheSize: 0 });
}

function incomingOf(row: readonly unknown[]): IncomingDelegation {
  const [id, fromOrgId, toOrgId, stub, principal, terms, state, reason, updatedAt] = row as [
    ...[string, string, string, PrincipalKey, PrincipalKey, string],
    ...[IncomingDelegation["state"], string | null, number],
  ];
  return {
    id,
    fromOrgId,
    toOrgId,
    stub,
    principal,
    terms: JSON.parse(terms),
    state,
    reason,
    updatedAt: new Date(updatedAt),
  };
}
