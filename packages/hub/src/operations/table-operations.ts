import type { AnyOperation, OperationContext, OperationSpec } from "@alkdev/operations";
import {
  type SystemDatabase,
  systemTables,
  type TableOperations,
  type TenantDatabase,
  tenantTables,
} from "@alkdev/storage/sqlite";
import { systemOf, tenantOf } from "../core/call-place.ts";
import type { HubOperation } from "../core/hub-options.ts";

/** Tables whose rows are not kept in the journal: hashes of keys. */
const SECRET: ReadonlySet<string> = new Set(["api_keys"]);

/** The operations of the tables of a tenant. */
export const tenantTableOperations: readonly HubOperation[] = tenantTables.flatMap((table) =>
  operationsOf(table, tenantOf),
);

/** The operations of the tables of `system.db`. */
export const systemTableOperations: readonly HubOperation[] = systemTables.flatMap((table) =>
  operationsOf(table, systemOf),
);

function operationsOf<Db extends SystemDatabase | TenantDatabase>(
  { name, specs, handlers }: TableOperations<readonly OperationSpec[], Db>,
  source: (context: OperationContext) => Db,
): HubOperation[] {
  const byName = handlers(source);
  return specs.map((spec): HubOperation => {
    const operation = { ...spec, handler: byName[spec.name] } as AnyOperation;
    return {
      operation,
      ...(spec.type === "mutation" ? { atomic: true } : {}),
      ...(SECRET.has(name) ? { record: "names" } : {}),
    };
  });
}
