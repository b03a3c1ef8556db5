import type { OperationRegistry, OperationSpec } from "@alkdev/operations";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import type { DatabaseSource, TableOperations } from "./table-operations.ts";

/**
 * Registers operations of tables with their handlers over a database. Give a function where the database
 * depends on the call, as with one file per tenant.
 *
 * @throws OperationsError `ALREADY_REGISTERED`; what was registered before stays
 * @example
 * ```ts
 * registerTables(registry, system, systemTables);
 * registerTables(registry, ({ metadata }) => openTenant(String(metadata.orgId)), tenantTables);
 * ```
 */
export function registerTables<Db extends SystemDatabase | TenantDatabase>(
  registry: OperationRegistry,
  source: DatabaseSource<Db>,
  tables: readonly TableOperations<readonly OperationSpec[], Db>[],
): void {
  registry.registerAll(
    tables.flatMap(({ specs, handlers }) => {
      const byName = handlers(source);
      return specs.map((spec) => ({ ...spec, handler: byName[spec.name] as never }));
    }),
  );
}
