import type { Database, Lock, OpenOptions } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { uuidV7 } from "../uuid-v7.ts";
import type { TenantOperation } from "./tenant.ts";
import type { TenantBuilder } from "./tenant-builder.ts";
import type { TenantHandles } from "./tenant-handles.ts";
import type { TenantSchema } from "./tenant-schema.ts";
import type { TenantStore } from "./tenant-store.ts";
import type { TenantTable } from "./tenant-table.ts";

/** What the operations on tenants work with. */
export interface TenantContext {
  /** `system.db`. */
  readonly system: Database;
  readonly table: TenantTable;
  readonly store: TenantStore;
  readonly handles: TenantHandles;
  readonly builder: TenantBuilder;
  readonly schema: TenantSchema;
  /** Whether nobody has the file open; brings it into one piece. See `closedInOnePiece`. */
  readonly isUnused: (path: string) => boolean;
  readonly openOptions: OpenOptions;
  readonly nowSeconds: () => number;
  readonly onError: (error: unknown, context: string) => void;
}

/** A new operation. */
export function newOperation(
  name: TenantOperation["name"],
  details: { readonly path?: string } = {},
): TenantOperation {
  return { id: uuidV7(), name, ...details };
}

/**
 * Runs `write` in one transaction of `system.db`, if the tenant is still locked by this operation: an
 * operation that lost its lock, and was recovered by somebody else, cannot finish.
 */
export function commitLocked<T>(context: TenantContext, lock: Lock, write: () => T): T {
  const committed = context.system.transaction((tx) => {
    lock.assertHeld(tx);
    return { value: write() };
  });
  return committed.value;
}

/**
 * Refuses what consists of several commits, or touches files, inside a transaction that could be rolled
 * back around it.
 *
 * @throws {@link StorageError} `TRANSACTION_STATE`
 */
export function requireNoTransaction(context: TenantContext, action: string): void {
  if (!context.system.inTransaction) return;
  throw new StorageError(
    "TRANSACTION_STATE",
    `cannot ${action} a tenant inside a transaction of the system database`,
    { hint: "Commit it first: files cannot be rolled back" },
  );
}

/**
 * Refuses a tenant that another hub owns.
 *
 * @throws {@link StorageError} `TENANT_ELSEWHERE`
 */
export function requireHere(context: TenantContext, orgId: string): void {
  const owner = context.store.ownerElsewhere(orgId);
  if (owner === null) return;
  throw new StorageError("TENANT_ELSEWHERE", `tenant "${orgId}" belongs to "${owner}" now`, {
    hint: "Route the call there",
    details: { orgId, owner },
  });
}
