import { sql } from "drizzle-orm";
import { check, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";

/** Who owns a graph type: the product, one organisation, or one user. */
export const GRAPH_TYPE_SCOPES = ["system", "tenant", "user"] as const;

/**
 * Kinds of graphs. `version` starts at 2 and is even while the type is stable, odd while its data is
 * being migrated. A type that a graph still uses cannot be deleted (trigger `graph_types_in_use`).
 */
export const graphTypes = sqliteTable(
  "graph_types",
  {
    ...commonColumns(),
    name: text("name").notNull().unique(),
    description: text("description").notNull().default(""),
    config: text("config", { mode: "json" }).$type<JsonObject>().notNull().default({}),
    version: integer("version").notNull().default(2),
    scope: text("scope", { enum: GRAPH_TYPE_SCOPES }).notNull().default("tenant"),
  },
  (table) => [
    check("graph_types_metadata_json", sql`json_valid(${table.metadata})`),
    check("graph_types_config_json", sql`json_valid(${table.config})`),
    check("graph_types_version", sql`${table.version} >= 2`),
    check("graph_types_scope", sql`${table.scope} IN ('system', 'tenant', 'user')`),
  ],
);
