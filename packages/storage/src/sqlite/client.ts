import type { Database } from "@alkdev/honker";
import { drizzle, type HonkerSQLiteDatabase } from "drizzle-honker";
import { type AnyModule, systemModules } from "../graphs/index.ts";
import { seedGraphTypes } from "./graph-types/seed-graph-types.ts";
import { ensureSchema } from "./migrations/ensure-schema.ts";
import type { Migration } from "./migrations/migration.ts";
import { MIGRATIONS } from "./migrations/migrations.ts";
import { systemSchema, tenantSchema } from "./schema.ts";

/** `system.db` through Drizzle. */
export type SystemDatabase = HonkerSQLiteDatabase<typeof systemSchema, Database>;

/** A tenant's file through Drizzle. */
export type TenantDatabase = HonkerSQLiteDatabase<typeof tenantSchema, Database>;

/** What both factories can be told. */
export interface StorageDatabaseOptions {
  /**
   * The graph types of scope `system`. Default {@link systemModules}. Add your product's own:
   * `[...systemModules, TaskGraph]`; make the array once, it is compared by identity. Give the same to
   * every file.
   */
  readonly systemModules?: readonly AnyModule[];
  /** @internal Steps of tenants' files after the last released one, for tests of migrations. */
  readonly laterSteps?: readonly Migration[];
}

/**
 * The system database on an opened file, its schema created or migrated, the system graph types
 * seeded. You keep `client`: closing it
 * closes the database.
 *
 * @throws `StorageError` `WRONG_DATABASE_KIND` for a tenant's file, `UNKNOWN_SCHEMA` for one of a newer
 * version, `MIGRATION_FAILED`
 * @example
 * ```ts
 * const system = createSystemDatabase(open("./data/system.db"));
 * ```
 */
export function createSystemDatabase(
  client: Database,
  options: StorageDatabaseOptions = {},
): SystemDatabase {
  ensureSchema(client, "system", MIGRATIONS.system);
  seedGraphTypes(client, options.systemModules ?? systemModules);
  return drizzle(client, { schema: systemSchema });
}

/**
 * A tenant's database on an opened file, its schema created or migrated, the system graph types
 * seeded. You keep `client`: closing it
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
export function createTenantDatabase(
  client: Database,
  options: StorageDatabaseOptions = {},
): TenantDatabase {
  ensureSchema(client, "tenant", tenantMigrations(options));
  return tenantDatabaseOf(client, options);
}

/** A tenant's database on a file whose schema is in order already. */
export function tenantDatabaseOf(
  client: Database,
  options: StorageDatabaseOptions,
): TenantDatabase {
  seedGraphTypes(client, options.systemModules ?? systemModules);
  return drizzle(client, { schema: tenantSchema });
}

/** The history of the schema of tenants' files. */
export function tenantMigrations({
  laterSteps = [],
}: StorageDatabaseOptions): readonly Migration[] {
  return [...MIGRATIONS.tenant, ...laterSteps];
}
