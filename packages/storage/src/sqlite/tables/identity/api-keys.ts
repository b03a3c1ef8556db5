import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";
import { accounts } from "./accounts.ts";

/**
 * Bearer keys of accounts. `keyHash` is the SHA-256 of the key, 64 lower-case hex digits; the key itself
 * is stored nowhere, and must be made of at least 128 random bits. `rotatedToId` is the key that took over.
 */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    ...commonColumns(),
    ownerId: text("owner_id")
      .notNull()
      .references(() => accounts.id, { onDelete: "cascade" }),
    keyHash: text("key_hash").notNull().unique(),
    name: text("name"),
    enabled: integer("enabled", { mode: "boolean" }).notNull().default(true),
    expiresAt: integer("expires_at", { mode: "timestamp" }),
    revokedAt: integer("revoked_at", { mode: "timestamp" }),
    rotatedToId: text("rotated_to_id").references((): AnySQLiteColumn => apiKeys.id, {
      onDelete: "set null",
    }),
    lastUsedAt: integer("last_used_at", { mode: "timestamp" }),
  },
  (table) => [
    index("api_keys_owner_id").on(table.ownerId),
    index("api_keys_rotated_to_id")
      .on(table.rotatedToId)
      .where(sql`${table.rotatedToId} IS NOT NULL`),
    check("api_keys_metadata_json", sql`json_valid(${table.metadata})`),
    check(
      "api_keys_key_hash",
      sql`length(${table.keyHash}) = 64 AND ${table.keyHash} NOT GLOB '*[^0-9a-f]*'`,
    ),
    check("api_keys_enabled", sql`${table.enabled} IN (0, 1)`),
    check("api_keys_rotated_to_id", sql`${table.rotatedToId} <> ${table.id}`),
  ],
);
