import { type SQL, sql } from "drizzle-orm";
import { check, index, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";
import { graphs } from "./graphs.ts";

/** Nodes, known by their `key` within a graph. Their type is in the metadata: see {@link nodeType}. */
export const nodes = sqliteTable(
  "nodes",
  {
    ...commonColumns(),
    graphId: text("graph_id")
      .notNull()
      .references(() => graphs.id, { onDelete: "cascade" }),
    key: text("key").notNull(),
    attributes: text("attributes", { mode: "json" }).$type<JsonObject>().notNull().default({}),
  },
  (table) => [
    unique("nodes_graph_id_key").on(table.graphId, table.key),
    index("nodes_node_type").on(
      sql`json_extract(${table.metadata}, '$._metagraph.nodeType')`,
      table.graphId,
      table.key,
    ),
    check("nodes_metadata_json", sql`json_valid(${table.metadata})`),
    check("nodes_attributes_json", sql`json_valid(${table.attributes})`),
  ],
);

/**
 * A node's type, as an expression that index `nodes_node_type` answers.
 *
 * @example
 * ```ts
 * db.select().from(nodes).where(eq(nodeType, "PackageNode"));
 * ```
 */
export const nodeType: SQL<string | null> =
  sql`json_extract(${nodes.metadata}, '$._metagraph.nodeType')`;
