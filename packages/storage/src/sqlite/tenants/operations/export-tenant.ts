import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StorageError } from "../../../errors.ts";
import { requirePath } from "../checks.ts";
import { syncFolder } from "../local-tenant-store.ts";
import { settle } from "../settle.ts";
import { commitLocked, newOperation, type TenantContext } from "../tenant-context.ts";
import { fileError } from "../tenant-file.ts";
import { whileLockedAsync } from "../tenant-lock.ts";
import { requireState, TENANT_ACCESS } from "../tenant-states.ts";
import { copyOfTenant } from "./copy-of-tenant.ts";
import { settleFailed } from "./new-tenant.ts";

/** A file that holds a whole tenant. */
export interface TenantExport {
  readonly orgId: string;
  /** Absolute path. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the file, to compare with after it was moved elsewhere. */
  readonly sha256: string;
}

/** Writes a tenant into one file, verified before it gets its name. */
export function exportTenant(
  context: TenantContext,
  orgId: string,
  options: { readonly path: string; readonly signal?: AbortSignal | undefined },
): Promise<TenantExport> {
  const path = requireDestination(context, orgId, options.path);
  return whileLockedAsync(context.system, orgId, {
    signal: options.signal,
    work: async (lock, signal) => {
      settle(context, lock, orgId);
      const operation = newOperation("export", { path });
      commitLocked(context, lock, () => {
        requireState(context.table.require(orgId), "export", TENANT_ACCESS.copy);
        context.table.update(orgId, { operation });
      });
      const temporary = join(dirname(path), `.${basename(path)}.${operation.id}`);
      try {
        const { bytes, sha256 } = await copyOfTenant(context, orgId, { path: temporary, signal });
        giveName(temporary, path);
        commitLocked(context, lock, () => context.table.update(orgId, { operation: null }));
        return { orgId, path, bytes, sha256 };
      } catch (error) {
        settleFailed(context, lock, orgId);
        throw fileError(error, orgId, path);
      }
    },
  });
}

/**
 * Refuses a copy among the tenants' own files.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`
 */
export function requireOutside({ store }: TenantContext, orgId: string, path: string): void {
  const ours = [store.path(orgId, "live"), store.path(orgId, "archive"), store.temporaryPath("x")];
  const folder = dirname(resolve(path));
  if (!ours.some((file) => dirname(file) === folder)) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `cannot copy tenant "${orgId}" to "${path}": only tenants' own files are kept in that folder`,
    { hint: "Use another folder", details: { orgId, path } },
  );
}

function requireDestination(context: TenantContext, orgId: string, path: unknown): string {
  requirePath(path, "the destination of an export");
  const destination = resolve(path);
  const folder = dirname(destination);
  requireOutside(context, orgId, destination);
  if (existsSync(destination)) throw exists(destination);
  if (existsSync(folder)) return destination;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `cannot export tenant "${orgId}" to "${destination}": its folder does not exist`,
    { hint: "Create the folder first", details: { orgId, path: destination } },
  );
}

/** A hard link cannot replace a file that has come meanwhile, as a rename would. */
function giveName(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
    rmSync(temporary);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw exists(path);
    if (existsSync(path)) throw error;
    // a file system without hard links
    renameSync(temporary, path);
  }
  syncFolder(dirname(path));
}

function exists(path: string): StorageError {
  return new StorageError("ALREADY_EXISTS", `cannot export to "${path}": it exists`, {
    hint: "Give another name, or remove it first",
    details: { path },
  });
}
