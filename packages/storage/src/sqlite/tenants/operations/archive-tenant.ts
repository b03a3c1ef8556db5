import { setTimeout as sleep } from "node:timers/promises";
import type { Lock } from "@alkdev/honker";
import { StorageError } from "../../../errors.ts";
import { settle } from "../settle.ts";
import { commitLocked, newOperation, type TenantContext } from "../tenant-context.ts";
import { fileError } from "../tenant-file.ts";
import { whileLocked, whileLockedAsync } from "../tenant-lock.ts";
import { arrival, requireState, TENANT_TRANSITIONS } from "../tenant-states.ts";
import type { TenantPlace } from "../tenant-store.ts";
import type { TenantRow } from "../tenant-table.ts";
import { settleFailed } from "./new-tenant.ts";

/** Options of `archive()`. */
export interface TenantArchiveOptions {
  /**
   * Milliseconds, default 5,000: how long to wait for those who have the tenant open, here and in other
   * processes. Nobody can open it anew meanwhile. 0: do not wait.
   */
  readonly waitMs?: number;
  /** Ends the wait; the tenant is then in the state it was in. */
  readonly signal?: AbortSignal;
}

const LOOK_EVERY_MS = 20;

/** Puts a tenant's file away once nobody has it open. */
export function archiveTenant(
  context: TenantContext,
  orgId: string,
  options: TenantArchiveOptions,
): Promise<TenantRow> {
  return whileLockedAsync(context.system, orgId, {
    signal: options.signal,
    work: async (lock, signal) => {
      settle(context, lock, orgId);
      beginArchive(context, lock, orgId);
      try {
        return await moveWhenUnused(context, lock, {
          orgId,
          signal,
          waitMs: options.waitMs ?? 5_000,
        });
      } catch (error) {
        settleFailed(context, lock, orgId);
        throw fileError(error, orgId, context.store.path(orgId, "live"));
      }
    },
  });
}

/** Brings a tenant's file back. */
export function unarchiveTenant(context: TenantContext, orgId: string): TenantRow {
  const { store, system, table } = context;
  return whileLocked(system, orgId, (lock) => {
    settle(context, lock, orgId);
    commitLocked(context, lock, () => {
      const tenant = table.require(orgId);
      requireState(tenant, "unarchive", TENANT_TRANSITIONS.unarchive.from);
      const operation = newOperation("unarchive");
      table.update(orgId, { state: TENANT_TRANSITIONS.unarchive.via, operation });
    });
    try {
      return commitLocked(context, lock, () => {
        requireFile(context, orgId, "archive");
        store.move(orgId, "archive", "live");
        return table.update(orgId, {
          ...arrival(table.require(orgId), "unarchive"),
          operation: null,
        });
      });
    } catch (error) {
      settleFailed(context, lock, orgId);
      throw error;
    }
  });
}

function beginArchive(context: TenantContext, lock: Lock, orgId: string): void {
  const { table } = context;
  commitLocked(context, lock, () => {
    const tenant = table.require(orgId);
    requireState(tenant, "archive", TENANT_TRANSITIONS.archive.from);
    requireFile(context, orgId, "live");
    table.update(orgId, {
      ...arrival(tenant, "archive"),
      state: TENANT_TRANSITIONS.archive.via,
      operation: newOperation("archive"),
    });
  });
}

async function moveWhenUnused(
  context: TenantContext,
  lock: Lock,
  wait: { readonly orgId: string; readonly signal: AbortSignal; readonly waitMs: number },
): Promise<TenantRow> {
  const { orgId, signal, waitMs } = wait;
  const deadline = performance.now() + waitMs;
  for (;;) {
    signal.throwIfAborted();
    const moved = context.handles.drop(orgId)
      ? commitLocked(context, lock, () => moveIfUnused(context, orgId))
      : null;
    if (moved !== null) return moved;
    if (performance.now() >= deadline) throw inUse(context, orgId);
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function moveIfUnused(context: TenantContext, orgId: string): TenantRow | null {
  const { store, table } = context;
  if (!context.isUnused(store.path(orgId, "live"))) return null;
  store.move(orgId, "live", "archive");
  return table.update(orgId, { state: TENANT_TRANSITIONS.archive.to, operation: null });
}

function inUse(context: TenantContext, orgId: string): StorageError {
  const here = context.handles.inUse(orgId);
  const who = here === 0 ? "another process has it open" : `it is in use here ${here} times`;
  return new StorageError("TENANT_BUSY", `cannot archive tenant "${orgId}": ${who}`, {
    hint: "Close its handles, or wait longer (waitMs)",
    details: { orgId, inUse: here },
  });
}

function requireFile(context: TenantContext, orgId: string, place: TenantPlace): void {
  const { store } = context;
  if (store.size(orgId, place) !== null) return;
  const path = store.path(orgId, place);
  throw new StorageError("TENANT_FILE", `the file "${path}" of tenant "${orgId}" is missing`, {
    hint: "Restore it from a backup",
    details: { orgId, path },
  });
}
