import { sql } from "drizzle-orm";
import { integer, text } from "drizzle-orm/sqlite-core";
import { uuidV7 } from "../uuid-v7.ts";

/** A JSON object as a `metadata`, `attributes`, `config` or `schema` column holds it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The columns every table has: `id` (UUID v7), `metadata` (JSON, keys of the form `_subsystem`),
 * `createdAt` and `updatedAt` (seconds; `updatedAt` moves with every update made through Drizzle).
 */
export const commonColumns = () => ({
  id: text("id").primaryKey().$defaultFn(uuidV7),
  metadata: text("metadata", { mode: "json" }).$type<JsonObject>().notNull().default({}),
  createdAt: integer("created_at", { mode: "timestamp" }).notNull().default(NOW),
  updatedAt: integer("updated_at", { mode: "timestamp" })
    .notNull()
    .default(NOW)
    .$onUpdate(() => new Date()),
});

const NOW = sql`(unixepoch())`;
