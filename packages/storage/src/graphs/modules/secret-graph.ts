import { Type } from "@sinclair/typebox";
import { EncryptedDataSchema } from "../crypto/encrypted-data.ts";
import { graphConfig, nodeAttributes } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { Id, Timestamp } from "./shared-types.ts";

/**
 * Secrets, each a node. Only `value` is encrypted, so that names, tags and the key version stay
 * searchable without a key.
 */
export const SecretGraph = defineModule(
  { name: "secret_graph", description: "Secrets, encrypted one by one" },
  {
    Config: graphConfig({ type: "directed", multi: false, allowSelfLoops: false }),
    EncryptedData: EncryptedDataSchema,
    SecretNode: nodeAttributes(
      {
        name: Id,
        value: Type.Ref("EncryptedData"),
        description: Type.Optional(Type.String()),
        /** What it is for: `api_key`, `password`, `certificate`. */
        secretType: Type.Optional(Id),
        tags: Type.Optional(Type.Array(Id, { uniqueItems: true })),
        /** Milliseconds since 1970 after which it is of no use. */
        expiresAt: Type.Optional(Timestamp),
        /** Milliseconds since 1970 of the last encryption with a newer key. */
        rotatedAt: Type.Optional(Timestamp),
      },
      { description: "One secret; only its value is encrypted" },
    ),
  },
);
