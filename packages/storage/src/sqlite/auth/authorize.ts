import type { Identity } from "@alkdev/operations";
import { StorageError } from "../../errors.ts";
import { intersect, unite } from "../../graphs/acl/grant-set.ts";
import { type Grant, grantsOf, identityFrom } from "../../graphs/index.ts";
import { type Acl, createAcl } from "../acl/acl.ts";
import { principalKey } from "../acl/acl-keys.ts";
import type { TenantDatabase } from "../client.ts";
import type { TenantHandle } from "../tenants/tenant-handle.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { DEFAULT_MEMBERSHIP_SCOPES, type MembershipScopes } from "./membership-scopes.ts";
import type { Principal } from "./principal.ts";

/** Where {@link authorize} looks. */
export interface AuthorizeOptions {
  readonly tenants: TenantManager;
  /** What members may do by themselves, default {@link DEFAULT_MEMBERSHIP_SCOPES}. */
  readonly membershipScopes?: MembershipScopes;
  /**
   * The ACL of a tenant that stays open longer than a request, so that it answers from memory. Default:
   * a new one for each call.
   */
  readonly aclOf?: (tenant: TenantDatabase, orgId: string) => Pick<Acl, "identityOf">;
}

/** The answer to somebody who wants to work in an organisation. */
export type Authorization = Authorized | NotAuthorized;

/** Somebody may work in an organisation. */
export interface Authorized {
  readonly ok: true;
  /** For `registry.execute(…, { identity })`: what the level, the ACL and the key give together. */
  readonly identity: Identity;
  /** The organisation's database. Close it when the request is over. */
  readonly tenant: TenantHandle;
}

/** HTTP 403, or 503 where the tenant cannot be used now. */
export type NotAuthorized =
  | {
      readonly ok: false;
      /** The same for organisations that are not there and those the caller is not in. */
      readonly code: "FORBIDDEN";
      readonly message: string;
    }
  | {
      readonly ok: false;
      /** To members only. */
      readonly code: "UNAVAILABLE";
      readonly message: string;
      /** `TENANT_STATE`, `TENANT_ELSEWHERE`, …; for the operator. */
      readonly error: StorageError;
    };

/** What somebody was found to be last. */
interface LastIdentity {
  readonly orgId: string;
  readonly held: Identity | null;
  readonly membershipScopes: MembershipScopes;
  readonly identity: Identity;
}

/** Principals, and what the ACL gives them, are the same objects until they change. */
const lastIdentities = new WeakMap<Principal, LastIdentity>();

const FORBIDDEN: NotAuthorized = Object.freeze({
  ok: false,
  code: "FORBIDDEN",
  message: "no access to this organisation",
});

/**
 * What a principal may do in an organisation: its level there and the ACL of the tenant add up; a key with
 * scopes gives no more than both. Accounts of the access level `admin` need no membership.
 *
 * @throws what opening the tenant throws besides `StorageError`
 * @example
 * ```ts
 * const access = authorize({ tenants }, principal, orgId);
 * if (!access.ok) return access.code;
 * using tenant = access.tenant;
 * await registry.execute("graphs.list", {}, { identity: access.identity });
 * ```
 */
export function authorize(
  { tenants, membershipScopes = DEFAULT_MEMBERSHIP_SCOPES, aclOf = newAcl }: AuthorizeOptions,
  principal: Principal,
  orgId: string,
): Authorization {
  if (levelsIn(principal, orgId).length === 0) return FORBIDDEN;
  const opened = openTenant(tenants, orgId);
  if (!opened.ok) return opened;
  const { tenant } = opened;
  try {
    const acl = aclOf(tenant.db, orgId);
    const identity = tenantIdentity(principal, { orgId, acl, membershipScopes });
    return identity === null ? FORBIDDEN : { ok: true, identity, tenant };
  } catch (error) {
    tenant.close();
    throw error;
  }
}

/** Where {@link tenantIdentity} looks. */
export interface TenantIdentityOptions {
  readonly orgId: string;
  /** The ACL of the organisation's tenant; one that lives long answers from memory. */
  readonly acl: Pick<Acl, "identityOf">;
  /** Default {@link DEFAULT_MEMBERSHIP_SCOPES}. */
  readonly membershipScopes?: MembershipScopes;
}

/**
 * What a principal may do in an organisation whose tenant is open: as {@link authorize}, for whoever keeps
 * tenants open. Null for somebody who is not in it.
 *
 * @throws what the ACL throws
 */
export function tenantIdentity(
  principal: Principal,
  { orgId, acl, membershipScopes = DEFAULT_MEMBERSHIP_SCOPES }: TenantIdentityOptions,
): Identity | null {
  const levels = levelsIn(principal, orgId);
  if (levels.length === 0) return null;
  const held = acl.identityOf(principalKey("account", principal.accountId));
  const known = lastIdentities.get(principal);
  if (
    known?.orgId === orgId &&
    known.held === held &&
    known.membershipScopes === membershipScopes
  ) {
    return known.identity;
  }
  const scopes = levels.flatMap((level) => membershipScopes[level]);
  const identity = combine(principal, [...scopes, ...(held?.scopes ?? [])], held?.resources);
  lastIdentities.set(principal, { orgId, held, membershipScopes, identity });
  return identity;
}

/**
 * What a principal may do in `system.db`: accounts of the access level `admin` what their scopes say,
 * others nothing.
 */
export function systemIdentity(
  principal: Principal,
  membershipScopes: MembershipScopes = DEFAULT_MEMBERSHIP_SCOPES,
): Identity {
  const isAdmin = principal.accessLevel === "admin" && principal.orgId === null;
  return combine(principal, isAdmin ? membershipScopes.system : []);
}

/** As what somebody may work in an organisation; empty: not at all. */
export function levelsIn(principal: Principal, orgId: string): readonly (keyof MembershipScopes)[] {
  if (principal.orgId !== null && principal.orgId !== orgId) return [];
  const membership = principal.memberships.find((one) => one.orgId === orgId);
  return [
    ...(principal.accessLevel === "admin" ? (["system"] as const) : []),
    ...(membership === undefined ? [] : [membership.membershipLevel]),
  ];
}

function newAcl(tenant: TenantDatabase): Acl {
  return createAcl(tenant, { cacheSize: 1 });
}

function openTenant(
  tenants: TenantManager,
  orgId: string,
): { readonly ok: true; readonly tenant: TenantHandle } | NotAuthorized {
  try {
    return { ok: true, tenant: tenants.open(orgId) };
  } catch (error) {
    if (!(error instanceof StorageError) || error.code === "CLOSED") throw error;
    const message = "the organisation is not available now";
    return { ok: false, code: "UNAVAILABLE", message, error };
  }
}

function combine(
  { accountId, scopes: limit }: Principal,
  scopes: readonly string[],
  resources: Identity["resources"] = {},
): Identity {
  const held = unite(grantsOf(scopes, resources));
  // a key that names scopes names no resources
  const grants: ReadonlySet<Grant> =
    limit === null ? held : intersect(held, unite(grantsOf(limit, {})));
  const principal = {
    key: principalKey("account", accountId),
    identityType: "account",
    identityId: accountId,
    scopes,
    resources: {},
    expiresAt: null,
  } as const;
  const until = Number.POSITIVE_INFINITY;
  return identityFrom({ principal, grants, lineage: new Map(), until });
}
