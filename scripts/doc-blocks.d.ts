/** Names that blocks of the documentation use without declaring them. */
declare const db: import("@alkdev/honker").Database;
declare const registry: import("@alkdev/operations").OperationRegistry;
/** A program's own way to a tenant, such as a tenant manager. */
declare function openTenant(orgId: string): import("@alkdev/storage/sqlite").TenantDatabase;
