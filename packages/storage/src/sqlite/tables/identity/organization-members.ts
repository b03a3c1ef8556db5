import { sql } from "drizzle-orm";
import { check, index, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";
import { accounts } from "./accounts.ts";
import { organizations } from "./organizations.ts";

/** What an account is in an organization. */
export const MEMBERSHIP_LEVELS = ["owner", "admin", "member"] as const;

/**
 * Who belongs to which organization; the authority on it. The level is "owner" for the account that the
 * organization's `ownerId` names and for nobody else: the database keeps that row, and refuses others.
 */
export const organizationMembers = sqliteTable(
  "organization_members",
  {
    ...commonColumns(),
    orgId: text("org_id")
      .notNull()
      .references(() => organizations.id, { onDelete: "cascade" }),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "cascade" }),
    membershipLevel: text("membership_level", { enum: MEMBERSHIP_LEVELS }).notNull(),
  },
  (table) => [
    unique("organization_members_org_id_account_id").on(table.orgId, table.accountId),
    index("organization_members_account_id").on(table.accountId),
    check("organization_members_metadata_json", sql`json_valid(${table.metadata})`),
    check(
      "organization_members_level",
      sql`${table.membershipLevel} IN ('owner', 'admin', 'member')`,
    ),
  ],
);
