import { StorageError } from "../../errors.ts";
import {
  type AclDelegation,
  type AclView,
  covers,
  effectiveGrants,
  type Grant,
  grantsOf,
  grantText,
  unite,
} from "../../graphs/index.ts";

/**
 * Checks that a delegation would close no circle. Expired delegations count: their time can be extended.
 *
 * @param above everybody above the source
 * @throws StorageError `DELEGATION_CYCLE`
 */
export function requireNoCircle(
  above: AclView,
  { source, target }: Pick<AclDelegation, "source" | "target">,
): void {
  const circle = pathDown(above, target, source);
  if (circle === null) return;
  const names = [source, ...circle];
  throw new StorageError(
    "DELEGATION_CYCLE",
    `a delegation from "${source}" to "${target}" would close a circle: ${names.join(" → ")}`,
    {
      hint: "Revoke one of the delegations on the circle first; those that have expired count too",
      details: { source, target, circle: names },
    },
  );
}

/**
 * Checks that the source may pass on what the delegation names.
 *
 * @throws StorageError `DELEGATION_NOT_ALLOWED`
 */
export function requirePassable(
  above: AclView,
  delegation: AclDelegation,
  { now, allowUnheld }: { readonly now: number; readonly allowUnheld: boolean },
): void {
  const { source, target, narrowedScopes, narrowedResources } = delegation;
  const effective = effectiveGrants(above, source, now);
  const passable = effective?.lineage.get(source)?.passable;
  if (effective === null || passable === undefined) return;
  const wanted = [...unite(grantsOf(narrowedScopes, narrowedResources))];
  const stuck = wanted.filter((grant) => !covers(passable, grant));
  const kept = stuck.filter((grant) => covers(effective.grants, grant));
  const refuse = (grants: readonly Grant[], why: string, hint: string): StorageError =>
    new StorageError(
      "DELEGATION_NOT_ALLOWED",
      `"${source}" cannot delegate ${grants.map(grantText).join(", ")} to "${target}": ${why}`,
      { hint, details: { source, target, grants: grants.map(grantText) } },
    );
  if (kept.length > 0) {
    const hint = "Delegate from who holds it, or make the delegation above narrowable";
    throw refuse(kept, "it reached it through a delegation that is not narrowable", hint);
  }
  if (stuck.length > 0 && !allowUnheld) {
    const hint = "Name what it holds, or pass allowUnheld for what it shall hold later";
    throw refuse(stuck, "it does not hold that now", hint);
  }
}

/** Keys from `top` down to `bottom` along delegations, or null where none leads there. */
function pathDown(above: AclView, top: string, bottom: string): string[] | null {
  const below = new Map<string, string | null>([[bottom, null]]);
  for (const key of below.keys()) {
    if (key === top) {
      const path: string[] = [];
      for (let at: string | null = top; at !== null; at = below.get(at) ?? null) path.push(at);
      return path;
    }
    for (const { source } of above.delegationsTo(key)) {
      if (!below.has(source)) below.set(source, key);
    }
  }
  return null;
}
