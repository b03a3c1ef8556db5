import { restoreBackup } from "@alkdev/honker";
import type { TenantContext } from "../tenant-context.ts";
import { fileError } from "../tenant-file.ts";
import { whileLockedAsync } from "../tenant-lock.ts";
import { requireState, TENANT_ACCESS } from "../tenant-states.ts";
import type { TenantRow } from "../tenant-table.ts";
import { copyOfTenant } from "./copy-of-tenant.ts";
import { beginNew, finishNew, settleFailed } from "./new-tenant.ts";

/** Options of `importFrom()` and `clone()`. */
export interface TenantCopyOptions {
  /**
   * What becomes of jobs, schedules and locks that are in the file. `"keep"`, the default of
   * `importFrom`: they are done where the copy is opened, for one that moves. `"drop"`, the default of
   * `clone`: they are left to the original.
   */
  readonly work?: "keep" | "drop";
  /** Ends it; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** Makes a tenant from a file that was exported. */
export function importTenant(
  context: TenantContext,
  orgId: string,
  options: TenantCopyOptions & { readonly source: string },
): Promise<TenantRow> {
  const { source, work = "keep", signal } = options;
  return newFromCopy(context, orgId, {
    name: "import",
    keepWork: work === "keep",
    signal,
    copy: async (path, either) => void (await restoreBackup(source, path, { signal: either })),
  });
}

/** Makes a tenant from the data of another one. */
export function cloneTenant(
  context: TenantContext,
  orgId: string,
  options: TenantCopyOptions & { readonly source: TenantRow },
): Promise<TenantRow> {
  const { source, work = "drop", signal } = options;
  requireState(source, "clone", TENANT_ACCESS.copy);
  return newFromCopy(context, orgId, {
    name: "clone",
    keepWork: work === "keep",
    signal,
    copy: async (path, either) => {
      await copyOfTenant(context, source.orgId, { path, signal: either });
    },
  });
}

interface CopyWork {
  readonly name: "import" | "clone";
  readonly keepWork: boolean;
  readonly signal: AbortSignal | undefined;
  /** Writes a verified copy. */
  readonly copy: (path: string, signal: AbortSignal) => Promise<void>;
}

function newFromCopy(context: TenantContext, orgId: string, work: CopyWork): Promise<TenantRow> {
  return whileLockedAsync(context.system, orgId, {
    signal: work.signal,
    work: async (lock, signal) => {
      const operation = beginNew(context, lock, { orgId, name: work.name });
      const path = context.store.temporaryPath(operation.id);
      try {
        await work.copy(path, signal);
        await context.builder.adopt(orgId, path, work);
        signal.throwIfAborted();
        return finishNew(context, lock, { orgId, operation });
      } catch (error) {
        settleFailed(context, lock, orgId);
        throw fileError(error, orgId, path);
      }
    },
  });
}
