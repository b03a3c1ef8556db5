import { accounts } from "./tables/identity/accounts.ts";
import { apiKeys } from "./tables/identity/api-keys.ts";
import { auditLogs } from "./tables/identity/audit-logs.ts";
import { organizationMembers } from "./tables/identity/organization-members.ts";
import { organizations } from "./tables/identity/organizations.ts";
import { peerCredentials } from "./tables/identity/peer-credentials.ts";
import {
  accountsRelations,
  apiKeysRelations,
  auditLogsRelations,
  organizationMembersRelations,
  organizationsRelations,
  peerCredentialsRelations,
} from "./tables/identity/relations.ts";
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
  accounts,
  organizations,
  organizationMembers,
  apiKeys,
  peerCredentials,
  auditLogs,
  graphTypes,
  nodeTypes,
  edgeTypes,
  graphTypesRelations: systemGraphTypesRelations,
  nodeTypesRelations,
  edgeTypesRelations,
  accountsRelations,
  organizationsRelations,
  organizationMembersRelations,
  apiKeysRelations,
  peerCredentialsRelations,
  auditLogsRelations,
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
