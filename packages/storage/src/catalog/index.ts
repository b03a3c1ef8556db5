export type { Catalog, CatalogEntries, CatalogEntry, EventsOf, PayloadOf } from "./catalog.ts";
export { envelopeCheck } from "./check-envelope.ts";
export { type CatalogSource, openCatalogQueue, openCatalogStream } from "./open-catalog.ts";
export { type PayloadIssue, type PayloadSchema, payloadSchema } from "./payload-schema.ts";
export { systemCatalog } from "./system-catalog.ts";
export { tenantCatalog } from "./tenant-catalog.ts";
