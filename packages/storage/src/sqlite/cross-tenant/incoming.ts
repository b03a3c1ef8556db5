import type { Database } from "@alkdev/honker";
import type { IdentityType, PrincipalKey } from "../../graphs/index.ts";
import { principalKey } from "../acl/acl-keys.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "../graph-store/paging.ts";
import type { Page } from "../graph-store/rows.ts";
import type { DelegationTerms, OutgoingDelegation } from "./outgoing.ts";

/** A delegation from another organisation, as the receiving one knows it. */
export interface IncomingDelegation {
  /** Id of the intent; together with `fromOrgId` it is the only one. */
  readonly id: string;
  /** The organisation that delegates. */
  readonly fromOrgId: string;
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

/** What names a delegation in the receiving file. */
export type IncomingKey = Pick<IncomingDelegation, "fromOrgId" | "id">;

/** What the receiving file keeps of a delegation. */
export type IncomingRow = Omit<IncomingDelegation, "state" | "reason" | "updatedAt">;

const COLUMNS = "from_org, id, stub, to_principal, terms, state, reason, updated_at_ms";
const GET = `SELECT ${COLUMNS} FROM _alk_delegations_in WHERE from_org = ? AND id = ?`;
const LIST = `SELECT ${COLUMNS} FROM _alk_delegations_in
  WHERE (from_org, id) > (?, ?) AND state = 'applied' ORDER BY from_org, id LIMIT ?`;
const OF_ORG = `SELECT ${COLUMNS} FROM _alk_delegations_in
  WHERE from_org = ? AND state = 'applied' ORDER BY id`;
const PUT = `INSERT INTO _alk_delegations_in (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (from_org, id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    updated_at_ms = excluded.updated_at_ms`;
const FORGET = "DELETE FROM _alk_delegations_in WHERE state = 'revoked' AND updated_at_ms <= ?";
const CURSOR = { list: "delegations-in", length: 2 } as const;

/**
 * A delegation as the receiving file keeps it. The principal that stands there for the delegator is made for
 * this delegation alone, so it never holds more, and to remove it is to revoke. Neither an organisation's id
 * holds a `/` nor an intent's a `#`, so no two delegations have the same one.
 */
export function incomingRow({ id, from, to, terms }: Intent): IncomingRow {
  const colon = from.principal.indexOf(":");
  const type = from.principal.slice(0, colon) as IdentityType;
  const stub = principalKey(type, `${from.orgId}/${from.principal.slice(colon + 1)}#${id}`);
  return { id, fromOrgId: from.orgId, stub, principal: to.principal, terms };
}

type Intent = Pick<OutgoingDelegation, "id" | "from" | "to" | "terms">;

/** A delegation to this file, or null. */
export function readIncoming(
  client: Database,
  { fromOrgId, id }: IncomingKey,
): IncomingDelegation | null {
  const row = client.prepare(GET).row([fromOrgId, id]);
  return row === undefined ? null : incomingOf(row);
}

/** Delegations that are applied in this file, by organisation and id. @throws StorageError `INVALID_ARGUMENT` */
export function listIncoming(client: Database, page: PageOptions): Page<IncomingDelegation> {
  const limit = pageLimit(page.limit);
  const [fromOrgId = "", id = ""] = readCursor(page.cursor, CURSOR) ?? [];
  const rows = client.prepare(LIST).rows([fromOrgId, id, limit + 1]);
  return pageOf(rows.map(incomingOf), limit, {
    list: CURSOR.list,
    at: (last) => [last.fromOrgId, last.id],
  });
}

/** Delegations from one organisation that are applied in this file. */
export function incomingFrom(client: Database, fromOrgId: string): readonly IncomingDelegation[] {
  return client.prepare(OF_ORG).rows([fromOrgId]).map(incomingOf);
}

/** Notes where a delegation is now. */
export function putIncoming(
  client: Database,
  { id, fromOrgId, stub, principal, terms }: IncomingRow,
  now: {
    readonly state: IncomingDelegation["state"];
    readonly reason: string | null;
    readonly nowMs: number;
  },
): void {
  const given = [fromOrgId, id, stub, principal, JSON.stringify(terms)];
  client.prepare(PUT).run([...given, now.state, now.reason, now.nowMs]);
}

/** Deletes what was revoked at or before that time. */
export function forgetIncoming(client: Database, untilMs: number): number {
  return client.prepare(FORGET).run([untilMs]).changes;
}

function incomingOf(row: readonly unknown[]): IncomingDelegation {
  const [fromOrgId, id, stub, principal, terms, state, reason, updatedAt] = row as [
    ...[string, string, PrincipalKey, PrincipalKey, string],
    ...[IncomingDelegation["state"], string | null, number],
  ];
  return {
    id,
    fromOrgId,
    stub,
    principal,
    terms: JSON.parse(terms),
    state,
    reason,
    updatedAt: new Date(updatedAt),
  };
}
