import type {
  AclDelegation,
  AclPermission,
  AclPrincipal,
  PrincipalKey,
  ResourceActions,
} from "../../graphs/index.ts";
import type { JsonObject } from "../tables/common.ts";
import { resourceOfNode } from "./acl-keys.ts";

/** An edge as the ACL reads it. */
export interface AclEdge {
  readonly source: string;
  readonly target: string;
  readonly attributes: JsonObject;
}

/**
 * A principal from its node. Attributes that raw SQL may have left malformed grant nothing: here and
 * below, what is not a list of texts is empty, and a moment that is no number has passed.
 */
export function principalOf(key: string, attributes: JsonObject): AclPrincipal {
  const { identityType, identityId, scopes, resources, expiresAt } = attributes;
  return {
    key: key as PrincipalKey,
    identityType: identityType as AclPrincipal["identityType"],
    identityId: typeof identityId === "string" ? identityId : key,
    scopes: texts(scopes),
    resources: actions(resources),
    expiresAt: moment(expiresAt),
  };
}

/** A delegation from its edge. */
export function delegationOf({ source, target, attributes }: AclEdge): AclDelegation {
  const { narrowedScopes, narrowedResources, narrowable, expiresAt } = attributes;
  return {
    source: source as PrincipalKey,
    target: target as PrincipalKey,
    narrowedScopes: texts(narrowedScopes),
    narrowedResources: actions(narrowedResources),
    narrowable: narrowable === undefined || narrowable === true,
    expiresAt: moment(expiresAt),
  };
}

/** A permission from its edge, or null where the edge leads to no resource. */
export function permissionOf({ source, target, attributes }: AclEdge): AclPermission | null {
  const resource = resourceOfNode(target);
  if (resource === null) return null;
  return {
    principal: source as PrincipalKey,
    resource,
    actions: texts(attributes.actions),
    expiresAt: moment(attributes.expiresAt),
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function actions(value: unknown): ResourceActions {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, list]) => [key, texts(list)]));
}

function moment(value: unknown): number | null {
  if (value === undefined) return null;
  return typeof value === "number" ? value : 0;
}
