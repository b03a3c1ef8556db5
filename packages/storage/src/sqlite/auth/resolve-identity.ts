import type { NotAuthenticated } from "./authentication.ts";
import type { Authenticator } from "./authenticator.ts";
import {
  type Authorized,
  type AuthorizeOptions,
  authorize,
  type NotAuthorized,
} from "./authorize.ts";
import type { Principal } from "./principal.ts";

/** Where {@link resolveIdentity} looks. */
export interface ResolveOptions extends AuthorizeOptions {
  readonly auth: Authenticator;
}

/** A request that wants to work in an organisation. */
export interface AccessRequest {
  /** The API key, without `Bearer `. */
  readonly bearer: string | null | undefined;
  readonly orgId: string;
  /** Address of the caller. */
  readonly source?: string;
}

/** What a request may do, or why it may not. */
export type Resolution =
  | (Authorized & { readonly principal: Principal })
  | NotAuthenticated
  | NotAuthorized;

/**
 * From an API key to what it may do in an organisation, in one call: key, account, membership, tenant, ACL.
 *
 * @throws what `authenticate` and `authorize` throw
 * @example
 * ```ts
 * const access = resolveIdentity({ auth, tenants }, { bearer, orgId, source: request.ip });
 * if (!access.ok) return new Response(access.message, { status: STATUS[access.code] });
 * using tenant = access.tenant;
 * ```
 */
export function resolveIdentity(
  { auth, ...where }: ResolveOptions,
  { bearer, orgId, source }: AccessRequest,
): Resolution {
  const signedIn = auth.authenticate(bearer, source === undefined ? {} : { source });
  if (!signedIn.ok) return signedIn;
  const { principal } = signedIn;
  const access = authorize(where, principal, orgId);
  return access.ok ? { ...access, principal } : access;
}
