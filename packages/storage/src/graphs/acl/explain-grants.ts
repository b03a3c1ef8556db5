import { StorageError } from "../../errors.ts";
import type { AclDelegation, AclView, PrincipalKey } from "./acl-view.ts";
import {
  type EffectiveGrants,
  effectiveGrants,
  type LineageMember,
  type NarrowedDelegation,
} from "./effective-grants.ts";
import { type Grant, grantText, type ReadableGrant, readGrant, widerGrants } from "./grant.ts";
import { covers } from "./grant-set.ts";

/** Why a principal holds one scope, or one action on one resource. */
export interface GrantExplanation {
  readonly grant: ReadableGrant;
  /** The ways it came, the shortest first. */
  readonly paths: readonly GrantPath[];
  /** False: there are more paths than `maxPaths`. */
  readonly complete: boolean;
}

/** One way from somebody who holds a grant to the principal that was asked about. */
export interface GrantPath {
  /** Who holds it without any delegation. */
  readonly root: PrincipalKey;
  /** The grant as the root holds it; the principal's own may be narrower. */
  readonly holds: ReadableGrant;
  /** From the root to the principal; empty when the principal is the root. */
  readonly delegations: readonly AclDelegation[];
  /** The way as a sentence. */
  readonly text: string;
}

/** When, and how much of it. */
export interface ExplainOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Most paths listed per grant, default 20; a graph may have more than can be listed. */
  readonly maxPaths?: number;
}

/**
 * Why a principal holds what it holds: for each of its grants the paths that give it. Null when there
 * is no such principal.
 *
 * @throws StorageError `INVALID_ARGUMENT` for a `maxPaths` that is no whole number from 1
 */
export function explainGrants(
  view: AclView,
  principal: string,
  { now, maxPaths = 20 }: ExplainOptions,
): readonly GrantExplanation[] | null {
  if (!Number.isInteger(maxPaths) || maxPaths < 1) {
    const message = `maxPaths is ${maxPaths}, not a whole number from 1`;
    throw new StorageError("INVALID_ARGUMENT", message, { details: { maxPaths } });
  }
  const effective = effectiveGrants(view, principal, now);
  if (effective === null) return null;
  return [...effective.grants].sort().map((grant) => explainGrant(effective, grant, maxPaths));
}

/** A bound for graphs with circles, where trails can end without having led to anybody. */
const MOST_STEPS = 1_000_000;

/** The way from one principal down to the one that was asked about. */
interface Trail {
  readonly key: PrincipalKey;
  /** Null at the end. */
  readonly next: { readonly by: AclDelegation; readonly trail: Trail } | null;
}

function explainGrant(
  { principal, lineage }: EffectiveGrants,
  grant: Grant,
  maxPaths: number,
): GrantExplanation {
  const paths: GrantPath[] = [];
  const open: Trail[] = [{ key: principal.key, next: null }];
  let steps = 0;
  // depth first: breadth first would hold 2^20 trails before it comes to the root of twenty diamonds
  for (let trail = open.pop(); trail !== undefined; trail = open.pop()) {
    if (paths.length === maxPaths || steps === MOST_STEPS) {
      return { grant: readGrant(grant), paths: shortestFirst(paths), complete: false };
    }
    steps += 1;
    const member = lineage.get(trail.key) as LineageMember;
    if (covers(member.own, grant)) paths.push(pathOf(trail, holdingOf(member, grant)));
    for (const received of member.received) {
      if (gives(received, grant, { trail, lineage })) {
        open.push({ key: received.delegation.source, next: { by: received.delegation, trail } });
      }
    }
  }
  return { grant: readGrant(grant), paths: shortestFirst(paths), complete: true };
}

function shortestFirst(paths: readonly GrantPath[]): readonly GrantPath[] {
  return paths.toSorted((one, other) => one.delegations.length - other.delegations.length);
}

/** Whether the grant came over this delegation: then at least one path does. */
function gives(
  { delegation, narrowed }: NarrowedDelegation,
  grant: Grant,
  { trail, lineage }: { trail: Trail; lineage: EffectiveGrants["lineage"] },
): boolean {
  if (trail.next !== null && !delegation.narrowable) return false;
  const source = lineage.get(delegation.source);
  if (source === undefined || !covers(narrowed, grant)) return false;
  return covers(source.passable, grant) && !isOn(trail, delegation.source);
}

function isOn(trail: Trail, key: string): boolean {
  for (let at: Trail | undefined = trail; at !== undefined; at = at.next?.trail) {
    if (at.key === key) return true;
  }
  return false;
}

function holdingOf({ own }: LineageMember, grant: Grant): Grant {
  return own.has(grant) ? grant : (widerGrants(grant).find((wider) => own.has(wider)) ?? grant);
}

function pathOf(trail: Trail, holding: Grant): GrantPath {
  const delegations: AclDelegation[] = [];
  for (let { next } = trail; next !== null; next = next.trail.next) delegations.push(next.by);
  const steps = delegations.map(
    ({ target, expiresAt }) =>
      ` → ${target}${expiresAt === null ? "" : ` until ${timeText(expiresAt)}`}`,
  );
  return {
    root: trail.key,
    holds: readGrant(holding),
    delegations,
    text: `${trail.key} holds ${grantText(holding)}${steps.join("")}`,
  };
}

function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `${ms} ms` : time.toISOString();
}
