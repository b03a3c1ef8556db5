import { Type } from "@sinclair/typebox";
import { accounts } from "../../tables/identity/accounts.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";

const definition = defineTable(accounts, {
  noun: "an account",
  create: ["id", "email", "displayName", "accessLevel", "status", "metadata"],
  update: ["email", "displayName", "accessLevel", "status", "metadata"],
  keys: [["email"]],
  refine: { id: Type.String({ minLength: 1 }), email: Type.String({ minLength: 1 }) },
});

const writes = rowWrites(definition, {
  created: ({ $client }, { id, email, accessLevel }) =>
    void $client.notify("account:created", { accountId: id, email, accessLevel }),
  updated: ({ $client }, accountId, changes) =>
    void $client.notify("account:updated", { accountId, changes }),
});

/** Operations of accounts. Whoever holds `accounts:write` can make an account an admin. */
export const accountSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link accountSpecs} with their handlers. */
export const accountOperations = tableOperations(definition, accountSpecs, writes);
