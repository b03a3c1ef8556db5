import { type Static, Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { aclOf } from "./acl-of.ts";
import {
  AclPrincipalSchema,
  aclView,
  IDENTITY_TYPES,
  PrincipalSchema,
  ResourcesSchema,
  ScopesSchema,
} from "./acl-schemas.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { Cursor, closed, dateOf, given, limit, Moment, nullable, oneOf, page } from "./schemas.ts";

const MOST_PATHS = 20;
const ByPrincipal = closed({ principal: PrincipalSchema });
const GrantSchema = closed({ grant: Type.String(), paths: Type.Array(Type.String()) });
const WRITE = {
  scope: "acl:write",
  errors: ["NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ATTRIBUTES"],
} as const;

/** Principals of an organisation: who holds what of its own, and what comes of it all. */
export const aclOperations: readonly HubOperation[] = [
  query(
    {
      id: "acl.principals",
      description:
        "Lists the principals of the organisation by key, and what each holds of its own.",
      input: closed({
        identityType: Type.Optional(oneOf(IDENTITY_TYPES)),
        limit: limit(500, 100),
        cursor: Cursor,
      }),
      output: page(AclPrincipalSchema),
      scope: "acl:read",
      errors: ["INVALID_ARGUMENT"],
    },
    (input, context) => {
      const { items, cursor } = aclOf(context).listPrincipals(given(input));
      return { items: items.map(aclView), cursor };
    },
  ),
  query(
    {
      id: "acl.identity",
      description:
        "Says what a principal may do now by the ACL, its own and what was delegated to it; null where there is no such principal. What a membership gives comes on top.",
      input: ByPrincipal,
      output: nullable(
        closed({
          scopes: Type.Array(Type.String()),
          resources: Type.Record(Type.String(), Type.Array(Type.String())),
        }),
      ),
      scope: "acl:read",
      errors: ["INVALID_ARGUMENT"],
    },
    ({ principal }, context) => {
      const identity = aclOf(context).identityOf(principal);
      if (identity === null) return null;
      const resources = Object.entries(identity.resources ?? {});
      return {
        scopes: [...identity.scopes],
        resources: Object.fromEntries(resources.map(([key, actions]) => [key, [...actions]])),
      };
    },
  ),
  query(
    {
      id: "acl.explain",
      description: `Explains why a principal may do what it may: for each scope and action the ways by which it came, as sentences, at most ${MOST_PATHS}; null where there is no such principal.`,
      input: ByPrincipal,
      output: nullable(closed({ grants: Type.Array(GrantSchema) })),
      scope: "acl:read",
      errors: ["INVALID_ARGUMENT"],
    },
    ({ principal }, context) => {
      const grants = aclOf(context).explain(principal, { maxPaths: MOST_PATHS });
      if (grants === null) return null;
      return {
        grants: grants.map(({ grant, paths }) => ({
          grant: "scope" in grant ? grant.scope : `${grant.action} on ${grant.resource}`,
          paths: paths.map(({ text }) => text),
        })),
      };
    },
  ),
  atomicMutation(
    {
      id: "acl.putPrincipal",
      description:
        "Writes a principal: a new one, or everything that an existing one holds of its own. Permissions and delegations stay.",
      input: closed({
        principal: PrincipalSchema,
        scopes: Type.Optional(ScopesSchema),
        resources: ResourcesSchema,
        expiresAt: Type.Optional(Moment),
      }),
      output: AclPrincipalSchema,
      ...WRITE,
    },
    ({ principal, scopes, resources, expiresAt }, context) => {
      const input = { ...given({ scopes, resources }), ...untilOf(expiresAt) };
      return aclView(aclOf(context).putPrincipal(principal, input));
    },
  ),
  atomicMutation(
    {
      id: "acl.removePrincipal",
      description:
        "Removes a principal with its permissions and delegations. `removed` is false where there is none.",
      input: ByPrincipal,
      output: closed({ removed: Type.Boolean() }),
      ...WRITE,
    },
    ({ principal }, context) => ({ removed: aclOf(context).removePrincipal(principal) }),
  ),
  atomicMutation(
    {
      id: "acl.grantScopes",
      description: "Adds scopes to what a principal holds of its own.",
      input: closed({ principal: PrincipalSchema, scopes: ScopesSchema }),
      output: AclPrincipalSchema,
      ...WRITE,
    },
    ({ principal, scopes }, context) => aclView(aclOf(context).grantScopes(principal, scopes)),
  ),
  atomicMutation(
    {
      id: "acl.revokeScopes",
      description:
        "Takes from a principal's own scopes all that these include: `graphs:*` takes `graphs:read` too. What is delegated to it stays.",
      input: closed({ principal: PrincipalSchema, scopes: ScopesSchema }),
      output: AclPrincipalSchema,
      ...WRITE,
    },
    ({ principal, scopes }, context) => aclView(aclOf(context).revokeScopes(principal, scopes)),
  ),
];

/** When something ends, as the ACL takes it. @throws CallError `INVALID_ARGUMENT` */
export function untilOf(expiresAt: Static<typeof Moment> | undefined): { expiresAt?: number } {
  return expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt).getTime() };
}
