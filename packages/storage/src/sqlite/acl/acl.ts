import type { Clock } from "@alkdev/honker";
import type { Identity } from "@alkdev/operations";
import { StorageError } from "../../errors.ts";
import {
  type AclDelegation,
  type AclPermission,
  type AclPrincipal,
  effectiveGrants,
  explainGrants,
  type GrantExplanation,
  identityFrom,
  type PrincipalKey,
} from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import type { Page } from "../graph-store/rows.ts";
import { AclContext } from "./acl-context.ts";
import { readPrincipalKey } from "./acl-keys.ts";
import {
  type DelegationInput,
  delegate,
  type ListDelegationsOptions,
  listDelegations,
  revoke,
} from "./delegations.ts";
import { IdentityCache } from "./identity-cache.ts";
import {
  forbid,
  type ListPermissionsOptions,
  listPermissions,
  type PermissionInput,
  permit,
} from "./permissions.ts";
import {
  grantScopes,
  type ListPrincipalsOptions,
  listPrincipals,
  type PrincipalInput,
  putPrincipal,
  removePrincipal,
  revokeScopes,
} from "./principals.ts";
import { readBelow } from "./read-below.ts";
import { readLineage } from "./read-lineage.ts";
import { type Member, type MembershipChanges, reconcileMembers } from "./reconcile-members.ts";

/** Options of {@link createAcl}. */
export interface AclOptions {
  /** Where the moment comes from by which expiry is judged. Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Most identities kept in memory, default 10,000, about 1 KB each; 0 keeps none. */
  readonly cacheSize?: number;
  /**
   * Seconds after which a kept identity is read again though no ACL wrote anything, default 10: the
   * longest time that changes made past the ACL, by SQL or a graph store, go unnoticed.
   */
  readonly maxAgeSeconds?: number;
}

/** When, and how much of it. */
export interface ExplainIdentityOptions {
  /** Most paths listed per scope or action, default 20. */
  readonly maxPaths?: number;
}

/**
 * Who may do what in one organisation. Every call is synchronous and joins the open transaction; those
 * that write send `acl:delegation_changed` and enqueue `acl-evaluation` in the same commit.
 *
 * Principals are named by keys: `account:<id>`, `service:<id>`, `org:<id>`, `role:<id>`.
 */
export interface Acl {
  /**
   * What a principal may do now, for `checkAccess`: its own scopes and actions, and what was delegated to
   * it. Null where there is no such principal. Frozen, and shared between calls.
   *
   * It is never older than the last commit that any process made through an ACL.
   *
   * @throws StorageError `INVALID_ARGUMENT` for what is no key
   */
  identityOf(principal: PrincipalKey): Identity | null;
  /**
   * Why a principal may do what it may: for each scope and action the paths that give it. Null where
   * there is no such principal.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   */
  explain(
    principal: PrincipalKey,
    options?: ExplainIdentityOptions,
  ): readonly GrantExplanation[] | null;
  /**
   * Writes a principal: a new one, or everything that an existing one holds of its own. Delegations and
   * permissions stay.
   *
   * @throws StorageError `INVALID_ARGUMENT`, `INVALID_ATTRIBUTES` for malformed scopes
   */
  putPrincipal(principal: PrincipalKey, input?: PrincipalInput): AclPrincipal;
  /** What a principal holds of its own, expired or not; null where there is none. */
  getPrincipal(principal: PrincipalKey): AclPrincipal | null;
  /** Removes a principal with its delegations and permissions. False where there is none. */
  removePrincipal(principal: PrincipalKey): boolean;
  /** Principals by key. */
  listPrincipals(options?: ListPrincipalsOptions): Page<AclPrincipal>;
  /**
   * Adds scopes to a principal's own.
   *
   * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT`, `INVALID_ATTRIBUTES`
   */
  grantScopes(principal: PrincipalKey, scopes: readonly string[]): AclPrincipal;
  /**
   * Takes from a principal's own scopes all that these include: `graphs:*` takes `graphs:read` too. What
   * is delegated to it stays.
   *
   * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT` where a wildcard that it holds would still give
   * one of them
   */
  revokeScopes(principal: PrincipalKey, scopes: readonly string[]): AclPrincipal;
  /**
   * Lets a principal do actions on a resource; a repeated call replaces the actions and the expiry.
   *
   * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT`, `INVALID_ATTRIBUTES`
   */
  permit(principal: PrincipalKey, permission: PermissionInput): AclPermission;
  /** Takes the permission on a resource back. False where there is none. */
  forbid(principal: PrincipalKey, resource: string): boolean;
  /** Permissions, also expired ones. */
  listPermissions(options?: ListPermissionsOptions): Page<AclPermission>;
  /**
   * Lets `target` act with a part of what `source` holds; a repeated call replaces the terms. Later
   * changes of what the source holds reach the target by themselves.
   *
   * @throws StorageError `DELEGATION_CYCLE` naming the circle, `DELEGATION_NOT_ALLOWED` where the source
   * does not hold something now or may not pass it on, `NOT_FOUND`, `INVALID_ARGUMENT`,
   * `INVALID_ATTRIBUTES`
   */
  delegate(source: PrincipalKey, target: PrincipalKey, input: DelegationInput): AclDelegation;
  /** Ends a delegation. False where there is none. */
  revoke(source: PrincipalKey, target: PrincipalKey): boolean;
  /** Delegations, also expired ones. */
  listDelegations(options?: ListDelegationsOptions): Page<AclDelegation>;
  /**
   * Makes the memberships of an organisation equal to its rows of `organization_members`, in one
   * transaction; accounts that are no principals yet become ones without scopes. Memberships by
   * themselves grant nothing.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   */
  reconcileMembers(orgId: string, members: Iterable<Member>): MembershipChanges;
  /** A principal and those to whom its grants may flow, nearest first; at most as many as are kept in memory. */
  affectedBy(principal: PrincipalKey): readonly PrincipalKey[];
}

