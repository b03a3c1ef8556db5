import { setImmediate } from "node:timers/promises";
import type { SchemaDrift } from "../tenants/schema-drift.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { TENANT_ACCESS, type TenantState } from "../tenants/tenant-states.ts";

/** Options of {@link findSchemaDrift}. */
export interface FindDriftOptions {
  readonly tenants: TenantManager;
  /** Called after each tenant. */
  readonly onProgress?: (looked: number, total: number) => void;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A tenant whose schema is not what its migrations make, or that could not be looked into. */
export type DriftedTenant =
  | { readonly orgId: string; readonly drift: SchemaDrift }
  | { readonly orgId: string; readonly error: string };

/**
 * Finds the tenants whose schema was changed by something else than migrations. Opens each active or
 * suspended one, and changes none.
 *
 * @throws StorageError `CLOSED`; the reason of `options.signal`
 * @example
 * ```ts
 * for (const found of await findSchemaDrift({ tenants })) console.log(found.orgId, found);
 * ```
 */
export async function findSchemaDrift(options: FindDriftOptions): Promise<DriftedTenant[]> {
  const { tenants, onProgress, signal } = options;
  const states: readonly TenantState[] = TENANT_ACCESS.migrate;
  const ids = tenants
    .list()
    .filter(({ state }) => states.includes(state))
    .map(({ orgId }) => orgId);
  const found: DriftedTenant[] = [];
  for (const [i, orgId] of ids.entries()) {
    try {
      const drift = tenants.driftOf(orgId);
      if (drift !== null) found.push({ orgId, drift });
    } catch (error) {
      found.push({ orgId, error: error instanceof Error ? error.message : String(error) });
    }
    onProgress?.(i + 1, ids.length);
    await setImmediate();
    signal?.throwIfAborted();
  }
  return found;
}
