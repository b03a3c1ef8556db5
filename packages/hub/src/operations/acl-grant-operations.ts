import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { aclOf } from "./acl-of.ts";
import { untilOf } from "./acl-operations.ts";
import {
  AclDelegationSchema,
  AclPermissionSchema,
  ActionsSchema,
  aclView,
  PrincipalSchema,
  ResourceSchema,
  ResourcesSchema,
  ScopesSchema,
} from "./acl-schemas.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { Cursor, closed, given, limit, Moment, page } from "./schemas.ts";

const PAGE = { limit: limit(500, 100), cursor: Cursor };
const READ = { scope: "acl:read", errors: ["INVALID_ARGUMENT"] } as const;
const WRITE = {
  scope: "acl:write",
  errors: ["NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ATTRIBUTES"],
} as const;

/** Permissions on resources, and delegations between principals of one organisation. */
export const aclGrantOperations: readonly HubOperation[] = [
  query(
    {
      id: "acl.permissions",
      description: "Lists what principals may do with single resources, also what has expired.",
      input: closed({
        principal: Type.Optional(PrincipalSchema),
        resource: Type.Optional(ResourceSchema),
        ...PAGE,
      }),
      output: page(AclPermissionSchema),
      ...READ,
    },
    (input, context) => {
      const { items, cursor } = aclOf(context).listPermissions(given(input));
      return { items: items.map(aclView), cursor };
    },
  ),
  atomicMutation(
    {
      id: "acl.permit",
      description:
        "Lets a principal do actions on a resource (`graph:g1`, or `graph:*` for all of the type). Repeated, it replaces the actions and the expiry.",
      input: closed({
        principal: PrincipalSchema,
        resource: ResourceSchema,
        actions: ActionsSchema,
        expiresAt: Type.Optional(Moment),
      }),
      output: AclPermissionSchema,
      ...WRITE,
    },
    ({ principal, resource, actions, expiresAt }, context) => {
      const permission = { resource, actions, ...untilOf(expiresAt) };
      return aclView(aclOf(context).permit(principal, permission));
    },
  ),
  atomicMutation(
    {
      id: "acl.forbid",
      description:
        "Takes the permission of a principal on a resource back. `removed` is false where there is none.",
      input: closed({ principal: PrincipalSchema, resource: ResourceSchema }),
      output: closed({ removed: Type.Boolean() }),
      ...WRITE,
    },
    ({ principal, resource }, context) => ({ removed: aclOf(context).forbid(principal, resource) }),
  ),
  query(
    {
      id: "acl.delegations",
      description: "Lists which principals let which others act for them, also what has expired.",
      input: closed({
        source: Type.Optional(PrincipalSchema),
        target: Type.Optional(PrincipalSchema),
        ...PAGE,
      }),
      output: page(AclDelegationSchema),
      ...READ,
    },
    (input, context) => {
      const { items, cursor } = aclOf(context).listDelegations(given(input));
      return { items: items.map(aclView), cursor };
    },
  ),
  atomicMutation(
    {
      id: "acl.delegate",
      description:
        "Lets `target` act with a part of what `source` holds, in this organisation. Repeated, it replaces the terms. For another organisation see `delegations.propose`.",
      input: closed({
        source: PrincipalSchema,
        target: PrincipalSchema,
        scopes: ScopesSchema,
        resources: ResourcesSchema,
        narrowable: Type.Optional(Type.Boolean()),
        expiresAt: Type.Optional(Moment),
      }),
      output: AclDelegationSchema,
      ...WRITE,
      errors: [...WRITE.errors, "DELEGATION_CYCLE", "DELEGATION_NOT_ALLOWED"],
    },
    ({ source, target, scopes, resources, narrowable, expiresAt }, context) => {
      const terms = {
        narrowedScopes: scopes,
        ...given({ narrowedResources: resources, narrowable }),
      };
      return aclView(aclOf(context).delegate(source, target, { ...terms, ...untilOf(expiresAt) }));
    },
  ),
  atomicMutation(
    {
      id: "acl.revoke",
      description:
        "Ends a delegation between two principals, at once. `removed` is false where there is none.",
      input: closed({ source: PrincipalSchema, target: PrincipalSchema }),
      output: closed({ removed: Type.Boolean() }),
      ...WRITE,
    },
    ({ source, target }, context) => ({ removed: aclOf(context).revoke(source, target) }),
  ),
];
