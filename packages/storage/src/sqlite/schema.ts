import { edgeTypes } from "./tables/metagraph/edge-types.ts";
import { edges } from "./tables/metagraph/edges.ts";
import { graphTypes } from "./tables/metagraph/graph-types.ts";
import { graphs } from "./tables/metagraph/graphs.ts";
import { nodeTypes } from "./tables/metagraph/node-types.ts";
import { nodes } from "./tables/metagraph/nodes.ts";
import {
  edgesRelations,
  edgeTypesRelations,
  graphsRelations,
  graphTypesRelations,
  nodesRelations,
  nodeTypesRelations,
  systemGraphTypesRelations,
} from "./tables/metagraph/relations.ts";

/** Tables and relations of `system.db`. */
export const systemSchema = {
  graphTypes,
  nodeTypes,
  edgeTypes,
  graphTypesRelations: systemGraphTypesRelations,
  nodeTypesRelations,
  edgeTypesRelations,
};

/** Tables and relations of a tenant's file. */
export const tenantSchema = {
  graphTypes,
  nodeTypes,
  edgeTypes,
  graphs,
  nodes,
  edges,
  graphTypesRelations,
  nodeTypesRelations,
  edgeTypesRelations,
  graphsRelations,
  nodesRelations,
  edgesRelations,
};
