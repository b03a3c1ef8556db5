import { StorageError } from "../../errors.ts";
import { requirePath, requireWhole } from "./checks.ts";
import {
  archiveTenant,
  type TenantArchiveOptions,
  unarchiveTenant,
} from "./operations/archive-tenant.ts";
import { cloneTenant, importTenant, type TenantCopyOptions } from "./operations/copy-tenant.ts";
import { createTenant } from "./operations/create-tenant.ts";
import { exportTenant, type TenantExport } from "./operations/export-tenant.ts";
import { purgeDue, type TenantPurge } from "./operations/purge-tenant.ts";
import { restoreTenant } from "./operations/restore-tenant.ts";
import { requireOrgId } from "./org-id.ts";
import { recover, type TenantRecovery } from "./recover.ts";
import type { Tenant } from "./tenant.ts";
import { requireHere, requireNoTransaction, type TenantContext } from "./tenant-context.ts";
import { checkedQuota, type TenantQuota } from "./tenant-quota.ts";
import {
  arrival,
  requireState,
  TENANT_ACCESS,
  TENANT_TRANSITIONS,
  type TenantState,
} from "./tenant-states.ts";
import { publicTenant, type TenantChanges } from "./tenant-table.ts";
import { TenantUpkeep } from "./tenant-upkeep.ts";

/**
 * Creates, opens, moves and removes tenants. Made by {@link createTenantManager}. Its calls on one
 * tenant exclude each other, also between processes: the later one is refused with `TENANT_BUSY`.
 */
export class TenantManager extends TenantUpkeep {
  readonly #graceSeconds: number;

  /** @internal Use `createTenantManager()`. */
  constructor(context: TenantContext, graceSeconds: number) {
    super(context);
    this.#graceSeconds = graceSeconds;
  }

  /**
   * Makes the tenant of an organisation: an empty file of its own.
   *
   * @throws {@link StorageError} `NOT_FOUND` when there is no such organisation, `ALREADY_EXISTS`,
   * `TENANT_FILE` when a file that no tenant owns is in the way, `TENANT_BUSY`, `INVALID_ARGUMENT`,
   * `TRANSACTION_STATE`, `TENANT_ELSEWHERE`, `CLOSED`
   */
  create(orgId: string): Tenant {
    this.requireAlone(orgId, "create");
    return publicTenant(createTenant(this.context, orgId));
  }

  /**
   * Refuses the tenant to everybody until `resume()`. Handles in use go on until they are closed. Joins
   * an open transaction.
   *
   * @throws {@link StorageError} `NOT_FOUND`, `TENANT_STATE`, `TENANT_ELSEWHERE`, `INVALID_ARGUMENT`,
   * `CLOSED`
   */
  suspend(orgId: string): Tenant {
    return this.#change(orgId, "suspend", () => ({}));
  }

  /** Ends `suspend()`. @throws as that */
  resume(orgId: string): Tenant {
    return this.#change(orgId, "resume", () => ({}));
  }

  /**
   * Puts the tenant's file away, in one piece, once nobody has it open. Nobody can open it meanwhile;
   * when that fails it is as before.
   *
   * @throws {@link StorageError} `TENANT_BUSY` when it is still open somewhere after `waitMs`,
   * `NOT_FOUND`, `TENANT_STATE`, `TENANT_FILE`, `TRANSACTION_STATE`, `TENANT_ELSEWHERE`,
   * `INVALID_ARGUMENT`, `CLOSED`; the reason of `options.signal`
   */
  async archive(orgId: string, options: TenantArchiveOptions = {}): Promise<Tenant> {
    this.requireAlone(orgId, "archive");
    requireWhole(options.waitMs ?? 0, "waitMs", 0);
    const signal = this.untilClosed(options.signal);
    return publicTenant(await archiveTenant(this.context, orgId, { ...options, signal }));
  }

