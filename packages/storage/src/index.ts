export type {
  Catalog,
  CatalogEntries,
  CatalogEntry,
  EventsOf,
  PayloadOf,
} from "./catalog/index.ts";
export { systemCatalog, tenantCatalog } from "./catalog/index.ts";
export { StorageError, type StorageErrorCode, type StorageErrorOptions } from "./errors.ts";
export {
  AclGraph,
  CallGraph,
  decrypt,
  defineModule,
  type EncryptedData,
  EncryptedDataSchema,
  edgeAttributes,
  edgeConstraints,
  encrypt,
  generateEncryptionKey,
  graphConfig,
  KeyRing,
  Metagraph,
  moduleToDbSchema,
  nodeAttributes,
  planEvolution,
  SecretGraph,
  schemaValidator,
  systemModules,
  validateEdge,
  validateNode,
} from "./graphs/index.ts";
