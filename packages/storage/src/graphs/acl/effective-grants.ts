import type { AclDelegation, AclPrincipal, AclView } from "./acl-view.ts";
import { type Grant, grantsOf } from "./grant.ts";
import { type GrantSet, intersect, NO_GRANTS, sameGrants, unite } from "./grant-set.ts";
import { Moment } from "./moment.ts";

/** What a principal holds at one moment, and why: the same about everybody above it. */
export interface EffectiveGrants {
  readonly principal: AclPrincipal;
  /** Its own and all that reached it. */
  readonly grants: GrantSet;
  /** Everybody in the lineage, itself included, by key. */
  readonly lineage: ReadonlyMap<string, LineageMember>;
  /** When something above it expires, in milliseconds since 1970; infinity: the answer holds for ever. */
  readonly until: number;
}

/** One principal from whom grants may come. */
export interface LineageMember {
  /** What it holds without any delegation; nothing once it has expired. */
  readonly own: GrantSet;
  /** What it may delegate: its own, and what reached it through delegations that are narrowable. */
  readonly passable: GrantSet;
  /** Delegations to it that are in force. */
  readonly received: readonly NarrowedDelegation[];
}

/** A delegation and the grants it lets through. */
export interface NarrowedDelegation {
  readonly delegation: AclDelegation;
  readonly narrowed: GrantSet;
}

/**
 * What `principal` holds at `now` (milliseconds since 1970): its own grants, and over every delegation
 * in force what its source may pass on, narrowed. Null when there is no such principal.
 *
 * This is the union over all paths of the intersection along each path. Paths are not walked, of which a
 * graph of n principals may have 2^n: intersection distributes over union, so what reached a principal
 * over all paths can be united there once, and narrowed once per delegation. The cost is that of the edges
 * above the principal. A circle, which only foreign writers can make, adds nothing: going round
 * intersects again, and sets that only grow settle.
 */
export function effectiveGrants(
  view: AclView,
  principal: string,
  now: number,
): EffectiveGrants | null {
  const self = view.principal(principal);
  if (self === null) return null;
  const moment = new Moment(now);
  const members = readLineage(view, principal, moment);
  settle(members);
  const { own, received } = members.get(principal) as Member;
  return {
    principal: self,
    grants: hold({ own, from: received, members }),
    lineage: members,
    until: moment.until,
  };
}

interface Member extends LineageMember {
  passable: GrantSet;
  readonly alive: boolean;
}

/** Everybody above `principal`, each after its sources unless they are in a circle. */
function readLineage(view: AclView, principal: string, moment: Moment): Map<string, Member> {
  const members = new Map<string, Member>();
  const opened = new Map<string, Member>();
  const waiting = [principal];
  for (let key = waiting.at(-1); key !== undefined; key = waiting.at(-1)) {
    const known = opened.get(key);
    if (known !== undefined) {
      waiting.pop();
      members.set(key, known);
      continue;
    }
    const member = readMember(view, key, moment);
    opened.set(key, member);
    for (const { delegation } of member.received) {
      if (!opened.has(delegation.source)) waiting.push(delegation.source);
    }
  }
  return members;
}

function readMember(view: AclView, key: string, moment: Moment): Member {
  const principal = view.principal(key);
  if (principal === null || !moment.includes(principal)) {
    return { own: NO_GRANTS, passable: NO_GRANTS, received: [], alive: false };
  }
  const own = grantsOf(principal.scopes, principal.resources);
  for (const permission of view.permissionsOf(key)) {
    if (!moment.includes(permission)) continue;
    own.push(...grantsOf([], { [permission.resource]: permission.actions }));
  }
  const received = view
    .delegationsTo(key)
    .filter((delegation) => moment.includes(delegation))
    .map((delegation) => ({
      delegation,
      narrowed: unite(grantsOf(delegation.narrowedScopes, delegation.narrowedResources)),
    }));
  return { own: unite(own), passable: NO_GRANTS, received, alive: true };
}

/** One round, and one more to see that nothing moves, unless there are circles. */
function settle(members: ReadonlyMap<string, Member>): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const member of members.values()) {
      const from = member.received.filter(({ delegation }) => delegation.narrowable);
      const passable = hold({ own: member.own, from, members });
      if (sameGrants(passable, member.passable)) continue;
      member.passable = passable;
      moved = true;
    }
  }
}

function hold(holder: {
  readonly own: GrantSet;
  readonly from: readonly NarrowedDelegation[];
  readonly members: ReadonlyMap<string, LineageMember>;
}): GrantSet {
  if (holder.from.length === 0) return holder.own;
  const all: Grant[] = [...holder.own];
  for (const { delegation, narrowed } of holder.from) {
    const passable = holder.members.get(delegation.source)?.passable ?? NO_GRANTS;
    all.push(...intersect(passable, narrowed));
  }
  return unite(all);
}
