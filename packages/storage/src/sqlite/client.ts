import type { Database } from "@alkdev/honker";
import { drizzle, type HonkerSQLiteDatabase } from "drizzle-honker";
import { ensureSchema } from "./migrations/ensure-schema.ts";
import { MIGRATIONS } from "./migrations/migrations.ts";
import { systemSchema, tenantSchema } from "./schema.ts";

/** `system.db` through Drizzle. */
export type SystemDatabase = HonkerSQLiteDatabase<typeof systemSchema, Database>;

/** A tenant's file through Drizzle. */
export type TenantDatabase = HonkerSQLiteDatabase<typeof tenantSchema, Database>;

/**
 * The system database on an opened file, its schema created or migrated. You keep `client`: closing it
 * closes the database.
 *
 * @throws `StorageError` `WRONG_DATABASE_KIND` for a tenant's file, `UNKNOWN_SCHEMA` for one of a newer
 * version, `MIGRATION_FAILED`
 * @example
 * ```ts
 * const system = createSystemDatabase(open("./data/system.db"));
 * ```
 */
export function createSystemDatabase(client: Database): SystemDatabase {
  ensureSchema(client, "system", MIGRATIONS.system);
  return drizzle(client, { schema: systemSchema });
}

/**
 * A tenant's database on an opened file, its schema created or migrated. You keep `client`: closing it
 * closes the database.
 *
 * @throws `StorageError` `WRONG_DATABASE_KIND` for a system file, `UNKNOWN_SCHEMA` for one of a newer
 * version, `MIGRATION_FAILED`
 * @example
 * ```ts
 * const tenant = createTenantDatabase(open("./data/tenant-acme.db"));
 * tenant.transaction((tx) => {
 *   tx.insert(nodes).values({ graphId, key: "task-1" }).run();
 *   tx.$honkerTx.notify("nodes:created", { graphId, keys: ["task-1"] });
 * });
 * ```
 */
export function createTenantDatabase(client: Database): TenantDatabase {
  ensureSchema(client, "tenant", MIGRATIONS.tenant);
  return drizzle(client, { schema: tenantSchema });
}
