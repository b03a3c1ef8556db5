import {
  type ApiKeyInfo,
  createApiKey,
  explainAccess,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
} from "@alkdev/storage/sqlite";
import { type TUnsafe, Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { actorOf } from "./actor-of.ts";
import { atomicMutation, query } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import {
  Cursor,
  closed,
  dateOf,
  given,
  limit,
  Moment,
  Name,
  nullable,
  oneOf,
  page,
  texts,
} from "./schemas.ts";

/** A year. */
const LONGEST_GRACE_SECONDS = 31_536_000;
const MOMENTS = ["createdAt", "expiresAt", "revokedAt", "lastUsedAt"] as const;

/** A key as it may be shown; its times are ISO 8601. */
type KeyView = Omit<ApiKeyInfo, (typeof MOMENTS)[number]> & {
  readonly [moment in (typeof MOMENTS)[number]]: string | null;
};

const KeySchema: TUnsafe<KeyView> = Type.Unsafe<KeyView>(
  closed({
    id: Type.String(),
    ownerId: Type.String(),
    name: nullable(Type.String()),
    enabled: Type.Boolean(),
    createdAt: nullable(Moment),
    expiresAt: nullable(Moment),
    revokedAt: nullable(Moment),
    lastUsedAt: nullable(Moment),
    rotatedToId: nullable(Type.String()),
    scopes: nullable(Type.Array(Type.String())),
    orgId: nullable(Type.String()),
  }),
);

const NewKey = closed({ id: Type.String(), key: Type.String() });

/** API keys. A key is shown once, and nothing of these calls is kept. */
export function keyOperations({
  system,
  tenants,
  settings,
}: OperationsHost): readonly HubOperation[] {
  return [
    atomicMutation(
      {
        id: "keys.create",
        description:
          "Makes an API key for an account and shows it this once; only its hash is kept. It can be limited to scopes, to one organisation and in time.",
        input: closed({
          ownerId: Name,
          name: Type.Optional(Name),
          scopes: Type.Optional(texts(100)),
          orgId: Type.Optional(Name),
          expiresAt: Type.Optional(Moment),
        }),
        output: NewKey,
        scope: "keys:write",
        errors: ["NOT_FOUND", "ACCOUNT_STATE", "INVALID_ARGUMENT"],
        record: "names",
      },
      ({ ownerId, expiresAt, ...input }, context) => {
        const until = expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt) };
        return createApiKey(system, { ownerId, by: actorOf(context), ...given(input), ...until });
      },
    ),
    atomicMutation(
      {
        id: "keys.rotate",
        description:
          "Makes a key that takes over from another, with the same owner, name and limits, and shows it this once. The old one stays valid for `graceSeconds`, by default a day.",
        input: closed({
          id: Name,
          graceSeconds: Type.Optional(
            Type.Integer({ minimum: 0, maximum: LONGEST_GRACE_SECONDS, default: 86_400 }),
          ),
          expiresAt: Type.Optional(Moment),
        }),
        output: NewKey,
        scope: "keys:write",
        errors: ["NOT_FOUND", "CREDENTIAL_STATE", "ACCOUNT_STATE", "INVALID_ARGUMENT"],
        record: "names",
      },
      ({ id, graceSeconds = 86_400, expiresAt }, context) => {
        const until = expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt) };
        return rotateApiKey(system, id, { graceSeconds, by: actorOf(context), ...until });
      },
    ),
    atomicMutation(
      {
        id: "keys.revoke",
        description:
          "Ends a key at once, also on connections that are open. `revoked` is false where it was revoked before.",
        input: closed({ id: Name }),
        output: closed({ revoked: Type.Boolean() }),
        scope: "keys:write",
        errors: ["NOT_FOUND"],
      },
      ({ id }, context) => ({ revoked: revokeApiKey(system, id, { by: actorOf(context) }) }),
    ),
    query(
      {
        id: "keys.list",
        description:
          "Lists the keys of an account, oldest first, also those that no longer work: limits, expiry and last use, never the key.",
        input: closed({ ownerId: Name, limit: limit(500, 100), cursor: Cursor }),
        output: page(KeySchema),
        scope: "keys:read",
      },
      ({ ownerId, ...input }) => {
        const { items, cursor } = listApiKeys(system, { ownerId, ...given(input) });
        return { items: items.map(viewOf), cursor };
      },
    ),
    query(
      {
        id: "keys.explain",
        description:
          "Explains step by step why a key may do what it may in an organisation, or why not.",
        input: closed({ id: Name, orgId: Name }),
        output: closed({
          steps: Type.Array(
            closed({
              step: oneOf(["key", "membership", "tenant", "acl", "identity"]),
              ok: Type.Boolean(),
              text: Type.String(),
            }),
          ),
        }),
        scope: "keys:read",
        errors: ["NOT_FOUND", "INVALID_ARGUMENT"],
      },
      ({ id: keyId, orgId }) => {
        const { membershipScopes } = settings;
        const steps = explainAccess({ system, tenants, membershipScopes }, { keyId, orgId });
        return { steps: [...steps] };
      },
    ),
  ];
}

function viewOf(key: ApiKeyInfo): KeyView {
  const moments = MOMENTS.map((name) => [name, key[name]?.toISOString() ?? null] as const);
  return { ...key, ...(Object.fromEntries(moments) as Record<(typeof MOMENTS)[number], string>) };
}
