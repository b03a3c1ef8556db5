import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";
import { accounts } from "./accounts.ts";

/** What a peer proves itself with: its own key, or a certificate of an authority. */
export const PEER_CREDENTIAL_TYPES = ["ssh_key", "cert_authority"] as const;

/** Public keys by which peers are known; `fingerprint` is unique over all accounts. */
export const peerCredentials = sqliteTable(
  "peer_credentials",
  {
    ...commonColumns(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "cascade" }),
    credentialType: text("credential_type", { enum: PEER_CREDENTIAL_TYPES }).notNull(),
    fingerprint: text("fingerprint").notNull().unique(),
    publicKeyData: text("public_key_data").notNull(),
    name: text("name"),
    enabled: integer("enabled", { mode: "boolean" }).notNull().default(true),
    expiresAt: integer("expires_at", { mode: "timestamp" }),
    revokedAt: integer("revoked_at", { mode: "timestamp" }),
  },
  (table) => [
    index("peer_credentials_owner_id").on(table.ownerId),
    check("peer_credentials_metadata_json", sql`json_valid(${table.metadata})`),
    check("peer_credentials_type", sql`${table.credentialType} IN ('ssh_key', 'cert_authority')`),
    check("peer_credentials_fingerprint", sql`${table.fingerprint} <> ''`),
    check("peer_credentials_enabled", sql`${table.enabled} IN (0, 1)`),
  ],
);
