import type { Lock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { settle, type TenantSettlement } from "./settle.ts";
import type { TenantContext } from "./tenant-context.ts";
import { whileLocked } from "./tenant-lock.ts";

/** What `recover()` found and did. */
export interface TenantRecovery {
  readonly orgId: string;
  /** `"busy"`: whoever began it is still at work, or died on another machine less than 30 seconds ago. */
  readonly outcome: TenantSettlement | "busy" | "failed";
  /** Why it failed. */
  readonly error?: unknown;
}

/** Finishes or undoes every operation that was begun by a process that is no more. */
export function recover(context: TenantContext): TenantRecovery[] {
  // first the files, then the rows: whoever makes a file has written its row before
  const temporaries = context.store.temporaries();
  const recovered: TenantRecovery[] = [];
  for (const { orgId } of context.table.pending()) {
    if (context.store.ownerElsewhere(orgId) !== null) continue;
    const recovery = recoverOne(context, orgId);
    if (recovery !== null) recovered.push(recovery);
  }
  const running = new Set(context.table.pending().map(({ operation }) => operation?.id));
  for (const id of temporaries) if (!running.has(id)) context.store.discard(id);
  return recovered;
}

/** As {@link recover}, of one tenant; `null` when there was nothing to do. */
export function recoverOne(context: TenantContext, orgId: string): TenantRecovery | null {
  try {
    const outcome = whileLocked(context.system, orgId, (lock: Lock) =>
      settle(context, lock, orgId),
    );
    return outcome === null ? null : { orgId, outcome };
  } catch (error) {
    const busy = error instanceof StorageError && error.code === "TENANT_BUSY";
    return busy ? { orgId, outcome: "busy" } : { orgId, outcome: "failed", error };
  }
}