  /** Ends `archive()`: the tenant is in the state it was in. @throws as that */
  unarchive(orgId: string): Tenant {
    this.requireAlone(orgId, "unarchive");
    return publicTenant(unarchiveTenant(this.context, orgId));
  }

  /**
   * Writes the whole tenant, as it is at one moment, into one file while it is in use: verified, then
   * given its name. It can also be suspended or archived.
   *
   * @throws {@link StorageError} `ALREADY_EXISTS` when `path` exists, `NOT_FOUND`, `TENANT_STATE`,
   * `TENANT_FILE`, `TENANT_BUSY`, `TRANSACTION_STATE`, `TENANT_ELSEWHERE`, `INVALID_ARGUMENT`, `CLOSED`;
   * the reason of `options.signal`
   */
  async exportTo(
    orgId: string,
    path: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<TenantExport> {
    this.requireAlone(orgId, "export");
    const signal = this.untilClosed(options.signal);
    return await exportTenant(this.context, orgId, { path, signal });
  }

  /**
   * Makes the tenant of an organisation from an exported file, which stays as it is. The copy is
   * verified, migrated and made the organisation's own before it gets its name. Import only files you
   * trust: a database can hold triggers.
   *
   * @throws {@link StorageError} `TENANT_FILE` when it is damaged or no tenant's file, `UNKNOWN_SCHEMA`,
   * and as `create`; `HonkerError` `CANNOT_OPEN` when there is no such file; the reason of
   * `options.signal`
   */
  async importFrom(path: string, orgId: string, options: TenantCopyOptions = {}): Promise<Tenant> {
    this.requireAlone(orgId, "import");
    requirePath(path, "the file to import");
    requireWork(options);
    const signal = this.untilClosed(options.signal);
    return publicTenant(
      await importTenant(this.context, orgId, { ...options, signal, source: path }),
    );
  }

  /**
   * Replaces the file of an archived tenant by a copy of an exported one, and brings the tenant back; its
   * quota stays. What the tenant held is gone then. `archive()` it first, so that nobody has it open.
   *
   * @throws {@link StorageError} as `importFrom`, and `TENANT_STATE` unless the tenant is archived
   */
  async restore(orgId: string, path: string, options: TenantCopyOptions = {}): Promise<Tenant> {
    this.requireAlone(orgId, "restore");
    requirePath(path, "the file to restore");
    requireWork(options);
    const signal = this.untilClosed(options.signal);
    return publicTenant(
      await restoreTenant(this.context, orgId, { ...options, signal, source: path }),
    );
  }

  /**
   * Makes the tenant of the organisation `to` from what the tenant of `from` holds at this moment; that
   * one may be in use. Its quota is not copied.
   *
   * @throws {@link StorageError} as `create`, and `TENANT_STATE` when `from` is being deleted; the reason
   * of `options.signal`
   */
  async clone(from: string, to: string, options: TenantCopyOptions = {}): Promise<Tenant> {
    this.requireAlone(to, "clone");
    requireOrgId(from);
    requireHere(this.context, from);
    requireWork(options);
    const signal = this.untilClosed(options.signal);
    const source = this.settled(from);
    return publicTenant(await cloneTenant(this.context, to, { ...options, signal, source }));
  }

  /**
   * Refuses the tenant to everybody, and marks it to be removed by `purgeDue()` after the time of grace;
   * until then `undelete()` brings it back. Joins an open transaction.
   *
   * @param options `confirm`: the slug of the organisation, so that no wrong id deletes a tenant
   * @throws {@link StorageError} `INVALID_ARGUMENT` when `confirm` is not the slug, `NOT_FOUND`,
   * `TENANT_STATE`, `TENANT_ELSEWHERE`, `CLOSED`
   */
  delete(orgId: string, options: { readonly confirm: string }): Tenant {
    return this.#change(orgId, "delete", () => {
      const confirm = options?.confirm;
      if (this.context.table.slugOf(orgId) !== confirm) throw unconfirmed(orgId, confirm);
      const seconds = this.context.nowSeconds() + this.#graceSeconds;
      return { purgeAfter: new Date(seconds * 1_000) };
    });
  }

  /** Ends `delete()`: the tenant is in the state it was in. @throws as `suspend` */
  undelete(orgId: string): Tenant {
    return this.#change(orgId, "undelete", () => ({ purgeAfter: null }));
  }

  /**
   * Removes every tenant whose time of grace is over: its file and its row. Call it once a day. Those in
   * use are left to the next call.
   *
   * @throws {@link StorageError} `TRANSACTION_STATE`, `CLOSED`
   */
  purgeDue(): TenantPurge {
    this.requireOpen();
    requireNoTransaction(this.context, "purge");
    return purgeDue(this.context);
  }

  /**
   * Limits the tenant, or with `null` no longer. Limits below what it holds refuse growth and nothing
   * else. Counts hold at once and for everybody who writes the file; the size holds in this process at
   * once, in others from when they open the tenant next.
   *
   * @throws {@link StorageError} `INVALID_ARGUMENT`, `NOT_FOUND`, `TENANT_FILE`, `UNKNOWN_SCHEMA`,
   * `TENANT_STATE` while it is created or removed, `TRANSACTION_STATE`, `TENANT_ELSEWHERE`, `CLOSED`
   */
  setQuota(orgId: string, quota: TenantQuota | null): Tenant {
    this.requireAlone(orgId, "limit");
    const checked = checkedQuota(quota);
    requireState(this.settled(orgId), "limit", TENANT_ACCESS.limit);
    const tenant = this.context.table.update(orgId, { quota: checked });
    // written first: a process killed here is followed by whoever opens the tenant next
    const opens: readonly TenantState[] = TENANT_ACCESS.open;
    if (opens.includes(tenant.state)) this.open(orgId).close();
    else this.context.handles.refreshQuota(orgId, checked);
    return publicTenant(tenant);
  }

  /**
   * Finishes or undoes what killed processes had begun, and removes what they left. It runs when the
   * manager is made; an operation also settles what stands in its own way.
   *
   * @throws {@link StorageError} `TRANSACTION_STATE`, `CLOSED`
   */
  recover(): TenantRecovery[] {
    this.requireOpen();
    requireNoTransaction(this.context, "recover");
    const recovered = recover(this.context);
    for (const { orgId, outcome, error } of recovered) {
      if (outcome === "failed") this.context.onError(error, `recovering tenant "${orgId}"`);
    }
    return recovered;
  }

  /** A change of state that is one commit. */
  #change(
    orgId: string,
    name: "suspend" | "resume" | "delete" | "undelete",
    changes: () => TenantChanges,
  ): Tenant {
    this.requireOpen();
    requireOrgId(orgId);
    const { table, system, handles } = this.context;
    requireHere(this.context, orgId);
    this.settled(orgId);
    const changed = system.transaction(() => {
      const tenant = table.require(orgId);
      requireState(tenant, name, TENANT_TRANSITIONS[name].from);
      return table.update(orgId, { ...arrival(tenant, name), ...changes() });
    });
    system.afterCommit(() => void handles.drop(orgId));
    return publicTenant(changed);
  }
}

function unconfirmed(orgId: string, confirm: unknown): StorageError {
  return new StorageError(
    "INVALID_ARGUMENT",
    `tenant "${orgId}" is not deleted: confirm must be the slug of its organisation, got ${typeof confirm === "string" ? JSON.stringify(confirm) : typeof confirm}`,
    { hint: "Look the organisation up and give its slug", details: { orgId } },
  );
}

function requireWork({ work }: TenantCopyOptions): void {
  if (work === undefined || work === "keep" || work === "drop") return;
  throw new StorageError("INVALID_ARGUMENT", `work must be "keep" or "drop", got ${String(work)}`);
}
