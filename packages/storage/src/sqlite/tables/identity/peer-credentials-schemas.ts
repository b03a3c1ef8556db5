import type { Static } from "@sinclair/typebox";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../../schema-utils/table-schemas.ts";
import { jsonObject, nonEmptyText } from "../refinements.ts";
import { peerCredentials } from "./peer-credentials.ts";

/** What the database asks of the columns beyond their types; for schemas in another form too. */
export const peerCredentialRefinements = {
  metadata: jsonObject,
  fingerprint: nonEmptyText,
} as const;

/** A peer credential as it is read. */
export const SelectPeerCredentialSchema = createSelectSchema(
  peerCredentials,
  peerCredentialRefinements,
);
/** {@link SelectPeerCredentialSchema} as a type. */
export type SelectPeerCredential = Static<typeof SelectPeerCredentialSchema>;

/** A peer credential as it is inserted. */
export const InsertPeerCredentialSchema = createInsertSchema(
  peerCredentials,
  peerCredentialRefinements,
);
/** {@link InsertPeerCredentialSchema} as a type. */
export type InsertPeerCredential = Static<typeof InsertPeerCredentialSchema>;

/** Changes to a peer credential. */
export const UpdatePeerCredentialSchema = createUpdateSchema(
  peerCredentials,
  peerCredentialRefinements,
);
/** {@link UpdatePeerCredentialSchema} as a type. */
export type UpdatePeerCredential = Static<typeof UpdatePeerCredentialSchema>;
