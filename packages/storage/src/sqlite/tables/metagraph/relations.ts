import { relations } from "drizzle-orm";
import { edgeTypes } from "./edge-types.ts";
import { edges } from "./edges.ts";
import { graphTypes } from "./graph-types.ts";
import { graphs } from "./graphs.ts";
import { nodeTypes } from "./node-types.ts";
import { nodes } from "./nodes.ts";

export const nodeTypesRelations = relations(nodeTypes, ({ one }) => ({
  graphType: one(graphTypes, { fields: [nodeTypes.graphTypeId], references: [graphTypes.id] }),
}));

export const edgeTypesRelations = relations(edgeTypes, ({ one }) => ({
  graphType: one(graphTypes, { fields: [edgeTypes.graphTypeId], references: [graphTypes.id] }),
}));

/** Of a graph type in the system database, which holds no graphs. */
export const systemGraphTypesRelations = relations(graphTypes, ({ many }) => ({
  nodeTypes: many(nodeTypes),
  edgeTypes: many(edgeTypes),
}));

/** Of a graph type in a tenant database. */
export const graphTypesRelations = relations(graphTypes, ({ many }) => ({
  nodeTypes: many(nodeTypes),
  edgeTypes: many(edgeTypes),
  graphs: many(graphs),
}));

export const graphsRelations = relations(graphs, ({ one, many }) => ({
  graphType: one(graphTypes, { fields: [graphs.graphTypeId], references: [graphTypes.id] }),
  nodes: many(nodes),
  edges: many(edges),
}));

export const nodesRelations = relations(nodes, ({ one, many }) => ({
  graph: one(graphs, { fields: [nodes.graphId], references: [graphs.id] }),
  outgoing: many(edges, { relationName: "source" }),
  incoming: many(edges, { relationName: "target" }),
}));

export const edgesRelations = relations(edges, ({ one }) => ({
  graph: one(graphs, { fields: [edges.graphId], references: [graphs.id] }),
  source: one(nodes, {
    fields: [edges.graphId, edges.sourceNodeKey],
    references: [nodes.graphId, nodes.key],
    relationName: "source",
  }),
  target: one(nodes, {
    fields: [edges.graphId, edges.targetNodeKey],
    references: [nodes.graphId, nodes.key],
    relationName: "target",
  }),
}));
