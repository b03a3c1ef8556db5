import type { AclDelegation, PrincipalKey, ResourceActions } from "../../graphs/index.ts";
import type { PageOptions } from "../graph-store/paging.ts";
import type { Page } from "../graph-store/rows.ts";
import type { AclContext } from "./acl-context.ts";
import { readPrincipalKey, readResource } from "./acl-keys.ts";
import { delegationOf } from "./acl-rows.ts";
import { requireNoCircle, requirePassable } from "./delegation-rules.ts";
import { readLineage } from "./read-lineage.ts";
import { requireFuture } from "./require-future.ts";

/** What may flow, and how far. */
export interface DelegationInput {
  /** At most these scopes flow. */
  readonly narrowedScopes: readonly string[];
  /** At most these actions flow, by resource `type:id` or `type:*`. Default none. */
  readonly narrowedResources?: ResourceActions;
  /** False: the target may not delegate further what flows here. Default true. */
  readonly narrowable?: boolean;
  /** Milliseconds since 1970 from which on it is void. Default never. */
  readonly expiresAt?: number;
  /**
   * Default false: scopes and actions that the source does not hold now are refused. True: they flow
   * as soon as it holds them; never more than it holds.
   */
  readonly allowUnheld?: boolean;
}

/** Which delegations. */
export interface ListDelegationsOptions extends PageOptions {
  /** Default any. */
  readonly source?: PrincipalKey;
  /** Default any. */
  readonly target?: PrincipalKey;
}

/** Lets one principal act with a part of what another holds; a repeated call replaces the terms. */
export function delegate(
  context: AclContext,
  ends: { readonly source: PrincipalKey; readonly target: PrincipalKey },
  input: DelegationInput,
): AclDelegation {
  const { narrowedScopes, narrowedResources, narrowable, expiresAt } = input;
  const now = context.now();
  requireFuture(expiresAt, now);
  for (const resource of Object.keys(narrowedResources ?? {})) readResource(resource);
  const source = readPrincipalKey(ends.source).key;
  const target = readPrincipalKey(ends.target).key;
  const attributes = {
    narrowedScopes,
    ...(narrowedResources === undefined ? {} : { narrowedResources }),
    ...(narrowable === undefined ? {} : { narrowable }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  const delegation = delegationOf({ source, target, attributes });
  context.write((graph, changes) => {
    context.requirePrincipal(source);
    context.requirePrincipal(target);
    // read under the write lock: nobody closes the circle from the other side meanwhile
    const above = readLineage(context.client, source);
    requireNoCircle(above, delegation);
    const { unchanged } = graph.upsertEdges([{ type: "delegates", source, target, attributes }]);
    requirePassable(above, delegation, { now, allowUnheld: input.allowUnheld ?? false });
    if (unchanged === 0) changes.add(source, target);
  });
  return delegation;
}

/** Ends a delegation. False where there is none. */
export function revoke(
  context: AclContext,
  ends: { readonly source: PrincipalKey; readonly target: PrincipalKey },
): boolean {
  const source = readPrincipalKey(ends.source).key;
  const target = readPrincipalKey(ends.target).key;
  return context.remove({ type: "delegates", source, target }, (changes) =>
    changes.add(source, target),
  );
}

/** Delegations by source and target, page by page; also expired ones. */
export function listDelegations(
  context: AclContext,
  { source, target, ...page }: ListDelegationsOptions,
): Page<AclDelegation> {
  const list = context.graph()?.listEdges({
    ...page,
    type: "delegates",
    ...(source === undefined ? {} : { source: readPrincipalKey(source).key }),
    ...(target === undefined ? {} : { target: readPrincipalKey(target).key }),
  });
  if (list === undefined) return { items: [], cursor: null };
  return { ...list, items: list.items.map(delegationOf) };
}
