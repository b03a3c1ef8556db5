import type {
  AclDelegation,
  AclPermission,
  AclPrincipal,
  PrincipalKey,
} from "@alkdev/storage/graphs";
import { type TArray, type TOptional, type TString, type TUnsafe, Type } from "@sinclair/typebox";
import { closed, Moment, nullable, oneOf, texts } from "./schemas.ts";

/** What a principal may stand for. */
export const IDENTITY_TYPES = ["account", "service", "org", "role"] as const;

/** `account:ada`, `service:indexer`, `org:…`, `role:…`. */
export const PrincipalSchema: TUnsafe<PrincipalKey> = Type.Unsafe<PrincipalKey>(
  Type.String({ pattern: "^(account|service|org|role):.+$", maxLength: 512 }),
);

/** `graph:g1`, or `graph:*` for all of the type. */
export const ResourceSchema: TString = Type.String({ pattern: "^[^:]+:.+$", maxLength: 512 });

/** Scopes: `graphs:read`, `graphs:*`. */
export const ScopesSchema: TArray<TString> = texts(100);

/** Actions: `read`, `write`. */
export const ActionsSchema: TArray<TString> = texts(20);

/** Actions by resource: `{ "graph:g1": ["read"] }`. */
export const ResourcesSchema: TOptional<TUnsafe<Readonly<Record<string, readonly string[]>>>> =
  Type.Optional(
    Type.Unsafe<Readonly<Record<string, readonly string[]>>>(
      Type.Record(Type.String({ minLength: 1, maxLength: 512 }), texts(20), { maxProperties: 100 }),
    ),
  );

type View<Item extends { readonly expiresAt: number | null }> = Omit<Item, "expiresAt"> & {
  /** ISO 8601. */
  readonly expiresAt: string | null;
};

const Held = Type.Record(Type.String(), Type.Array(Type.String()));

/** A principal and what it holds of its own. */
export const AclPrincipalSchema: TUnsafe<View<AclPrincipal>> = Type.Unsafe(
  closed({
    key: Type.String(),
    identityType: oneOf(IDENTITY_TYPES),
    identityId: Type.String(),
    scopes: Type.Array(Type.String()),
    resources: Held,
    expiresAt: nullable(Moment),
  }),
);

/** What a principal may do with one resource. */
export const AclPermissionSchema: TUnsafe<View<AclPermission>> = Type.Unsafe(
  closed({
    principal: Type.String(),
    resource: Type.String(),
    actions: Type.Array(Type.String()),
    expiresAt: nullable(Moment),
  }),
);

/** What one principal lets another do. */
export const AclDelegationSchema: TUnsafe<View<AclDelegation>> = Type.Unsafe(
  closed({
    source: Type.String(),
    target: Type.String(),
    narrowedScopes: Type.Array(Type.String()),
    narrowedResources: Held,
    narrowable: Type.Boolean(),
    expiresAt: nullable(Moment),
  }),
);

/** A part of the ACL as it travels. */
export function aclView<Item extends { readonly expiresAt: number | null }>(
  item: Item,
): View<Item> {
  const { expiresAt } = item;
  return { ...item, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}
