import type { Database } from "@alkdev/honker";
import type { PrincipalKey, ResourceActions } from "../../graphs/index.ts";
import { type PageOptions, pageLimit, pageOf, readCursor } from "../graph-store/paging.ts";
import type { Page } from "../graph-store/rows.ts";

/**
 * Where a delegation to another organisation is, as its own file knows it. It begins as `pending` and is
 * `applied` once the other file has it. `revoking`: it shall end, and the other file may still have it.
 * Ends: `refused` by the receiver, `revoked` by its owner, `expired`, or `failed` for another reason.
 */
export type OutgoingState =
  | "pending"
  | "applied"
  | "refused"
  | "expired"
  | "revoking"
  | "revoked"
  | "failed";

/** What is delegated, and how far. */
export interface DelegationTerms {
  /** Exactly these scopes. */
  readonly narrowedScopes: readonly string[];
  /** Exactly these actions, by resource `type:id` or `type:*`. Default none. */
  readonly narrowedResources?: ResourceActions;
  /** False: the target may not delegate them further. Default true. */
  readonly narrowable?: boolean;
  /** Milliseconds since 1970 from which on it is void. Default never. */
  readonly expiresAt?: number;
}

/** A delegation from one organisation to another, as the delegating one knows it. */
export interface OutgoingDelegation {
  /** Id of the intent, the same on both sides. */
  readonly id: string;
  readonly from: { readonly orgId: string; readonly principal: PrincipalKey };
  readonly to: { readonly orgId: string; readonly principal: PrincipalKey };
  readonly terms: DelegationTerms;
  readonly state: OutgoingState;
  /** Why it was refused, failed, or ends without being asked to; else null. */
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Which delegations. */
export interface ListOutgoingOptions extends PageOptions {
  /** Only those in one of these states. Default all. */
  readonly states?: readonly OutgoingState[];
}

/** A state to move to, if the delegation is still in one of those from which the move was decided. */
export interface OutgoingMove {
  readonly from: readonly OutgoingState[];
  readonly to: OutgoingState;
  readonly reason: string | null;
  readonly nowMs: number;
}

const COLUMNS = `id, from_org, from_principal, to_org, to_principal, terms, state, reason,
  created_at_ms, updated_at_ms`;
const GET = `SELECT ${COLUMNS} FROM _alk_delegations_out WHERE id = ?`;
const LIST = `SELECT ${COLUMNS} FROM _alk_delegations_out
  WHERE id > ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?`;
const INSERT = `INSERT INTO _alk_delegations_out (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const MOVE = `UPDATE _alk_delegations_out SET state = ?, reason = ?, updated_at_ms = ?
  WHERE id = ? AND state IN (SELECT value FROM json_each(?))`;
const FORGET = `DELETE FROM _alk_delegations_out
  WHERE state IN ('refused', 'expired', 'revoked', 'failed') AND updated_at_ms <= ?`;

const ALL: readonly OutgoingState[] = [
  "pending",
  "applied",
  "refused",
  "expired",
  "revoking",
  "revoked",
  "failed",
];
const CURSOR = { list: "delegations-out", length: 1 } as const;

/** A delegation of this file, or null. */
export function readOutgoing(client: Database, id: string): OutgoingDelegation | null {
  const row = client.prepare(GET).row([id]);
  return row === undefined ? null : outgoingOf(row);
}

/** Delegations of this file by id. @throws StorageError `INVALID_ARGUMENT` */
export function listOutgoing(
  client: Database,
  { states = ALL, ...page }: ListOutgoingOptions,
): Page<OutgoingDelegation> {
  const limit = pageLimit(page.limit);
  const [after = ""] = readCursor(page.cursor, CURSOR) ?? [];
  const rows = client.prepare(LIST).rows([after, JSON.stringify(states), limit + 1]);
  return pageOf(rows.map(outgoingOf), limit, { list: CURSOR.list, at: ({ id }) => [id] });
}

/** Writes a new delegation. */
export function insertOutgoing(client: Database, delegation: OutgoingDelegation): void {
  const { id, from, to, terms, state, reason, createdAt, updatedAt } = delegation;
  const ends = [from.orgId, from.principal, to.orgId, to.principal];
  const times = [createdAt.getTime(), updatedAt.getTime()];
  client.prepare(INSERT).run([id, ...ends, JSON.stringify(terms), state, reason, ...times]);
}

/** Moves a delegation to another state. False where somebody else moved it meanwhile. */
export function moveOutgoing(client: Database, id: string, move: OutgoingMove): boolean {
  const { from, to, reason, nowMs } = move;
  return client.prepare(MOVE).run([to, reason, nowMs, id, JSON.stringify(from)]).changes > 0;
}

/** Deletes delegations that ended at or before that time. */
export function forgetOutgoing(client: Database, untilMs: number): number {
  return client.prepare(FORGET).run([untilMs]).changes;
}

function outgoingOf(row: readonly unknown[]): OutgoingDelegation {
  const [id, fromOrg, fromPrincipal, toOrg, toPrincipal, terms, state, reason] = row as [
    ...[string, string, PrincipalKey, string, PrincipalKey],
    ...[string, OutgoingState, string | null],
  ];
  const [createdAt, updatedAt] = row.slice(8) as [number, number];
  return {
    id,
    from: { orgId: fromOrg, principal: fromPrincipal },
    to: { orgId: toOrg, principal: toPrincipal },
    terms: JSON.parse(terms),
    state,
    reason,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
