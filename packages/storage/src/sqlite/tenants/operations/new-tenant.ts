import { HonkerError, type Lock } from "@alkdev/honker";
import { StorageError } from "../../../errors.ts";
import { settle } from "../settle.ts";
import type { TenantOperation } from "../tenant.ts";
import { commitLocked, newOperation, type TenantContext } from "../tenant-context.ts";
import type { TenantRow } from "../tenant-table.ts";

/** Writes down that a tenant is being made, if there is none and nothing is in its way. */
export function beginNew(
  context: TenantContext,
  lock: Lock,
  begin: { readonly orgId: string; readonly name: TenantOperation["name"] },
): TenantOperation {
  const { orgId, name } = begin;
  const { store, table } = context;
  settle(context, lock, orgId);
  return commitLocked(context, lock, () => {
    table.slugOf(orgId);
    const file = store.fileName(orgId);
    const owner = table.ownerOfFile(file);
    if (owner !== null) throw taken(orgId, owner);
    for (const place of ["live", "archive"] as const) {
      if (store.size(orgId, place) !== null) throw inTheWay(orgId, store.path(orgId, place));
    }
    const operation = newOperation(name);
    table.insert(orgId, file, operation);
    return operation;
  });
}

/** Gives the finished file its name, and the tenant its state, in one commit. */
export function finishNew(
  context: TenantContext,
  lock: Lock,
  made: { readonly orgId: string; readonly operation: TenantOperation },
): TenantRow {
  const { orgId, operation } = made;
  return commitLocked(context, lock, () => {
    context.store.publish(operation.id, orgId);
    context.table.noteVersion(orgId, context.schema.noted(context.schema.newest));
    return context.table.update(orgId, { state: "active", operation: null });
  });
}

/** Settles what failed; when even that fails, the next `recover()` does. */
export function settleFailed(context: TenantContext, lock: Lock, orgId: string): void {
  try {
    settle(context, lock, orgId);
  } catch (error) {
    // closed in the middle: nothing can be written any more
    if (error instanceof HonkerError && error.code === "CLOSED") return;
    context.onError(error, `undoing an operation on tenant "${orgId}"`);
  }
}

function taken(orgId: string, owner: string): StorageError {
  const message =
    owner === orgId
      ? `organisation "${orgId}" has a tenant already`
      : `the file of tenant "${orgId}" would be that of tenant "${owner}" where case does not count`;
  return new StorageError("ALREADY_EXISTS", message, { details: { orgId, owner } });
}

function inTheWay(orgId: string, path: string): StorageError {
  return new StorageError(
    "TENANT_FILE",
    `cannot make the file of tenant "${orgId}": "${path}" is there, and no tenant owns it`,
    {
      hint: "Move it out of the folder; if it holds the tenant's data, bring it in with importFrom()",
      details: { orgId, path },
    },
  );
}
