export { StorageError, type StorageErrorCode, type StorageErrorOptions } from "../errors.ts";
export {
  type AclDelegation,
  type AclParts,
  type AclPermission,
  type AclPrincipal,
  type AclView,
  aclView,
  IDENTITY_TYPES,
  type IdentityType,
  type PrincipalKey,
  type ResourceActions,
} from "./acl/acl-view.ts";
export {
  type EffectiveGrants,
  effectiveGrants,
  type LineageMember,
} from "./acl/effective-grants.ts";
export { effectiveIdentity, identityFrom } from "./acl/effective-identity.ts";
export {
  type ExplainOptions,
  explainGrants,
  type GrantExplanation,
  type GrantPath,
} from "./acl/explain-grants.ts";
export { type Grant, grantsOf, grantText, type ReadableGrant } from "./acl/grant.ts";
export { covers, type GrantSet, unite } from "./acl/grant-set.ts";
export {
  type DbEdgeTypeRow,
  type DbGraphTypeRow,
  type DbNodeTypeRow,
  type DbSchema,
  moduleToDbSchema,
} from "./bridge/module-to-db-schema.ts";
export {
  edgeErrors,
  invalidAttributes,
  nodeErrors,
  validateEdge,
  validateNode,
} from "./bridge/validate.ts";
export { clearDerivedKeys, decrypt, encrypt, generateEncryptionKey } from "./crypto/encrypt.ts";
export { type EncryptedData, EncryptedDataSchema } from "./crypto/encrypted-data.ts";
export {
  type EncryptedValue,
  encryptedValues,
  mayHoldEncrypted,
  replaceValues,
} from "./crypto/encrypted-values.ts";
export { countVersions, KeyRing, type KeyRingOptions } from "./crypto/key-ring.ts";
export type { ChangeKind, SchemaChange } from "./evolution/change.ts";
export { type Classification, classifyChange } from "./evolution/classify-change.ts";
export { DryRun, describePlan, dryRun, type GraphDryRun } from "./evolution/dry-run.ts";
export {
  type Attributes,
  type MigrateOptions,
  type MigrateRow,
  type Migration,
  migrateAttributes,
} from "./evolution/migrate-attributes.ts";
export { type EvolutionPlan, planEvolution, type TypePlan } from "./evolution/plan-evolution.ts";
export {
  type EvolvingRow,
  migrateRow,
  type RowMigrator,
  rowMigrator,
} from "./evolution/row-migrator.ts";
export {
  decideVersion,
  rowVersion,
  stampVersion,
  type VersionDecision,
} from "./evolution/version-step.ts";
export { AclGraph } from "./modules/acl-graph.ts";
export {
  type EdgeEnds,
  type EntryOptions,
  edgeAttributes,
  edgeConstraints,
  type GraphConfigOptions,
  type GraphDirection,
  graphConfig,
  nodeAttributes,
} from "./modules/attributes.ts";
export { CallGraph } from "./modules/call-graph.ts";
export { defineModule } from "./modules/define-module.ts";
export { typeNameOf } from "./modules/entry-names.ts";
export type {
  AnyModule,
  EdgeEntryOf,
  EntryOf,
  GraphModule,
  ModuleInfo,
  NodeEntryOf,
} from "./modules/graph-module.ts";
export { Metagraph } from "./modules/metagraph.ts";
export type { GraphConfig, ModuleProblem } from "./modules/read-entries.ts";
export { SecretGraph } from "./modules/secret-graph.ts";
export { systemModules } from "./modules/system-modules.ts";
export type { JsonSchema } from "./schema/json-schema.ts";
export {
  type SchemaValidator,
  schemaValidator,
  type ValidationIssue,
} from "./schema/validator.ts";
