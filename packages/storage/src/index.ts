export type {
  Catalog,
  CatalogEntries,
  CatalogEntry,
  EventsOf,
  PayloadOf,
} from "./catalog/index.ts";
export { systemCatalog, tenantCatalog } from "./catalog/index.ts";
export { StorageError, type StorageErrorCode, type StorageErrorOptions } from "./errors.ts";
