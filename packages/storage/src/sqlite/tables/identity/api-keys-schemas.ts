import { type Static, Type } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject } from "../refinements.ts";
import { apiKeys } from "./api-keys.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const apiKeyRefinements = {
  metadata: jsonObject,
  keyHash: () => Type.String({ pattern: "^[0-9a-f]{64}$" }),
} as const;

/** An API key as it is read. */
export const SelectApiKeySchema = createSelectSchema(apiKeys, apiKeyRefinements);
/** {@link SelectApiKeySchema} as a type. */
export type SelectApiKey = Static<typeof SelectApiKeySchema>;

/** An API key as it is inserted. */
export const InsertApiKeySchema = createInsertSchema(apiKeys, apiKeyRefinements);
/** {@link InsertApiKeySchema} as a type. */
export type InsertApiKey = Static<typeof InsertApiKeySchema>;

/** Changes to an API key. */
export const UpdateApiKeySchema = createUpdateSchema(apiKeys, apiKeyRefinements);
/** {@link UpdateApiKeySchema} as a type. */
export type UpdateApiKey = Static<typeof UpdateApiKeySchema>;
