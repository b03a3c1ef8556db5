import { sql } from "drizzle-orm";
import { check, index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";
import { accounts } from "./accounts.ts";
import { organizations } from "./organizations.ts";

/** What `credentialId` of an audit row names: a row of `api_keys`, or one of `peer_credentials` by its type. */
export const AUDIT_CREDENTIAL_TYPES = ["api_key", "ssh_key", "cert_authority"] as const;

/**
 * Who did what, with which credential. Rows are never changed nor deleted, only `orgId` becomes null when
 * its organization goes. The credential is no foreign key: it may be gone.
 */
export const auditLogs = sqliteTable(
  "audit_logs",
  {
    ...commonColumns(),
    action: text("action").notNull(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "restrict" }),
    credentialId: text("credential_id"),
    credentialType: text("credential_type", { enum: AUDIT_CREDENTIAL_TYPES }),
    orgId: text("org_id").references(() => organizations.id, { onDelete: "set null" }),
    details: text("details", { mode: "json" }).$type<JsonObject>(),
  },
  (table) => [
    index("audit_logs_owner_id_created_at").on(table.ownerId, table.createdAt),
    index("audit_logs_org_id_created_at").on(table.orgId, table.createdAt),
    index("audit_logs_action_created_at").on(table.action, table.createdAt),
    check("audit_logs_metadata_json", sql`json_valid(${table.metadata})`),
    check("audit_logs_action", sql`${table.action} <> ''`),
    check(
      "audit_logs_credential_type",
      sql`${table.credentialType} IN ('api_key', 'ssh_key', 'cert_authority')`,
    ),
    check(
      "audit_logs_credential",
      sql`(${table.credentialId} IS NULL) = (${table.credentialType} IS NULL)`,
    ),
    check("audit_logs_details_json", sql`json_valid(${table.details})`),
  ],
);
