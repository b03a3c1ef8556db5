import { sql } from "drizzle-orm";
import { check, index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { commonColumns } from "../common.ts";
import { graphTypes } from "./graph-types.ts";

/** Where a graph is in its life. */
export const GRAPH_STATUSES = ["draft", "active", "archived"] as const;

/**
 * Graph instances. `ownerId` null: owned by the system; `projectId` null: belongs to the organisation.
 * Both name rows of another file, so they are not foreign keys.
 */
export const graphs = sqliteTable(
  "graphs",
  {
    ...commonColumns(),
    graphTypeId: text("graph_type_id").references(() => graphTypes.id, { onDelete: "set null" }),
    name: text("name").notNull(),
    description: text("description").notNull().default(""),
    status: text("status", { enum: GRAPH_STATUSES }).notNull().default("draft"),
    ownerId: text("owner_id"),
    projectId: text("project_id"),
  },
  (table) => [
    index("graphs_graph_type_id").on(table.graphTypeId),
    index("graphs_owner_id").on(table.ownerId),
    index("graphs_project_id").on(table.projectId),
    index("graphs_owner_id_project_id").on(table.ownerId, table.projectId),
    check("graphs_metadata_json", sql`json_valid(${table.metadata})`),
    check("graphs_status", sql`${table.status} IN ('draft', 'active', 'archived')`),
  ],
);
