import type { ResourceActions } from "./acl-view.ts";

/**
 * One scope, or one action on one resource, as a text that a `Set` can hold. Grants form trees: any two
 * are comparable or have nothing in common, because a wildcard stands only at the end.
 */
export type Grant = `s:${string}` | `r:${number}:${string}`;

/** A {@link Grant} for people and code. */
export type ReadableGrant =
  | { readonly scope: string }
  | { readonly resource: string; readonly action: string };

/** The grants of scopes and of actions on resources. */
export function grantsOf(scopes: readonly string[], resources: ResourceActions): Grant[] {
  const grants: Grant[] = scopes.map((scope): Grant => `s:${scope}`);
  for (const [resource, actions] of Object.entries(resources)) {
    for (const action of actions) grants.push(actionGrant(resource, action));
  }
  return grants;
}

/** The grant of one action on one resource, `type:id` or `type:*`. */
function actionGrant(resource: string, action: string): Grant {
  return `r:${action.length}:${action}${resource}`;
}

/** What a grant says. */
export function readGrant(grant: Grant): ReadableGrant {
  if (grant.startsWith("s:")) return { scope: grant.slice(2) };
  const start = resourceStart(grant);
  const action = grant.slice(grant.indexOf(":", 2) + 1, start);
  return { action, resource: grant.slice(start) };
}

/** A grant as one reads it aloud: `graphs:read`, `write on graph:g1`. */
export function grantText(grant: Grant): string {
  const read = readGrant(grant);
  return "scope" in read ? read.scope : `${read.action} on ${read.resource}`;
}

/**
 * The wildcards that include a grant, itself not among them: of `graphs:g1:read` they are `*`,
 * `graphs:*` and `graphs:g1:*`; of an action on `graph:g1`, the same action on `graph:*`.
 */
export function widerGrants(grant: Grant): Grant[] {
  const start = grant.startsWith("s:") ? 2 : resourceStart(grant);
  const prefix = grant.slice(0, start);
  const name = grant.slice(start);
  const wider = start === 2 && name !== "*" ? [`${prefix}*`] : [];
  for (let colon = name.indexOf(":"); colon >= 0; colon = name.indexOf(":", colon + 1)) {
    const wildcard = `${name.slice(0, colon + 1)}*`;
    if (wildcard !== name) wider.push(`${prefix}${wildcard}`);
    if (start !== 2) break; // the id of a resource may have colons of its own
  }
  return wider as Grant[];
}

function resourceStart(grant: Grant): number {
  const colon = grant.indexOf(":", 2);
  return colon + 1 + Number(grant.slice(2, colon));
}
