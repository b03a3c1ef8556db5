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
export { edgeTypes } from "./tables/metagraph/edge-types.ts";
export { edges, edgeType } from "./tables/metagraph/edges.ts";
export { GRAPH_TYPE_SCOPES, graphTypes } from "./tables/metagraph/graph-types.ts";
export { GRAPH_STATUSES, graphs } from "./tables/metagraph/graphs.ts";
export { nodeTypes } from "./tables/metagraph/node-types.ts";
export { nodes, nodeType } from "./tables/metagraph/nodes.ts";
export { uuidV7 } from "./uuid-v7.ts";
