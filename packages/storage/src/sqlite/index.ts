export { StorageError, type StorageErrorCode, type StorageErrorOptions } from "../errors.ts";
export {
  createSystemDatabase,
  createTenantDatabase,
  type StorageDatabaseOptions,
  type SystemDatabase,
  type TenantDatabase,
} from "./client.ts";
export {
  createCompositeEventTarget,
  createHonkerEventTarget,
} from "./event-target/honker-event-target.ts";
export type { HonkerEventTarget, HonkerEventTargetOptions } from "./event-target/options.ts";
export { createStreamSource, type StreamSourceOptions } from "./event-target/stream-source.ts";
export {
  type GraphTypeRef,
  readGraphType,
  type StoredGraphType,
} from "./graph-types/read-graph-type.ts";
export type { DatabaseKind } from "./migrations/migration.ts";
export { systemSchema, tenantSchema } from "./schema.ts";
export type { JsonObject } from "./tables/common.ts";
export {
  ACCOUNT_ACCESS_LEVELS,
  ACCOUNT_STATUSES,
  accounts,
} from "./tables/identity/accounts.ts";
export { apiKeys } from "./tables/identity/api-keys.ts";
export { AUDIT_CREDENTIAL_TYPES, auditLogs } from "./tables/identity/audit-logs.ts";
export {
  MEMBERSHIP_LEVELS,
  organizationMembers,
} from "./tables/identity/organization-members.ts";
export { organizations } from "./tables/identity/organizations.ts";
export { PEER_CREDENTIAL_TYPES, peerCredentials } from "./tables/identity/peer-credentials.ts";
export { edgeTypes } from "./tables/metagraph/edge-types.ts";
export { edges, edgeType } from "./tables/metagraph/edges.ts";
export { GRAPH_TYPE_SCOPES, graphTypes } from "./tables/metagraph/graph-types.ts";
export { GRAPH_STATUSES, graphs } from "./tables/metagraph/graphs.ts";
export { nodeTypes } from "./tables/metagraph/node-types.ts";
export { nodes, nodeType } from "./tables/metagraph/nodes.ts";
export { uuidV7 } from "./uuid-v7.ts";
