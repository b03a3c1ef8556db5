import { restoreBackup } from "@alkdev/honker";
import { settle } from "../settle.ts";
import { commitLocked, newOperation, type TenantContext } from "../tenant-context.ts";
import { fileError } from "../tenant-file.ts";
import { whileLockedAsync } from "../tenant-lock.ts";
import { arrival, requireState, TENANT_TRANSITIONS } from "../tenant-states.ts";
import type { TenantRow } from "../tenant-table.ts";
import type { TenantCopyOptions } from "./copy-tenant.ts";
import { settleFailed } from "./new-tenant.ts";

/** Replaces the file of an archived tenant by a copy of `source`, and brings the tenant back. */
export function restoreTenant(
  context: TenantContext,
  orgId: string,
  options: TenantCopyOptions & { readonly source: string },
): Promise<TenantRow> {
  const { source, work = "keep", signal } = options;
  const { store, table } = context;
  return whileLockedAsync(context.system, orgId, {
    signal,
    work: async (lock, either) => {
      settle(context, lock, orgId);
      const operation = newOperation("restore");
      commitLocked(context, lock, () => {
        const { restore } = TENANT_TRANSITIONS;
        requireState(table.require(orgId), "restore", restore.from);
        table.update(orgId, { state: restore.via, operation });
      });
      const path = store.temporaryPath(operation.id);
      try {
        await restoreBackup(source, path, { signal: either });
        await context.builder.adopt(orgId, path, { keepWork: work === "keep" });
        either.throwIfAborted();
        return commitLocked(context, lock, () => {
          store.publish(operation.id, orgId);
          store.remove(orgId, "archive");
          table.noteVersion(orgId, context.schema.noted(context.schema.newest));
          const tenant = table.require(orgId);
          return table.update(orgId, { ...arrival(tenant, "restore"), operation: null });
        });
      } catch (error) {
        settleFailed(context, lock, orgId);
        throw fileError(error, orgId, path);
      }
    },
  });
}
