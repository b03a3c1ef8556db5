import { type Grant, widerGrants } from "./grant.ts";

/** Grants of which none includes another: the shortest way to say what somebody holds. */
export type GrantSet = ReadonlySet<Grant>;

/** Holds nothing. */
export const NO_GRANTS: GrantSet = new Set();

/** Everything that any of the grants gives, without those that a wildcard among them includes. */
export function unite(grants: Iterable<Grant>): GrantSet {
  const all = new Set(grants);
  for (const grant of all) {
    if (widerGrants(grant).some((wider) => all.has(wider))) all.delete(grant);
  }
  return all;
}

/** What both sets give: of two grants one of which includes the other, the narrower. */
export function intersect(one: GrantSet, other: GrantSet): GrantSet {
  if (one.size === 0 || other.size === 0) return NO_GRANTS;
  const both = new Set<Grant>();
  for (const grant of one) if (covers(other, grant)) both.add(grant);
  for (const grant of other) if (covers(one, grant)) both.add(grant);
  return both;
}

/** Whether a set gives all that `grant` gives. */
export function covers(set: GrantSet, grant: Grant): boolean {
  return set.has(grant) || widerGrants(grant).some((wider) => set.has(wider));
}

/** Whether two sets give the same. */
export function sameGrants(one: GrantSet, other: GrantSet): boolean {
  if (one.size !== other.size) return false;
  for (const grant of one) if (!other.has(grant)) return false;
  return true;
}
