import type { OperationSpec } from "@alkdev/operations";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import type { TableOperations } from "./table-operations.ts";
import { accountOperations } from "./tables/accounts.ts";
import { apiKeyOperations } from "./tables/api-keys.ts";
import { auditLogOperations } from "./tables/audit-logs.ts";
import { edgeTypeOperations } from "./tables/edge-types.ts";
import { edgeOperations } from "./tables/edges.ts";
import { graphTypeOperations } from "./tables/graph-types.ts";
import { graphOperations } from "./tables/graphs.ts";
import { nodeTypeOperations } from "./tables/node-types.ts";
import { nodeOperations } from "./tables/nodes.ts";
import { organizationMemberOperations } from "./tables/organization-members.ts";
import { organizationOperations } from "./tables/organizations.ts";
import { peerCredentialOperations } from "./tables/peer-credentials.ts";

/** The operations of every table that `system.db` alone has. */
export const systemTables: readonly TableOperations<readonly OperationSpec[], SystemDatabase>[] = [
  accountOperations,
  organizationOperations,
  organizationMemberOperations,
  apiKeyOperations,
  peerCredentialOperations,
  auditLogOperations,
];

/** The operations of every table of a tenant's file. */
export const tenantTables: readonly TableOperations<readonly OperationSpec[], TenantDatabase>[] = [
  graphTypeOperations,
  nodeTypeOperations,
  edgeTypeOperations,
  graphOperations,
  nodeOperations,
  edgeOperations,
];
