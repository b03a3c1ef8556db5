import { Type } from "@sinclair/typebox";
import { peerCredentials } from "../../tables/identity/peer-credentials.ts";
import { rowWrites } from "../row-writes.ts";
import { defineTable } from "../table-definition.ts";
import { tableOperations } from "../table-operations.ts";
import { createSpec, deleteSpec, findSpec, listSpec, updateSpec } from "../table-specs.ts";

const Text = Type.String({ minLength: 1 });
const definition = defineTable(peerCredentials, {
  noun: "a peer credential",
  create: [
    "id",
    "ownerId",
    "credentialType",
    "fingerprint",
    "publicKeyData",
    "name",
    "enabled",
    "expiresAt",
    "metadata",
  ],
  update: ["name", "enabled", "expiresAt", "revokedAt", "metadata"],
  keys: [["fingerprint"]],
  refine: { id: Text, ownerId: Text, fingerprint: Text, publicKeyData: Text },
});

/** Operations of peer credentials. A key that changes is another credential. */
export const peerCredentialSpecs = [
  createSpec(definition),
  findSpec(definition),
  listSpec(definition),
  updateSpec(definition),
  deleteSpec(definition),
] as const;

/** {@link peerCredentialSpecs} with their handlers. */
export const peerCredentialOperations = tableOperations(
  definition,
  peerCredentialSpecs,
  rowWrites(definition),
);
