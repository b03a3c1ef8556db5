import { Type } from "@sinclair/typebox";
import { apiKeys } from "../../tables/identity/api-keys.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";

const Id = Type.String({ minLength: 1 });
const definition = defineTable(apiKeys, {
  noun: "an API key",
  create: ["id", "ownerId", "keyHash", "name", "enabled", "expiresAt", "metadata"],
  update: ["name", "enabled", "expiresAt", "revokedAt", "rotatedToId", "metadata"],
  hidden: ["keyHash"],
  refine: { id: Id, ownerId: Id, keyHash: Type.String({ pattern: "^[0-9a-f]{64}$" }) },
});

/** Operations of API keys. The hash goes in with `create` and never comes out. */
export const apiKeySpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link apiKeySpecs} with their handlers. */
export const apiKeyOperations = tableOperations(definition, apiKeySpecs, rowWrites(definition));
