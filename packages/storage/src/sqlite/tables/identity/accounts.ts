import { sql } from "drizzle-orm";
import { check, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";

/** What an account may do beyond its memberships: run the installation, use it, or serve in it. */
export const ACCOUNT_ACCESS_LEVELS = ["admin", "user", "service"] as const;

/** Whether an account may sign in. Accounts with an audit trail are deactivated, never deleted. */
export const ACCOUNT_STATUSES = ["active", "suspended", "deactivated"] as const;

/** People and programs. `email` is unique and compared without regard to case (ASCII letters). */
export const accounts = sqliteTable(
  "accounts",
  {
    ...commonColumns(),
    email: text("email").notNull().unique(),
    displayName: text("display_name"),
    accessLevel: text("access_level", { enum: ACCOUNT_ACCESS_LEVELS }).notNull().default("user"),
    status: text("status", { enum: ACCOUNT_STATUSES }).notNull().default("active"),
  },
  (table) => [
    check("accounts_metadata_json", sql`json_valid(${table.metadata})`),
    check("accounts_email", sql`${table.email} <> '' AND ${table.email} = trim(${table.email})`),
    check("accounts_access_level", sql`${table.accessLevel} IN ('admin', 'user', 'service')`),
    check("accounts_status", sql`${table.status} IN ('active', 'suspended', 'deactivated')`),
  ],
);
