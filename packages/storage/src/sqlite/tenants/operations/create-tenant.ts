import type { TenantContext } from "../tenant-context.ts";
import { whileLocked } from "../tenant-lock.ts";
import type { TenantRow } from "../tenant-table.ts";
import { beginNew, finishNew, settleFailed } from "./new-tenant.ts";

/** Makes an empty tenant. */
export function createTenant(context: TenantContext, orgId: string): TenantRow {
  return whileLocked(context.system, orgId, (lock) => {
    const operation = beginNew(context, lock, { orgId, name: "create" });
    try {
      context.builder.create(orgId, context.store.temporaryPath(operation.id));
      return finishNew(context, lock, { orgId, operation });
    } catch (error) {
      settleFailed(context, lock, orgId);
      throw error;
    }
  });
}
