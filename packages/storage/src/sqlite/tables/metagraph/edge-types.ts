import { sql } from "drizzle-orm";
import { check, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";
import { graphTypes } from "./graph-types.ts";

/**
 * What edges of a graph type look like, and which node types they may join: arrays of node type names,
 * empty for any.
 */
export const edgeTypes = sqliteTable(
  "edge_types",
  {
    ...commonColumns(),
    graphTypeId: text("graph_type_id")
      .notNull()
      .references(() => graphTypes.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    schema: text("schema", { mode: "json" }).$type<JsonObject>().notNull(),
    allowedSourceTypes: text("allowed_source_types", { mode: "json" })
      .$type<readonly string[]>()
      .notNull()
      .default([]),
    allowedTargetTypes: text("allowed_target_types", { mode: "json" })
      .$type<readonly string[]>()
      .notNull()
      .default([]),
  },
  (table) => [
    unique("edge_types_graph_type_id_name").on(table.graphTypeId, table.name),
    check("edge_types_metadata_json", sql`json_valid(${table.metadata})`),
    check("edge_types_schema_json", sql`json_valid(${table.schema})`),
    check("edge_types_allowed_source_types_json", sql`json_valid(${table.allowedSourceTypes})`),
    check("edge_types_allowed_target_types_json", sql`json_valid(${table.allowedTargetTypes})`),
  ],
);
