import type { Identity } from "@alkdev/operations";
import type { AclView } from "./acl-view.ts";
import { type EffectiveGrants, effectiveGrants } from "./effective-grants.ts";
import { readGrant } from "./grant.ts";

/**
 * What a principal may do at `now` (milliseconds since 1970), or null when there is no such principal.
 *
 * @example
 * ```ts
 * const identity = effectiveIdentity(aclView(parts), "service:bot", Date.now());
 * ```
 */
export function effectiveIdentity(view: AclView, principal: string, now: number): Identity | null {
  const effective = effectiveGrants(view, principal, now);
  return effective === null ? null : identityFrom(effective);
}

/** Grants as an identity: sorted and frozen, so that it can be shared. */
export function identityFrom({ principal, grants }: EffectiveGrants): Identity {
  const scopes: string[] = [];
  const actions = new Map<string, string[]>();
  for (const grant of [...grants].sort()) {
    const read = readGrant(grant);
    if ("scope" in read) scopes.push(read.scope);
    else actions.set(read.resource, [...(actions.get(read.resource) ?? []), read.action]);
  }
  const id = principal.identityId;
  if (actions.size === 0) return Object.freeze({ id, scopes: Object.freeze(scopes) });
  const resources = Object.fromEntries(
    [...actions]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([resource, of]) => [resource, Object.freeze(of.sort())]),
  );
  return Object.freeze({
    id,
    scopes: Object.freeze(scopes),
    resources: Object.freeze(resources),
  });
}
