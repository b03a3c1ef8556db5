/** What a principal may stand for, as `identityType` of `PrincipalNode` says. */
export const IDENTITY_TYPES = ["account", "service", "org", "role"] as const;

/** What a principal stands for. */
export type IdentityType = (typeof IDENTITY_TYPES)[number];

/** Key of a principal: `account:018f…`, `role:auditor`. */
export type PrincipalKey = `${IdentityType}:${string}`;

/** Actions by resource, the resource written as `type:id`, or `type:*` for all of the type. */
export type ResourceActions = Readonly<Record<string, readonly string[]>>;

/** Someone who holds scopes. */
export interface AclPrincipal {
  readonly key: PrincipalKey;
  readonly identityType: IdentityType;
  /** The account, service, organisation or role, as its own table or product names it. */
  readonly identityId: string;
  /** What it holds of its own. */
  readonly scopes: readonly string[];
  readonly resources: ResourceActions;
  /** Milliseconds since 1970 from which on it holds nothing; null: never. */
  readonly expiresAt: number | null;
}

/** Actions of one principal on one resource. */
export interface AclPermission {
  readonly principal: PrincipalKey;
  /** `type:id`, or `type:*` for all of the type. */
  readonly resource: string;
  readonly actions: readonly string[];
  /** Milliseconds since 1970 from which on it is void; null: never. */
  readonly expiresAt: number | null;
}

/** One principal lets another act with a part of what it holds. */
export interface AclDelegation {
  readonly source: PrincipalKey;
  readonly target: PrincipalKey;
  /** At most these scopes flow. */
  readonly narrowedScopes: readonly string[];
  /** At most these actions flow; empty: none. */
  readonly narrowedResources: ResourceActions;
  /** False: what flows here ends at the target, which may not delegate it further. */
  readonly narrowable: boolean;
  /** Milliseconds since 1970 from which on it is void; null: never. */
  readonly expiresAt: number | null;
}

/** As much of an ACL graph as an evaluation may ask for: a principal and everything above it. */
export interface AclView {
  principal(key: string): AclPrincipal | null;
  /** Delegations whose target it is, also expired ones. */
  delegationsTo(key: string): readonly AclDelegation[];
  /** Also expired ones. */
  permissionsOf(key: string): readonly AclPermission[];
}

/** The parts of an {@link AclView}, in any order. */
export interface AclParts {
  readonly principals: Iterable<AclPrincipal>;
  readonly delegations: Iterable<AclDelegation>;
  readonly permissions: Iterable<AclPermission>;
}

/** A view of parts in memory. */
export function aclView({ principals, delegations, permissions }: AclParts): AclView {
  const byKey = new Map<string, AclPrincipal>();
  for (const principal of principals) byKey.set(principal.key, principal);
  const toTarget = Map.groupBy(delegations, ({ target }) => target as string);
  const ofPrincipal = Map.groupBy(permissions, ({ principal }) => principal as string);
  return {
    principal: (key) => byKey.get(key) ?? null,
    delegationsTo: (key) => toTarget.get(key) ?? [],
    permissionsOf: (key) => ofPrincipal.get(key) ?? [],
  };
}
