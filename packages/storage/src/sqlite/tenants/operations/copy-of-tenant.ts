import { type BackupResult, restoreBackup } from "@alkdev/honker";
import type { TenantContext } from "../tenant-context.ts";
import { requireState, TENANT_ACCESS } from "../tenant-states.ts";
import type { TenantRow } from "../tenant-table.ts";

/**
 * Writes a verified copy of a tenant's file to `path`, from one moment, while it is in use. An open file
 * cannot be put away or purged meanwhile; one that is put away is copied as it is.
 */
export async function copyOfTenant(
  context: TenantContext,
  orgId: string,
  options: { readonly path: string; readonly signal: AbortSignal },
): Promise<BackupResult> {
  const { path, signal } = options;
  const copyable = (): TenantRow => {
    const tenant = context.table.require(orgId);
    requireState(tenant, "copy", TENANT_ACCESS.copy);
    return tenant;
  };
  const tenant = copyable();
  if (tenant.state === "archived") {
    return await restoreBackup(context.store.path(orgId, "archive"), path, { signal });
  }
  using handle = context.handles.lease(tenant, copyable);
  return await handle.db.$client.backup(path, { signal });
}
