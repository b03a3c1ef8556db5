import { HonkerError } from "@alkdev/honker";
import { StorageError } from "../../../errors.ts";
import { settle } from "../settle.ts";
import { commitLocked, newOperation, type TenantContext } from "../tenant-context.ts";
import { whileLocked } from "../tenant-lock.ts";
import { requireState, TENANT_TRANSITIONS } from "../tenant-states.ts";

/** What `purgeDue()` did. */
export interface TenantPurge {
  /** Tenants that are gone. */
  readonly purged: readonly string[];
  /** Tenants that are in use, or that another operation works on; the next call tries again. */
  readonly postponed: readonly string[];
}

/** Removes every tenant whose time of grace is over. */
export function purgeDue(context: TenantContext): TenantPurge {
  const purged: string[] = [];
  const postponed: string[] = [];
  for (const orgId of context.table.due(context.nowSeconds())) {
    if (context.store.ownerElsewhere(orgId) !== null) continue;
    try {
      (purgeTenant(context, orgId) ? purged : postponed).push(orgId);
    } catch (error) {
      postponed.push(orgId);
      const busy = error instanceof StorageError && error.code === "TENANT_BUSY";
      if (!busy) context.onError(error, `purging tenant "${orgId}"`);
    }
  }
  return { purged, postponed };
}

function purgeTenant(context: TenantContext, orgId: string): boolean {
  if (!context.handles.drop(orgId)) return false;
  return whileLocked(context.system, orgId, (lock) => {
    if (settle(context, lock, orgId) === "finished" && context.table.get(orgId) === null)
      return true;
    const begun = commitLocked(context, lock, () => {
      const tenant = context.table.require(orgId);
      requireState(tenant, "purge", TENANT_TRANSITIONS.purge.from);
      // somebody may have called undelete() and delete() meanwhile
      const due = (tenant.purgeAfter?.getTime() ?? Number.POSITIVE_INFINITY) / 1_000;
      if (due > context.nowSeconds() || !mayBeRemoved(context, orgId)) return false;
      const operation = newOperation("purge");
      context.table.update(orgId, { state: TENANT_TRANSITIONS.purge.via, operation });
      return true;
    });
    if (begun) settle(context, lock, orgId);
    return begun;
  });
}

/** Whether nobody has the file open; one that cannot be opened at all counts as that. */
function mayBeRemoved(context: TenantContext, orgId: string): boolean {
  const { store } = context;
  if ((store.size(orgId, "live") ?? 0) === 0) return true;
  try {
    return context.isUnused(store.path(orgId, "live"));
  } catch (error) {
    if (!(error instanceof HonkerError)) throw error;
    if (error.code !== "NOT_A_DATABASE" && error.code !== "UNKNOWN_SCHEMA") throw error;
    return true;
  }
}
