import { type Database, type OpenOptions, open } from "@alkdev/honker";
import { applyQuota } from "./quota-enforcement.ts";
import { fileError, openTenantFile, requireOwner, unusableFile } from "./tenant-file.ts";
import { TenantHandle } from "./tenant-handle.ts";
import type { TenantQuota } from "./tenant-quota.ts";
import type { TenantSchema } from "./tenant-schema.ts";
import type { TenantStore } from "./tenant-store.ts";
import type { TenantRow } from "./tenant-table.ts";
import type { NotedVersion } from "./tenant-version.ts";

/** What {@link TenantHandles} works with. */
export interface TenantHandlesOptions {
  readonly system: Database;
  readonly store: TenantStore;
  readonly openOptions: OpenOptions;
  readonly schema: TenantSchema;
  readonly maxOpen: number;
  /** Called with the version of a file that was opened. */
  readonly onVersion: (orgId: string, version: NotedVersion) => void;
}

/** An open file, and who uses it. */
interface OpenTenant {
  readonly orgId: string;
  readonly path: string;
  /** Keeps the file open between two uses. */
  readonly keeper: Database;
  readonly inUse: Set<TenantHandle>;
  /** As it was applied; JSON, so that it can be compared. */
  quota: string;
}

/**
 * The open files of this process. Those in use stay open; of the idle ones, the least recently used are
 * closed when there are more than `maxOpen`.
 */
export class TenantHandles {
  readonly #options: TenantHandlesOptions;
  readonly #open = new Map<string, OpenTenant>();
  /** Least recently used first. */
  readonly #idle = new Set<OpenTenant>();

  constructor(options: TenantHandlesOptions) {
    this.#options = options;
  }

  /** How many files are open. */
  get size(): number {
    return this.#open.size;
  }

  /** How many of them nobody uses. */
  get idle(): number {
    return this.#idle.size;
  }

  /**
   * A handle of the tenant. `check` is called before a file is opened, while nobody can change
   * `system.db`, and gives the tenant as it is then; so whoever has committed that a tenant may not be
   * opened needs to wait only for files that are open already.
   *
   * @throws {@link StorageError} `TENANT_FILE`, `UNKNOWN_SCHEMA`
   */
  lease(tenant: TenantRow, check: () => TenantRow): TenantHandle {
    const { orgId } = tenant;
    const isCold = !this.#open.has(orgId);
    const tenantOpen = this.#open.get(orgId) ?? this.#openFile(orgId, check);
    this.#idle.delete(tenantOpen);
    try {
      const handle = this.#newHandle(tenantOpen, tenant.quota);
      if (isCold) this.#noteVersion(tenant, handle);
      return handle;
    } catch (error) {
      this.#returned(tenantOpen);
      throw fileError(error, orgId, tenantOpen.path);
    }
  }

  /** Applies another quota to the file if it is open here. */
  refreshQuota(orgId: string, quota: TenantQuota | null): void {
    const tenantOpen = this.#open.get(orgId);
    if (tenantOpen !== undefined) this.#applyQuota(tenantOpen, quota);
  }

  /** How many handles of the tenant are in use. */
  inUse(orgId: string): number {
    return this.#open.get(orgId)?.inUse.size ?? 0;
  }

  /** Closes the tenant's file unless it is in use. False when it stays open. */
  drop(orgId: string): boolean {
    const tenantOpen = this.#open.get(orgId);
    if (tenantOpen === undefined) return true;
    if (tenantOpen.inUse.size > 0) return false;
    this.#close(tenantOpen);
    return true;
  }

  /** Closes everything, also what is in use. */
  closeAll(): void {
    for (const tenantOpen of [...this.#open.values()]) {
      for (const handle of [...tenantOpen.inUse]) handle.close();
      this.#close(tenantOpen);
    }
  }

  #newHandle(tenantOpen: OpenTenant, quota: TenantQuota | null): TenantHandle {
    const { orgId, path } = tenantOpen;
    // shares the connection, and takes its own listeners along when it is closed
    const client = open(path, this.#options.openOptions);
    try {
      const db = this.#options.schema.open(client);
      this.#applyQuota(tenantOpen, quota);
      const handle: TenantHandle = new TenantHandle({
        orgId,
        db,
        onClose: () => {
          tenantOpen.inUse.delete(handle);
          this.#returned(tenantOpen);
        },
      });
      tenantOpen.inUse.add(handle);
      return handle;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  #noteVersion({ orgId }: TenantRow, handle: TenantHandle): void {
    const { schema, onVersion } = this.#options;
    const version = schema.noted(schema.read(handle.db.$client));
    try {
      onVersion(orgId, version);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  #openFile(orgId: string, check: () => TenantRow): OpenTenant {
    this.#makeRoom();
    const keeper = this.#options.system.transaction(() => this.#openChecked(check()));
    const tenantOpen: OpenTenant = {
      orgId,
      path: keeper.path,
      keeper,
      inUse: new Set(),
      quota: "",
    };
    this.#open.set(orgId, tenantOpen);
    return tenantOpen;
  }

  #openChecked({ orgId }: TenantRow): Database {
    const { store, openOptions } = this.#options;
    const path = store.path(orgId, "live");
    const size = store.size(orgId, "live");
    if (size === null || size === 0) {
      throw unusableFile(orgId, path, size === null ? "is missing" : "is empty");
    }
    const keeper = openTenantFile(orgId, path, openOptions);
    try {
      requireOwner(keeper, orgId);
      return keeper;
    } catch (error) {
      keeper.close();
      throw fileError(error, orgId, path);
    }
  }

  #applyQuota(tenantOpen: OpenTenant, quota: TenantQuota | null): void {
    const text = JSON.stringify(quota);
    if (tenantOpen.quota === text) return;
    applyQuota(tenantOpen.keeper, quota);
    tenantOpen.quota = text;
  }

  #returned(tenantOpen: OpenTenant): void {
    const { orgId, inUse } = tenantOpen;
    if (inUse.size > 0 || this.#open.get(orgId) !== tenantOpen) return;
    if (this.#open.size > this.#options.maxOpen) this.#close(tenantOpen);
    else this.#idle.add(tenantOpen);
  }

  #makeRoom(): void {
    for (const tenantOpen of this.#idle) {
      if (this.#open.size < this.#options.maxOpen) return;
      this.#close(tenantOpen);
    }
  }

  #close(tenantOpen: OpenTenant): void {
    this.#open.delete(tenantOpen.orgId);
    this.#idle.delete(tenantOpen);
    tenantOpen.keeper.close();
  }
}
