import type { AnyOperation } from "@alkdev/operations";
import { systemTables, tenantTables } from "@alkdev/storage/sqlite";
import { systemOf, tenantOf } from "../core/call-place.ts";
import type { HubCore } from "../core/hub-core.ts";
import type { HubOperation } from "../core/hub-options.ts";

/** The operations that every hub offers. */
export function hubOperations(_core: HubCore): {
  readonly tenant: readonly HubOperation[];
  readonly system: readonly HubOperation[];
} {
  return {
    tenant: tenantTables.flatMap(({ specs, handlers }) => {
      const byName = handlers(tenantOf);
      return specs.map((spec): HubOperation => {
        const operation = { ...spec, handler: byName[spec.name] } as AnyOperation;
        return { operation, atomic: true };
      });
    }),
    system: systemTables.flatMap(({ name, specs, handlers }) => {
      const byName = handlers(systemOf);
      return specs.map((spec): HubOperation => {
        const operation = { ...spec, handler: byName[spec.name] } as AnyOperation;
        return { operation, atomic: true, ...(name === "api_keys" ? { record: "names" } : {}) };
      });
    }),
  };
}
