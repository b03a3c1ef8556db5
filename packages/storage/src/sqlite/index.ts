export { StorageError, type StorageErrorCode, type StorageErrorOptions } from "../errors.ts";
export {
  type Acl,
  type AclOptions,
  createAcl,
  type ExplainIdentityOptions,
} from "./acl/acl.ts";
export type { AclEvaluation } from "./acl/acl-context.ts";
export { principalKey } from "./acl/acl-keys.ts";
export type { DelegationInput, ListDelegationsOptions } from "./acl/delegations.ts";
export { createAclEvaluationHandler } from "./acl/evaluation-handler.ts";
export type { ListPermissionsOptions, PermissionInput } from "./acl/permissions.ts";
export type { ListPrincipalsOptions, PrincipalInput } from "./acl/principals.ts";
export type { Member, MembershipChanges } from "./acl/reconcile-members.ts";
export {
  type AccountChanges,
  type AccountInput,
  createAccount,
  updateAccount,
} from "./auth/accounts.ts";
export { isApiKey } from "./auth/api-key-format.ts";
export {
  type ApiKeyInfo,
  type ApiKeyInput,
  createApiKey,
  type ListApiKeysOptions,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
} from "./auth/api-keys.ts";
export {
  type Actor,
  type AuditEntry,
  type CredentialType,
  recordAudit,
} from "./auth/audit.ts";
export type { AuthenticatorOptions } from "./auth/auth-options.ts";
export type { Authenticated, Authentication, NotAuthenticated } from "./auth/authentication.ts";
export {
  type AuthenticateOptions,
  type Authenticator,
  type ChallengeAnswer,
  createAuthenticator,
} from "./auth/authenticator.ts";
export {
  type Authorization,
  type Authorized,
  type AuthorizeOptions,
  authorize,
  levelsIn,
  type NotAuthorized,
  systemIdentity,
  type TenantIdentityOptions,
  tenantIdentity,
} from "./auth/authorize.ts";
export {
  type DeactivateAccountOptions,
  type Deactivation,
  deactivateAccount,
} from "./auth/deactivate-account.ts";
export {
  type AccessStep,
  type ExplainAccessOptions,
  type ExplainAccessQuestion,
  explainAccess,
} from "./auth/explain-access.ts";
export type { KeyLimits } from "./auth/key-limits.ts";
export { DEFAULT_MEMBERSHIP_SCOPES, type MembershipScopes } from "./auth/membership-scopes.ts";
export {
  addMember,
  createOrganization,
  type MemberInput,
  type MemberKey,
  type OrganizationInput,
  removeMember,
  transferOrganization,
} from "./auth/organizations.ts";
export {
  addPeerKey,
  type PeerKey,
  type PeerKeyInput,
  revokePeerKey,
} from "./auth/peer-credentials.ts";
export type { Membership, Principal } from "./auth/principal.ts";
export {
  type AccessRequest,
  type Resolution,
  type ResolveOptions,
  resolveIdentity,
} from "./auth/resolve-identity.ts";
export { type RotateApiKeyOptions, rotateApiKey } from "./auth/rotate-api-key.ts";
export type { LimitOptions } from "./auth/shared-limit.ts";
export type { Challenge } from "./auth/ssh/challenges.ts";
export { parseSshPublicKey, type SshKeyType, type SshPublicKey } from "./auth/ssh/public-key.ts";
export { type SignedMessage, verifySshSignature } from "./auth/ssh/ssh-signature.ts";
export type { AccountMaintenance } from "./auth/workers/account-maintenance.ts";
export { createAccountMaintenanceHandler } from "./auth/workers/account-maintenance.ts";
export {
  createKeyManagementHandler,
  type DeliverKey,
  type KeyManagement,
  type RotatedKey,
} from "./auth/workers/key-management.ts";
export {
  type SystemWorkers,
  type SystemWorkersOptions,
  startSystemWorkers,
} from "./auth/workers/start-system-workers.ts";
export {
  createSystemMaintenanceHandler,
  type SystemMaintenance,
} from "./auth/workers/system-maintenance.ts";
export type { BackupRetention } from "./backups/backup-retention.ts";
export { type LitestreamOptions, litestreamConfig } from "./backups/litestream-config.ts";
export {
  type BackupWorkers,
  type BackupWorkersOptions,
  startBackupWorkers,
} from "./backups/start-backup-workers.ts";
export type { TenantBackup } from "./backups/tenant-backup.ts";
export {
  createTenantBackups,
  type RestoreTenantOptions,
  type TenantBackups,
  type TenantBackupsOptions,
} from "./backups/tenant-backups.ts";
export { type BulkTable, bulkTable, type RefusedRow } from "./bulk/bulk-table.ts";
export { type ExportedTable, exportTables } from "./bulk/export-tables.ts";
export {
  insertOrganizationWithOwner,
  type OrganizationWithOwner,
} from "./bulk/organization-with-owner.ts";
export { type CallJournal, createCallJournal } from "./call-journal/call-journal.ts";
export type { JournalClaim } from "./call-journal/claimed-calls.ts";
export type { CallJournalOptions } from "./call-journal/journal-options.ts";
export type { CallNote, JournaledCall } from "./call-journal/journaled-call.ts";
export { type PruneCallsOptions, pruneCalls } from "./call-journal/prune-calls.ts";
export { CALL_STATUSES, type Call, type CallStatus } from "./call-projection/call.ts";
export {
  type CallProjection,
  type CallProjectionOptions,
  createCallProjection,
  type ProjectionStatus,
} from "./call-projection/call-projection.ts";
export {
  type CallQueries,
  createCallQueries,
  type DescendantsOptions,
  type FailuresOptions,
} from "./call-projection/call-queries.ts";
export type { RebuildOptions, RebuildResult } from "./call-projection/rebuild.ts";
export {
  createSystemDatabase,
  createTenantDatabase,
  type StorageDatabaseOptions,
  type SystemDatabase,
  type TenantDatabase,
} from "./client.ts";
export type { ConsentInput } from "./cross-tenant/change-consent.ts";
export type { DelegationConsent } from "./cross-tenant/consents.ts";
export {
  type CrossTenantDelegations,
  type CrossTenantOptions,
  createCrossTenantDelegations,
} from "./cross-tenant/cross-tenant-delegations.ts";
export type { IncomingDelegation } from "./cross-tenant/incoming.ts";
export type { CrossTenantDelegationInput } from "./cross-tenant/intents.ts";
export type {
  DelegationTerms,
  ListOutgoingOptions,
  OutgoingDelegation,
  OutgoingState,
} from "./cross-tenant/outgoing.ts";
export type {
  DelegationVerdict,
  OtherSide,
  ReconcileAction,
  ReconciledDelegation,
} from "./cross-tenant/reconciled.ts";
export {
  createCompositeEventTarget,
  createHonkerEventTarget,
} from "./event-target/honker-event-target.ts";
export type { HonkerEventTarget, HonkerEventTargetOptions } from "./event-target/options.ts";
export { createStreamSource, type StreamSourceOptions } from "./event-target/stream-source.ts";
export {
  type DriftedTenant,
  type FindDriftOptions,
  findSchemaDrift,
} from "./fleet/find-schema-drift.ts";
export {
  abortFleetMigration,
  type FleetStatus,
  fleetStatus,
  listFleetTenants,
  pauseFleetMigration,
  resumeFleetMigration,
} from "./fleet/fleet-control.ts";
export type {
  FleetBackups,
  FleetCounts,
  FleetProgress,
  FleetResult,
  FleetRun,
  FleetRunOptions,
  FleetRunState,
  FleetTenant,
  FleetTenantStatus,
} from "./fleet/fleet-run.ts";
export type { ListFleetTenantsOptions } from "./fleet/fleet-table.ts";
export {
  type FleetPlan,
  type PlanFleetOptions,
  type PlannedTenant,
  planFleetMigration,
} from "./fleet/plan-fleet-migration.ts";
export { type FleetMigrationOptions, runFleetMigration } from "./fleet/run-fleet-migration.ts";
export {
  type FleetWorkers,
  type FleetWorkersOptions,
  startFleetWorkers,
} from "./fleet/start-fleet-workers.ts";
export type { AttributeIndex, AttributeIndexInput } from "./graph-store/attribute-index.ts";
export type { AttributePath } from "./graph-store/attribute-path.ts";
export type { GraphChanges } from "./graph-store/change-graph.ts";
export type { GraphInput } from "./graph-store/create-graph.ts";
export type { GraphDescription } from "./graph-store/describe-graph.ts";
export type { Direction, FollowOptions } from "./graph-store/direction.ts";
export type { Graph } from "./graph-store/graph.ts";
export type { GraphStatus, StoredGraph } from "./graph-store/graph-row.ts";
export {
  createGraphStore,
  type GraphStore,
  type GraphStoreOptions,
} from "./graph-store/graph-store.ts";
export {
  type FromGraphologyOptions,
  fromGraphology,
  type GraphologyOptions,
  type GraphologySource,
  type SerializedEdge,
  type SerializedGraph,
  type SerializedNode,
  toGraphology,
} from "./graph-store/graphology.ts";
export type {
  ChangeOptions,
  EdgeInput,
  NodeInput,
  Replacement,
  UpsertResult,
} from "./graph-store/inputs.ts";
export type { EdgeFilter, ListEdgesOptions } from "./graph-store/list-edges.ts";
export type { ListGraphsOptions } from "./graph-store/list-graphs.ts";
export type { ListNodesOptions, NodeFilter } from "./graph-store/list-nodes.ts";
export type { NeighboursOptions } from "./graph-store/neighbours.ts";
export type { OrderBy } from "./graph-store/order.ts";
export type { PageOptions } from "./graph-store/paging.ts";
export type { Reach, ReachOptions, Subgraph } from "./graph-store/reachable.ts";
export type { RowIssue } from "./graph-store/row-issues.ts";
export type { Page, StoredEdge, StoredNode } from "./graph-store/rows.ts";
export type { PathOptions } from "./graph-store/shortest-path.ts";
export type { Condition, Scalar, Where } from "./graph-store/where.ts";
export type { EvolutionProgress, EvolveOptions } from "./graph-types/evolution-options.ts";
export { type Evolution, evolveGraphType } from "./graph-types/evolve-graph-type.ts";
export {
  type EvolutionPreview,
  type PreviewOptions,
  previewEvolution,
} from "./graph-types/preview-evolution.ts";
export {
  type GraphTypeRef,
  readGraphType,
  type StoredGraphType,
} from "./graph-types/read-graph-type.ts";
export {
  type RegisterGraphTypeOptions,
  registerGraphType,
} from "./graph-types/register-graph-type.ts";
export type { FailedRow } from "./graph-types/row-failures.ts";
export {
  createSchemaMigrationHandler,
  type SchemaMigration,
  type SchemaMigrationOptions,
} from "./graph-types/schema-migration-handler.ts";
export { createKeptValues, type KeptValues } from "./kept-values.ts";
export type { DatabaseKind } from "./migrations/migration.ts";
export { systemTables, tenantTables } from "./operations/all-tables.ts";
export { answering, ENGINE_ERRORS } from "./operations/engine-errors.ts";
export type { ColumnFilter, ListInput, ListOutput } from "./operations/list-schema.ts";
export { registerTables } from "./operations/register-tables.ts";
export type {
  DatabaseSource,
  TableHandlers,
  TableOperations,
} from "./operations/table-operations.ts";
export { accountOperations, accountSpecs } from "./operations/tables/accounts.ts";
export { apiKeyOperations, apiKeySpecs } from "./operations/tables/api-keys.ts";
export { auditLogOperations, auditLogSpecs } from "./operations/tables/audit-logs.ts";
export { edgeTypeOperations, edgeTypeSpecs } from "./operations/tables/edge-types.ts";
export { edgeOperations, edgeSpecs } from "./operations/tables/edges.ts";
export { graphTypeOperations, graphTypeSpecs } from "./operations/tables/graph-types.ts";
export { graphOperations, graphSpecs } from "./operations/tables/graphs.ts";
export { nodeTypeOperations, nodeTypeSpecs } from "./operations/tables/node-types.ts";
export { nodeOperations, nodeSpecs } from "./operations/tables/nodes.ts";
export {
  organizationMemberOperations,
  organizationMemberSpecs,
} from "./operations/tables/organization-members.ts";
export { organizationOperations, organizationSpecs } from "./operations/tables/organizations.ts";
export {
  peerCredentialOperations,
  peerCredentialSpecs,
} from "./operations/tables/peer-credentials.ts";
export { systemSchema, tenantSchema } from "./schema.ts";
export { isJson, jsonObjectSchema, jsonValueSchema } from "./schema-utils/json-schemas.ts";
export {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
  type SchemaOptions,
} from "./schema-utils/table-schemas.ts";
export type {
  ColumnSchema,
  FieldsOf,
  Refinements,
  RowSchema,
  SchemaKind,
} from "./schema-utils/table-types.ts";
export {
  type FromWire,
  fromWire,
  type ToWire,
  toWire,
  type WireRow,
} from "./schema-utils/wire.ts";
export { countKeyVersions, retireKey } from "./secrets/key-versions.ts";
export {
  type RotateOptions,
  type Rotation,
  type RotationProgress,
  rotateSecrets,
} from "./secrets/rotate-secrets.ts";
export type { RotationFailure } from "./secrets/rotation-batch.ts";
export {
  createSecretRotationHandler,
  type SecretRotation,
  type SecretRotationResult,
} from "./secrets/secret-rotation-handler.ts";
export {
  createSecretStore,
  type SecretInfo,
  type SecretOptions,
  type SecretStore,
  type SecretStoreOptions,
} from "./secrets/secret-store.ts";
export type { JsonObject } from "./tables/common.ts";
export {
  ACCOUNT_ACCESS_LEVELS,
  ACCOUNT_STATUSES,
  accounts,
} from "./tables/identity/accounts.ts";
export {
  accountRefinements,
  type InsertAccount,
  InsertAccountSchema,
  type SelectAccount,
  SelectAccountSchema,
  type UpdateAccount,
  UpdateAccountSchema,
} from "./tables/identity/accounts-schemas.ts";
export { apiKeys } from "./tables/identity/api-keys.ts";
export {
  apiKeyRefinements,
  type InsertApiKey,
  InsertApiKeySchema,
  type SelectApiKey,
  SelectApiKeySchema,
  type UpdateApiKey,
  UpdateApiKeySchema,
} from "./tables/identity/api-keys-schemas.ts";
export { AUDIT_CREDENTIAL_TYPES, auditLogs } from "./tables/identity/audit-logs.ts";
export {
  auditLogRefinements,
  type InsertAuditLog,
  InsertAuditLogSchema,
  type SelectAuditLog,
  SelectAuditLogSchema,
} from "./tables/identity/audit-logs-schemas.ts";
export {
  MEMBERSHIP_LEVELS,
  organizationMembers,
} from "./tables/identity/organization-members.ts";
export {
  type InsertOrganizationMember,
  InsertOrganizationMemberSchema,
  organizationMemberRefinements,
  type SelectOrganizationMember,
  SelectOrganizationMemberSchema,
  type UpdateOrganizationMember,
  UpdateOrganizationMemberSchema,
} from "./tables/identity/organization-members-schemas.ts";
export { organizations } from "./tables/identity/organizations.ts";
export {
  type InsertOrganization,
  InsertOrganizationSchema,
  organizationRefinements,
  type SelectOrganization,
  SelectOrganizationSchema,
  type UpdateOrganization,
  UpdateOrganizationSchema,
} from "./tables/identity/organizations-schemas.ts";
export { PEER_CREDENTIAL_TYPES, peerCredentials } from "./tables/identity/peer-credentials.ts";
export {
  type InsertPeerCredential,
  InsertPeerCredentialSchema,
  peerCredentialRefinements,
  type SelectPeerCredential,
  SelectPeerCredentialSchema,
  type UpdatePeerCredential,
  UpdatePeerCredentialSchema,
} from "./tables/identity/peer-credentials-schemas.ts";
export { ACL_GRAPH_ID } from "./tables/metagraph/acl-edges.ts";
export { edgeTypes } from "./tables/metagraph/edge-types.ts";
export {
  edgeTypeRefinements,
  type InsertEdgeType,
  InsertEdgeTypeSchema,
  type SelectEdgeType,
  SelectEdgeTypeSchema,
  type UpdateEdgeType,
  UpdateEdgeTypeSchema,
} from "./tables/metagraph/edge-types-schemas.ts";
export { edges, edgeType } from "./tables/metagraph/edges.ts";
export {
  edgeRefinements,
  type InsertEdge,
  InsertEdgeSchema,
  type SelectEdge,
  SelectEdgeSchema,
  type UpdateEdge,
  UpdateEdgeSchema,
} from "./tables/metagraph/edges-schemas.ts";
export { GRAPH_TYPE_SCOPES, graphTypes } from "./tables/metagraph/graph-types.ts";
export {
  graphTypeRefinements,
  type InsertGraphType,
  InsertGraphTypeSchema,
  type SelectGraphType,
  SelectGraphTypeSchema,
  type UpdateGraphType,
  UpdateGraphTypeSchema,
} from "./tables/metagraph/graph-types-schemas.ts";
export { GRAPH_STATUSES, graphs } from "./tables/metagraph/graphs.ts";
export {
  graphRefinements,
  type InsertGraph,
  InsertGraphSchema,
  type SelectGraph,
  SelectGraphSchema,
  type UpdateGraph,
  UpdateGraphSchema,
} from "./tables/metagraph/graphs-schemas.ts";
export { nodeTypes } from "./tables/metagraph/node-types.ts";
export {
  type InsertNodeType,
  InsertNodeTypeSchema,
  nodeTypeRefinements,
  type SelectNodeType,
  SelectNodeTypeSchema,
  type UpdateNodeType,
  UpdateNodeTypeSchema,
} from "./tables/metagraph/node-types-schemas.ts";
export { nodes, nodeType } from "./tables/metagraph/nodes.ts";
export {
  type InsertNode,
  InsertNodeSchema,
  nodeRefinements,
  type SelectNode,
  SelectNodeSchema,
  type UpdateNode,
  UpdateNodeSchema,
} from "./tables/metagraph/nodes-schemas.ts";
export { createTenantManager, type TenantManagerOptions } from "./tenants/create-tenant-manager.ts";
export { localTenantStore } from "./tenants/local-tenant-store.ts";
export type { TenantArchiveOptions } from "./tenants/operations/archive-tenant.ts";
export type { TenantCopyOptions } from "./tenants/operations/copy-tenant.ts";
export type { TenantExport } from "./tenants/operations/export-tenant.ts";
export type { TenantMigrateOptions, TenantMigration } from "./tenants/operations/migrate-tenant.ts";
export type { TenantPurge } from "./tenants/operations/purge-tenant.ts";
export type { TenantRecovery } from "./tenants/recover.ts";
export type { SchemaDrift } from "./tenants/schema-drift.ts";
export type { Tenant, TenantOperation } from "./tenants/tenant.ts";
export type { TenantHandle } from "./tenants/tenant-handle.ts";
export type { TenantManager } from "./tenants/tenant-manager.ts";
export type { TenantQuota } from "./tenants/tenant-quota.ts";
export type { OlderFiles, OwnTablesOptions } from "./tenants/tenant-schema.ts";
export {
  TENANT_STATES,
  TENANT_TRANSITIONS,
  type TenantState,
  type TenantTransition,
  type TenantTransitionName,
} from "./tenants/tenant-states.ts";
export type { TenantStats } from "./tenants/tenant-stats.ts";
export type { TenantPlace, TenantStore } from "./tenants/tenant-store.ts";
export type { TenantListOptions } from "./tenants/tenant-table.ts";
export type { TenantVersion } from "./tenants/tenant-version.ts";
export { uuidV7 } from "./uuid-v7.ts";
export {
  createGraphMaintenanceHandler,
  type GraphMaintenance,
  type GraphMaintenanceResult,
} from "./workers/graph-maintenance-handler.ts";
export { type EventRetention, STREAM_RETENTION } from "./workers/prune-file.ts";
export type { OtherQueue, QueueHandlerOptions } from "./workers/queue-handlers.ts";
export {
  type FileWorkersInput,
  type FleetWorkersInput,
  startTenantWorkers,
  type TenantWorkers,
  type TenantWorkersOptions,
} from "./workers/start-tenant-workers.ts";
export {
  seedSchedules,
  TENANT_SCHEDULES,
  type TenantQueueName,
  type TenantSchedule,
} from "./workers/tenant-schedules.ts";