/**
 * The ACL of a tenant's file: one graph named `acl` of the type `acl_graph`, created by the first write.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const acl = createAcl(tenant);
 * acl.putPrincipal("account:ada", { scopes: ["graphs:*"] });
 * acl.putPrincipal("service:indexer");
 * acl.delegate("account:ada", "service:indexer", { narrowedScopes: ["graphs:read"] });
 * acl.identityOf("service:indexer"); // { id: "indexer", scopes: ["graphs:read"] }
 * ```
 */
export function createAcl(tenant: TenantDatabase, options: AclOptions = {}): Acl {
  const { clock = { now: () => Date.now() }, cacheSize = 10_000, maxAgeSeconds = 10 } = options;
  requireLimit(cacheSize, "cacheSize");
  requireLimit(maxAgeSeconds, "maxAgeSeconds");
  const context = new AclContext(tenant, clock);
  const cache = new IdentityCache({ size: cacheSize, maxAgeMs: maxAgeSeconds * 1_000 });
  return {
    identityOf: (principal) => identityOf(context, cache, principal),
    explain: (principal, { maxPaths } = {}) => {
      const { key } = readPrincipalKey(principal);
      const options = { now: context.now(), ...(maxPaths === undefined ? {} : { maxPaths }) };
      return explainGrants(readLineage(context.client, key), key, options);
    },
    putPrincipal: (principal, input = {}) => putPrincipal(context, principal, input),
    getPrincipal: (principal) => context.principal(readPrincipalKey(principal).key),
    removePrincipal: (principal) => removePrincipal(context, principal),
    listPrincipals: (list = {}) => listPrincipals(context, list),
    grantScopes: (principal, scopes) => grantScopes(context, principal, scopes),
    revokeScopes: (principal, scopes) => revokeScopes(context, principal, scopes),
    permit: (principal, permission) => permit(context, principal, permission),
    forbid: (principal, resource) => forbid(context, principal, resource),
    listPermissions: (list = {}) => listPermissions(context, list),
    delegate: (source, target, input) => delegate(context, { source, target }, input),
    revoke: (source, target) => revoke(context, { source, target }),
    listDelegations: (list = {}) => listDelegations(context, list),
    reconcileMembers: (orgId, members) => reconcileMembers(context, orgId, members),
    affectedBy: (principal) =>
      readBelow(context.client, readPrincipalKey(principal).key, Math.max(1, cacheSize)),
  };
}

function identityOf(
  context: AclContext,
  cache: IdentityCache,
  principal: PrincipalKey,
): Identity | null {
  const { key } = readPrincipalKey(principal);
  const now = context.now();
  // before the lineage: what is written in between is newer than its token, and is read again
  const token = context.token();
  const known = cache.get(key, { token, now });
  if (known !== null) return known;
  const effective = effectiveGrants(readLineage(context.client, key), key, now);
  if (effective === null) return null;
  const identity = identityFrom(effective);
  cache.set(key, { identity, readAt: now, until: effective.until });
  return identity;
}

function requireLimit(value: number, name: string): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new StorageError("INVALID_ARGUMENT", `${name} is ${value}, not a number from 0`);
}
