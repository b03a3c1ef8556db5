import { Type } from "@sinclair/typebox";
import { organizationMembers } from "../../tables/identity/organization-members.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";

const Id = Type.String({ minLength: 1 });
const definition = defineTable(organizationMembers, {
  noun: "a membership",
  create: ["id", "orgId", "accountId", "membershipLevel", "metadata"],
  update: ["membershipLevel", "metadata"],
  keys: [["orgId", "accountId"]],
  refine: { id: Id, orgId: Id, accountId: Id },
});

const writes = rowWrites(definition, {
  created: ({ $client }, { orgId, accountId, membershipLevel }) =>
    void $client.notify("org:member_added", { orgId, accountId, membershipLevel }),
});

/** Operations of memberships. The owner's is made, moved and kept by the organization itself. */
export const organizationMemberSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link organizationMemberSpecs} with their handlers. */
export const organizationMemberOperations = tableOperations(
  definition,
  organizationMemberSpecs,
  writes,
);
