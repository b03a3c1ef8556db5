import {
  ACCOUNT_ACCESS_LEVELS,
  ACCOUNT_STATUSES,
  addPeerKey,
  createAccount,
  deactivateAccount,
  revokePeerKey,
  updateAccount,
} from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { actorOf } from "./actor-of.ts";
import { atomicMutation } from "./define-operation.ts";
import { AccountSchema, rowOf } from "./identity-schemas.ts";
import type { OperationsHost } from "./operations-host.ts";
import {
  Count,
  closed,
  dateOf,
  given,
  JsonObject,
  Moment,
  Name,
  nullable,
  oneOf,
} from "./schemas.ts";

const Email = Type.String({ minLength: 3, maxLength: 320 });
const Changes = closed({
  email: Type.Optional(Email),
  displayName: Type.Optional(nullable(Name)),
  accessLevel: Type.Optional(oneOf(ACCOUNT_ACCESS_LEVELS)),
  status: Type.Optional(oneOf(ACCOUNT_STATUSES)),
  metadata: Type.Optional(JsonObject),
});

/** Accounts and their SSH keys, with a line of the audit trail for each change. */
export function accountOperations({ system, tenants }: OperationsHost): readonly HubOperation[] {
  return [
    atomicMutation(
      {
        id: "identity.createAccount",
        description:
          "Creates an account, in the audit trail by the caller. An account of the access level `admin` may do everything everywhere.",
        input: closed({
          id: Type.Optional(Name),
          email: Email,
          displayName: Type.Optional(Name),
          accessLevel: Type.Optional(oneOf(ACCOUNT_ACCESS_LEVELS)),
          metadata: Type.Optional(JsonObject),
        }),
        output: AccountSchema,
        scope: "identity:write",
        errors: ["ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ email, ...input }, context) =>
        rowOf(createAccount(system, { email, by: actorOf(context), ...(given(input) as object) })),
    ),
    atomicMutation(
      {
        id: "identity.updateAccount",
        description:
          "Changes an account, in the audit trail by the caller. Its keys stop at once where `status` is no longer `active`.",
        input: closed({ id: Name, changes: Changes }),
        output: AccountSchema,
        scope: "identity:write",
        errors: ["NOT_FOUND", "ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ id, changes }, context) =>
        rowOf(
          updateAccount(system, id, { changes: given(changes) as object, by: actorOf(context) }),
        ),
    ),
    atomicMutation(
      {
        id: "identity.deactivateAccount",
        description:
          "Ends an account for good: all its keys are revoked. With `suspendTenants` the tenants of the organisations that it owns are suspended until they have another owner.",
        input: closed({
          id: Name,
          suspendTenants: Type.Optional(Type.Boolean({ default: false })),
        }),
        output: closed({
          revokedKeys: Count,
          revokedPeerKeys: Count,
          suspended: Type.Array(Type.String()),
          kept: Type.Array(Type.String()),
        }),
        scope: "identity:write",
        errors: ["NOT_FOUND"],
      },
      ({ id, suspendTenants = false }, context) => {
        const by = actorOf(context);
        const done = deactivateAccount(system, id, { by, ...(suspendTenants ? { tenants } : {}) });
        return { ...done, suspended: [...done.suspended], kept: [...done.kept] };
      },
    ),
    atomicMutation(
      {
        id: "identity.addPeerKey",
        description:
          "Lets an account sign in with an SSH key: `publicKey` is the line of its `.pub` file.",
        input: closed({
          ownerId: Name,
          publicKey: Type.String({ minLength: 1, maxLength: 16_384 }),
          name: Type.Optional(Name),
          expiresAt: Type.Optional(Moment),
        }),
        output: closed({ id: Type.String(), fingerprint: Type.String() }),
        scope: "identity:write",
        errors: ["NOT_FOUND", "ACCOUNT_STATE", "ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ ownerId, publicKey, name, expiresAt }, context) => {
        const until = expiresAt === undefined ? {} : { expiresAt: dateOf(expiresAt) };
        const by = actorOf(context);
        return addPeerKey(system, { ownerId, publicKey, by, ...given({ name }), ...until });
      },
    ),
    atomicMutation(
      {
        id: "identity.revokePeerKey",
        description: "Ends an SSH key at once. `revoked` is false where it was revoked before.",
        input: closed({ id: Name }),
        output: closed({ revoked: Type.Boolean() }),
        scope: "identity:write",
        errors: ["NOT_FOUND"],
      },
      ({ id }, context) => ({ revoked: revokePeerKey(system, id, { by: actorOf(context) }) }),
    ),
  ];
}
