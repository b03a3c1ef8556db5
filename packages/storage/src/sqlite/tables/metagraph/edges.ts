import { type SQL, sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import { commonColumns, type JsonObject } from "../common.ts";
import { ACL_DELEGATIONS, ACL_PERMISSIONS } from "./acl-edges.ts";
import { graphs } from "./graphs.ts";
import { nodes } from "./nodes.ts";

/**
 * Edges between two nodes of one graph; they vanish with either node. `key` is optional and unique in
 * its graph where given.
 */
export const edges = sqliteTable(
  "edges",
  {
    ...commonColumns(),
    graphId: text("graph_id")
      .notNull()
      .references(() => graphs.id, { onDelete: "cascade" }),
    key: text("key"),
    sourceNodeKey: text("source_node_key").notNull(),
    targetNodeKey: text("target_node_key").notNull(),
    attributes: text("attributes", { mode: "json" }).$type<JsonObject>().notNull().default({}),
    undirected: integer("undirected", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [
    unique("edges_graph_id_key").on(table.graphId, table.key),
    foreignKey({
      name: "edges_source_node",
      columns: [table.graphId, table.sourceNodeKey],
      foreignColumns: [nodes.graphId, nodes.key],
    }).onDelete("cascade"),
    foreignKey({
      name: "edges_target_node",
      columns: [table.graphId, table.targetNodeKey],
      foreignColumns: [nodes.graphId, nodes.key],
    }).onDelete("cascade"),
    index("edges_source").on(table.graphId, table.sourceNodeKey, table.targetNodeKey),
    index("edges_target").on(table.graphId, table.targetNodeKey, table.sourceNodeKey),
    index("edges_edge_type").on(
      sql`json_extract(${table.metadata}, '$._metagraph.edgeType')`,
      table.graphId,
      table.sourceNodeKey,
      table.targetNodeKey,
    ),
    index("edges_undirected")
      .on(table.graphId, table.targetNodeKey, table.sourceNodeKey)
      .where(sql`${table.undirected} = 1`),
    index("edges_acl_delegations")
      .on(table.targetNodeKey, table.sourceNodeKey)
      .where(sql.raw(ACL_DELEGATIONS)),
    index("edges_acl_permissions")
      .on(table.sourceNodeKey, table.targetNodeKey)
      .where(sql.raw(ACL_PERMISSIONS)),
    check("edges_metadata_json", sql`json_valid(${table.metadata})`),
    check("edges_attributes_json", sql`json_valid(${table.attributes})`),
    check("edges_undirected", sql`${table.undirected} IN (0, 1)`),
  ],
);

/** An edge's type, as an expression that index `edges_edge_type` answers. */
export const edgeType: SQL<string | null> =
  sql`json_extract(${edges.metadata}, '$._metagraph.edgeType')`;
