import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Lock } from "@alkdev/honker";
import { commitLocked, type TenantContext } from "./tenant-context.ts";
import { stepBack } from "./tenant-states.ts";
import type { TenantRow } from "./tenant-table.ts";

/** What became of an operation that was not over. */
export type TenantSettlement = "finished" | "undone";

/**
 * Finishes or undoes the operation that is written beside a tenant, by what is there: a file that has its
 * name is whole, so the operation is finished; else it is undone. A purge is always finished. Called with
 * the tenant locked, after a failure and after a crash alike. `null`: there was nothing to do.
 */
export function settle(context: TenantContext, lock: Lock, orgId: string): TenantSettlement | null {
  const row = context.table.get(orgId);
  if (row === null || row.operation === null) return null;
  if (row.operation.name === "export") removeExportParts(row.operation);
  const settlement = commitLocked(context, lock, () => settleRow(context, row));
  context.store.discard(row.operation.id);
  return settlement;
}

function settleRow(context: TenantContext, row: TenantRow): TenantSettlement {
  const { store, table } = context;
  const { orgId } = row;
  const isIn = (place: "live" | "archive"): boolean => store.size(orgId, place) !== null;
  switch (row.state) {
    case "creating":
      if (!isIn("live")) {
        table.remove(orgId);
        return "undone";
      }
      table.update(orgId, { state: "active", operation: null });
      return "finished";
    case "archiving":
      if (!isIn("archive")) {
        table.update(orgId, { ...stepBack(row), operation: null });
        return "undone";
      }
      table.update(orgId, { state: "archived", operation: null });
      return "finished";
    case "unarchiving":
      if (!isIn("live")) {
        table.update(orgId, { state: "archived", operation: null });
        return "undone";
      }
      // what a restored tenant was before goes only when the new file has its name
      if (row.operation?.name === "restore") store.remove(orgId, "archive");
      table.update(orgId, { ...stepBack(row), operation: null });
      return "finished";
    case "purging":
      store.remove(orgId, "live");
      store.remove(orgId, "archive");
      table.remove(orgId);
      return "finished";
    default:
      // an export changes no state, and what it wrote has its name or was removed
      table.update(orgId, { operation: null });
      return "undone";
  }
}

/** Removes what an export that did not end left beside its destination. */
function removeExportParts({ id, path }: { readonly id: string; readonly path?: string }): void {
  if (path === undefined) return;
  const folder = dirname(path);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.includes(`${basename(path)}.${id}`)) rmSync(join(folder, name), { force: true });
  }
}
