import type { AclPermission, PrincipalKey } from "../../graphs/index.ts";
import type { PageOptions } from "../graph-store/paging.ts";
import type { Page } from "../graph-store/rows.ts";
import type { AclContext } from "./acl-context.ts";
import { readPrincipalKey, readResource } from "./acl-keys.ts";
import { permissionOf } from "./acl-rows.ts";
import { requireFuture } from "./require-future.ts";

/** What a principal may do with one resource. */
export interface PermissionInput {
  /** `type:id`, or `type:*` for all of the type. */
  readonly resource: string;
  /** At least one. */
  readonly actions: readonly string[];
  /** Milliseconds since 1970 from which on it is void. Default never. */
  readonly expiresAt?: number;
}

/** Which permissions. */
export interface ListPermissionsOptions extends PageOptions {
  /** Default everybody's. */
  readonly principal?: PrincipalKey;
  /** `type:id` or `type:*`. Default any. */
  readonly resource?: string;
}

/** Lets a principal do actions on a resource; a repeated call replaces actions and expiry. */
export function permit(
  context: AclContext,
  principal: PrincipalKey,
  { resource, actions, expiresAt }: PermissionInput,
): AclPermission {
  const { key } = readPrincipalKey(principal);
  const target = readResource(resource);
  requireFuture(expiresAt, context.now());
  const attributes = { actions, ...(expiresAt === undefined ? {} : { expiresAt }) };
  context.write((graph, changes) => {
    context.requirePrincipal(key);
    if (graph.getNode(target.key) === null) {
      const { resourceType, resourceId } = target;
      graph.insertNodes([
        { key: target.key, type: "resource", attributes: { resourceType, resourceId } },
      ]);
    }
    const edge = { type: "scopes", source: key, target: target.key, attributes };
    if (graph.upsertEdges([edge]).unchanged === 0) changes.add(key);
  });
  return { principal: key, resource, actions, expiresAt: expiresAt ?? null };
}

/** Takes a permission back. False where there is none. */
export function forbid(context: AclContext, principal: PrincipalKey, resource: string): boolean {
  const { key } = readPrincipalKey(principal);
  const target = readResource(resource);
  return context.remove({ type: "scopes", source: key, target: target.key }, (changes) =>
    changes.add(key),
  );
}

/** Permissions by principal and resource, page by page; also expired ones. */
export function listPermissions(
  context: AclContext,
  { principal, resource, ...page }: ListPermissionsOptions,
): Page<AclPermission> {
  const list = context.graph()?.listEdges({
    ...page,
    type: "scopes",
    ...(principal === undefined ? {} : { source: readPrincipalKey(principal).key }),
    ...(resource === undefined ? {} : { target: readResource(resource).key }),
  });
  if (list === undefined) return { items: [], cursor: null };
  return { ...list, items: list.items.flatMap((edge) => permissionOf(edge) ?? []) };
}
