import { sql } from "drizzle-orm";
import { check, index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";
import { accounts } from "./accounts.ts";

/**
 * Organizations. `slug`: up to 63 of `a-z`, `0-9` and inner `-`. Inserting one makes its owner's
 * membership, and changing `ownerId` moves it: the one before becomes an admin.
 */
export const organizations = sqliteTable(
  "organizations",
  {
    ...commonColumns(),
    name: text("name").notNull().unique(),
    slug: text("slug").notNull().unique(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "restrict" }),
  },
  (table) => [
    index("organizations_owner_id").on(table.ownerId),
    check("organizations_metadata_json", sql`json_valid(${table.metadata})`),
    check("organizations_name", sql`${table.name} <> ''`),
    check(
      "organizations_slug",
      sql`${table.slug} NOT GLOB '*[^a-z0-9-]*' AND ${table.slug} GLOB '[a-z0-9]*' AND ${table.slug} NOT GLOB '*-' AND length(${table.slug}) <= 63`,
    ),
  ],
);
