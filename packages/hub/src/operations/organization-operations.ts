import {
  addMember,
  createOrganization,
  removeMember,
  transferOrganization,
} from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { actorOf } from "./actor-of.ts";
import { atomicMutation } from "./define-operation.ts";
import { MemberSchema, OrganizationSchema, rowOf } from "./identity-schemas.ts";
import type { OperationsHost } from "./operations-host.ts";
import { closed, given, JsonObject, Name, oneOf } from "./schemas.ts";

/** Organisations and who is in them, with a line of the audit trail for each change. */
export function organizationOperations({ system }: OperationsHost): readonly HubOperation[] {
  return [
    atomicMutation(
      {
        id: "identity.createOrganization",
        description:
          "Creates an organisation whose owner becomes its first member. Its tenant is made by `tenants.create`.",
        input: closed({
          id: Type.Optional(Name),
          name: Name,
          slug: Type.String({ minLength: 1, maxLength: 63 }),
          ownerId: Name,
          metadata: Type.Optional(JsonObject),
        }),
        output: OrganizationSchema,
        scope: "identity:write",
        errors: ["NOT_FOUND", "ACCOUNT_STATE", "ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ name, slug, ownerId, ...input }, context) => {
        const by = actorOf(context);
        return rowOf(
          createOrganization(system, { name, slug, ownerId, by, ...(given(input) as object) }),
        );
      },
    ),
    atomicMutation(
      {
        id: "identity.addMember",
        description: "Makes an account a member, or an admin, of an organisation.",
        input: closed({
          orgId: Name,
          accountId: Name,
          membershipLevel: Type.Optional(oneOf(["admin", "member"])),
        }),
        output: MemberSchema,
        scope: "identity:write",
        errors: ["NOT_FOUND", "ACCOUNT_STATE", "ALREADY_EXISTS", "INVALID_ARGUMENT"],
      },
      ({ orgId, accountId, membershipLevel }, context) => {
        const level = given({ membershipLevel });
        return rowOf(addMember(system, { orgId, accountId, by: actorOf(context), ...level }));
      },
    ),
    atomicMutation(
      {
        id: "identity.removeMember",
        description:
          "Ends a membership; the owner's cannot end. `removed` is false where there is none.",
        input: closed({ orgId: Name, accountId: Name }),
        output: closed({ removed: Type.Boolean() }),
        scope: "identity:write",
        errors: ["READ_ONLY"],
      },
      ({ orgId, accountId }, context) => ({
        removed: removeMember(system, { orgId, accountId, by: actorOf(context) }),
      }),
    ),
    atomicMutation(
      {
        id: "identity.transferOrganization",
        description: "Hands an organisation to another owner; the one before stays as an admin.",
        input: closed({ orgId: Name, newOwnerId: Name }),
        output: OrganizationSchema,
        scope: "identity:write",
        errors: ["NOT_FOUND", "ACCOUNT_STATE"],
      },
      ({ orgId, newOwnerId }, context) =>
        rowOf(transferOrganization(system, { orgId, newOwnerId, by: actorOf(context) })),
    ),
  ];
}
