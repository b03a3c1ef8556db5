import { StorageError } from "../../errors.ts";
import {
  type AclPrincipal,
  covers,
  grantsOf,
  type IdentityType,
  type PrincipalKey,
  type ResourceActions,
  unite,
} from "../../graphs/index.ts";
import type { PageOptions } from "../graph-store/paging.ts";
import type { Page } from "../graph-store/rows.ts";
import type { AclContext } from "./acl-context.ts";
import { readPrincipalKey, readResource } from "./acl-keys.ts";
import { delegationOf, principalOf } from "./acl-rows.ts";
import { allPages } from "./all-pages.ts";

/** What a principal holds of its own. */
export interface PrincipalInput {
  /** Default none. */
  readonly scopes?: readonly string[];
  /** Actions by resource, `type:id` or `type:*`. Default none. */
  readonly resources?: ResourceActions;
  /** Milliseconds since 1970 from which on it holds nothing. Default never. */
  readonly expiresAt?: number;
}

/** Which principals. */
export interface ListPrincipalsOptions extends PageOptions {
  /** Default all. */
  readonly identityType?: IdentityType;
}

/** Writes a principal: a new one, or all that an existing one holds of its own. */
export function putPrincipal(
  context: AclContext,
  principal: PrincipalKey,
  input: PrincipalInput,
): AclPrincipal {
  const { key, identityType, identityId } = readPrincipalKey(principal);
  const { scopes = [], resources, expiresAt } = input;
  for (const resource of Object.keys(resources ?? {})) readResource(resource);
  const attributes = {
    identityType,
    identityId,
    scopes,
    ...(resources === undefined ? {} : { resources }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  context.write((graph, changes) => {
    const { unchanged } = graph.upsertNodes([{ key, type: "principal", attributes }]);
    if (unchanged === 0) changes.add(key);
  });
  return principalOf(key, attributes);
}

/** Removes a principal with its delegations and permissions. False where there is none. */
export function removePrincipal(context: AclContext, principal: PrincipalKey): boolean {
  const { key } = readPrincipalKey(principal);
  if (context.principal(key) === null) return false;
  return context.write((graph, changes) => {
    for (const edge of allPages((cursor) =>
      graph.listEdges({ type: "delegates", source: key, cursor }),
    )) {
      changes.add(key, delegationOf(edge).target);
    }
    changes.add(key);
    return graph.deleteNodes([key]) > 0;
  });
}

/** Principals by key, page by page. */
export function listPrincipals(
  context: AclContext,
  { identityType, ...page }: ListPrincipalsOptions,
): Page<AclPrincipal> {
  const list = context.graph()?.listNodes({
    ...page,
    type: "principal",
    ...(identityType === undefined ? {} : { where: { identityType } }),
  });
  if (list === undefined) return { items: [], cursor: null };
  return {
    ...list,
    items: list.items.map(({ key, attributes }) => principalOf(key, attributes)),
  };
}

/** Adds scopes to what a principal holds of its own. */
export function grantScopes(
  context: AclContext,
  principal: PrincipalKey,
  scopes: readonly string[],
): AclPrincipal {
  requireScopes(scopes);
  return changeScopes(context, principal, (held) => [...new Set([...held, ...scopes])]);
}

/** Takes from what a principal holds of its own everything that these scopes include. */
export function revokeScopes(
  context: AclContext,
  principal: PrincipalKey,
  scopes: readonly string[],
): AclPrincipal {
  requireScopes(scopes);
  const revoked = unite(grantsOf(scopes, {}));
  return changeScopes(context, principal, (held) => {
    const left = held.filter((scope) => !grantsOf([scope], {}).some((one) => covers(revoked, one)));
    for (const scope of scopes) {
      const wider = left.find((one) => covers(unite(grantsOf([one], {})), `s:${scope}`));
      if (wider !== undefined) throw heldByWildcard(principal, { scope, wider });
    }
    return left;
  });
}

function changeScopes(
  context: AclContext,
  principal: PrincipalKey,
  change: (held: readonly string[]) => readonly string[],
): AclPrincipal {
  const { key } = readPrincipalKey(principal);
  return context.write((graph, changes) => {
    const before = context.requirePrincipal(key);
    const scopes = change(before.scopes);
    if (scopes.length === before.scopes.length) return before;
    graph.patchNode(key, { scopes });
    changes.add(key);
    return { ...before, scopes };
  });
}

function requireScopes(scopes: readonly string[]): void {
  if (Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string")) return;
  throw new StorageError("INVALID_ARGUMENT", "scopes must be a list of texts", {
    details: { scopes },
  });
}

function heldByWildcard(
  principal: PrincipalKey,
  { scope, wider }: { readonly scope: string; readonly wider: string },
): StorageError {
  return new StorageError(
    "INVALID_ARGUMENT",
    `"${scope}" cannot be taken from "${principal}" alone: it holds "${wider}"`,
    {
      hint: `Revoke "${wider}" and grant what shall stay, or putPrincipal with the scopes that shall stay`,
      details: { principal, scope, wider },
    },
  );
}
