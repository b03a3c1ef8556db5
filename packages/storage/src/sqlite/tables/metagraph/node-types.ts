import { sql } from "drizzle-orm";
import { check, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";
import { graphTypes } from "./graph-types.ts";

/** What nodes of a graph type look like: `schema` is the JSON Schema of their attributes. */
export const nodeTypes = sqliteTable(
  "node_types",
  {
    ...commonColumns(),
    graphTypeId: text("graph_type_id")
      .notNull()
      .references(() => graphTypes.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    schema: text("schema", { mode: "json" }).$type<JsonObject>().notNull(),
  },
  (table) => [
    unique("node_types_graph_type_id_name").on(table.graphTypeId, table.name),
    check("node_types_metadata_json", sql`json_valid(${table.metadata})`),
    check("node_types_schema_json", sql`json_valid(${table.schema})`),
  ],
);
