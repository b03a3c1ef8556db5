import { StorageError } from "../../errors.ts";
import type { TenantDatabase } from "../client.ts";
import { requireWhole } from "./checks.ts";
import { requireOrgId } from "./org-id.ts";
import { quotaErrorOf } from "./quota-enforcement.ts";
import { recoverOne } from "./recover.ts";
import { StateListener } from "./state-listener.ts";
import type { Tenant } from "./tenant.ts";
import { requireHere, requireNoTransaction, type TenantContext } from "./tenant-context.ts";
import type { TenantHandle } from "./tenant-handle.ts";
import { requireState, TENANT_ACCESS, TENANT_STATES, type TenantState } from "./tenant-states.ts";
import { type TenantStats, tenantStats } from "./tenant-stats.ts";
import { publicTenant, type TenantListOptions, type TenantRow } from "./tenant-table.ts";

/** The part of {@link TenantManager} that opens tenants and looks at them. */
export class TenantAccess implements Disposable {
  /** @internal */
  protected readonly context: TenantContext;
  readonly #listener: StateListener;
  readonly #ended = new AbortController();

  /** @internal Use `createTenantManager()`. */
  constructor(context: TenantContext) {
    this.context = context;
    this.#listener = new StateListener(context);
  }

  /** How many tenant files are open in this process, and how many of them nobody uses. */
  get openFiles(): { readonly open: number; readonly idle: number } {
    return { open: this.context.handles.size, idle: this.context.handles.idle };
  }

  /**
   * A handle of the tenant's database; close it when the work is done. A tenant whose file is open
   * already costs one read; opening a file takes one or two milliseconds.
   *
   * @throws {@link StorageError} `NOT_FOUND`, `TENANT_STATE` unless the tenant is active, `TENANT_FILE`
   * when its file is missing, damaged or another's, `UNKNOWN_SCHEMA` when a newer version wrote it,
   * `SCHEMA_OUTDATED` when it must be migrated first, `TENANT_BUSY`, `TENANT_ELSEWHERE`,
   * `INVALID_ARGUMENT`, `CLOSED`
   * @example
   * ```ts
   * using tenant = tenants.open(orgId);
   * tenant.db.select().from(graphs).all();
   * ```
   */
  open(orgId: string): TenantHandle {
    this.requireOpen();
    requireOrgId(orgId);
    requireHere(this.context, orgId);
    const openable = (): TenantRow => {
      const tenant = this.settled(orgId);
      requireState(tenant, "open", TENANT_ACCESS.open);
      return tenant;
    };
    return this.context.handles.lease(openable(), openable);
  }

  /**
   * Runs `work` on the tenant's database and gives the handle back, after the promise if there is one.
   *
   * @throws {@link StorageError} as `open`; `QUOTA_EXCEEDED` for what the tenant's quota refused, where
   * the engine threw; whatever `work` throws
   * @example
   * ```ts
   * const all = tenants.withTenant(orgId, (db) => db.select().from(graphs).all());
   * ```
   */
  withTenant<T>(orgId: string, work: (db: TenantDatabase) => PromiseLike<T>): Promise<T>;
  withTenant<T>(orgId: string, work: (db: TenantDatabase) => T): T;
  withTenant(orgId: string, work: (db: TenantDatabase) => unknown): unknown {
    const handle = this.open(orgId);
    const failed = (error: unknown): never => {
      const refused = this.#ended.signal.aborted ? null : this.quotaErrorOf(error, handle);
      handle.close();
      throw refused ?? error;
    };
    let result: unknown;
    try {
      result = work(handle.db);
    } catch (error) {
      return failed(error);
    }
    const done = (value: unknown): unknown => {
      handle.close();
      return value;
    };
    return isThenable(result) ? Promise.resolve(result).then(done, failed) : done(result);
  }

  /**
   * `error` as `QUOTA_EXCEEDED` (which limit, how much is used) when it is a write that the quota of the
   * handle's tenant refused; else `null`. `withTenant` does it by itself.
   */
  quotaErrorOf(error: unknown, handle: TenantHandle): StorageError | null {
    this.requireOpen();
    if (!handle.isOpen) return null;
    const { orgId, db } = handle;
    const quota = this.context.table.get(orgId)?.quota ?? null;
    return quotaErrorOf(error, { orgId, client: db.$client, quota });
  }

  /** The tenant of an organisation; `null` when it has none. @throws `INVALID_ARGUMENT`, `CLOSED` */
  get(orgId: string): Tenant | null {
    this.requireOpen();
    requireOrgId(orgId);
    const row = this.context.table.get(orgId);
    return row === null ? null : publicTenant(row);
  }

  /** Tenants by id. @throws {@link StorageError} `INVALID_ARGUMENT`, `CLOSED` */
  list(options: TenantListOptions = {}): Tenant[] {
    this.requireOpen();
    const { state, limit } = options;
    if (state !== undefined && !TENANT_STATES.includes(state)) {
      throw new StorageError(
        "INVALID_ARGUMENT",
        `there is no state "${String(state)}" of tenants`,
        {
          hint: `Known are ${TENANT_STATES.join(", ")}`,
        },
      );
    }
    if (limit !== undefined) requireWhole(limit, "limit", 0);
    return this.context.table.list(options).map(publicTenant);
  }

  /**
   * How much the tenant holds; counts its rows, so ask it now and then rather than on every request.
   *
   * @throws {@link StorageError} `NOT_FOUND`, `TENANT_FILE`, `UNKNOWN_SCHEMA`, `TENANT_ELSEWHERE`,
   * `INVALID_ARGUMENT`, `CLOSED`
   */
  stats(orgId: string): TenantStats {
    this.requireOpen();
    requireOrgId(orgId);
    requireHere(this.context, orgId);
    return tenantStats(this.context, this.settled(orgId));
  }

  /** Closes the tenant's file here unless it is in use; false when it stays open. @throws `CLOSED` */
  evict(orgId: string): boolean {
    this.requireOpen();
    return this.context.handles.drop(orgId);
  }

  /**
   * Closes every handle, also those in use, and all files; ends what is running with `CLOSED`. What could
   * not be undone before `system.db` was closed is undone by the next manager. Idempotent.
   */
  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(closedError());
    this.#listener.close();
    this.context.handles.closeAll();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal The tenant, after what a killed process had begun with it. */
  protected settled(orgId: string): TenantRow {
    const tenant = this.context.table.require(orgId);
    const passing: readonly TenantState[] = TENANT_ACCESS.passing;
    if (!passing.includes(tenant.state) || this.context.system.inTransaction) return tenant;
    const recovery = recoverOne(this.context, orgId);
    if (recovery?.outcome === "failed") throw recovery.error;
    return this.context.table.require(orgId);
  }

  /** @internal Checks of a call that consists of several commits. */
  protected requireAlone(orgId: string, action: string): void {
    this.requireOpen();
    requireOrgId(orgId);
    requireNoTransaction(this.context, action);
    requireHere(this.context, orgId);
  }

  /** @internal */
  protected requireOpen(): void {
    if (this.#ended.signal.aborted) throw closedError();
  }

  /** @internal Aborted when `signal` is, and when the manager is closed. */
  protected untilClosed(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined
      ? this.#ended.signal
      : AbortSignal.any([signal, this.#ended.signal]);
  }
}

function closedError(): StorageError {
  return new StorageError("CLOSED", "the tenant manager is closed", {
    hint: "Make another one with createTenantManager()",
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    typeof value === "object" &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
