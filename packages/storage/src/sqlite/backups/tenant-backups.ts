import type { Clock } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import { requirePath } from "../tenants/checks.ts";
import type { TenantCopyOptions } from "../tenants/operations/copy-tenant.ts";
import { requireOrgId } from "../tenants/org-id.ts";
import type { Tenant } from "../tenants/tenant.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { BackupFolder } from "./backup-folder.ts";
import { type BackupRetention, expiredBackups, requireRetention } from "./backup-retention.ts";
import { lookAtCopy, requireUnchanged } from "./look-at-copy.ts";
import type { TenantBackup } from "./tenant-backup.ts";

/** Options of {@link createTenantBackups}. */
export interface TenantBackupsOptions {
  readonly tenants: TenantManager;
  /** Where backups are kept, on another disk if possible; made if it is not there. Not the tenants' folder. */
  readonly folder: string;
  /** Which backups `prune()` keeps, default the last 3, 7 daily and 4 weekly ones. */
  readonly retention?: BackupRetention;
  /** Time source, default the machine's clock. For tests. */
  readonly clock?: Clock;
}

/** Options of `restore()`. */
export interface RestoreTenantOptions extends TenantCopyOptions {
  /**
   * The organisation whose tenant is made from it, which must have none. Default the one that it was
   * taken of, whose tenant must be archived, and is replaced.
   */
  readonly as?: string;
}

/** Backups of the tenants of a manager, as files in one folder. */
export interface TenantBackups {
  /**
   * Copies a tenant as it is at one moment, while it is in use, and restores the copy once to check it: every
   * page, index and foreign key, its owner, and the rows of each table.
   *
   * @throws {@link StorageError} as `exportTo` of the manager
   */
  backUp(orgId: string, options?: { readonly signal?: AbortSignal }): Promise<TenantBackup>;
  /** Backups of an organisation, or of all, oldest first. Also of organisations that are gone. */
  list(orgId?: string): TenantBackup[];
  /** The newest backup of an organisation; `null` when there is none. */
  newest(orgId: string): TenantBackup | null;
  /**
   * Restores a backup beside the tenants, and compares it with what it was when it was taken.
   *
   * @throws {@link StorageError} `TENANT_FILE` when it cannot be used, `NOT_FOUND`, `INVALID_ARGUMENT`
   */
  verify(id: string, options?: { readonly signal?: AbortSignal }): Promise<TenantBackup>;
  /**
   * Makes a tenant from a backup, under a new name or in place of the archived one.
   *
   * @throws {@link StorageError} `TENANT_FILE`, `NOT_FOUND`, and as `importFrom` and `restore` of the manager
   */
  restore(id: string, options?: RestoreTenantOptions): Promise<Tenant>;
  /** Removes the backups of an organisation, or of all, that the retention does not keep. Returns their ids. */
  prune(orgId?: string): string[];
}

/**
 * Backups of tenants. Several processes may use one folder.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const backups = createTenantBackups({ tenants, folder: "./backups" });
 * const { id } = await backups.backUp("acme");
 * await backups.restore(id, { as: "acme-restored" });
 * ```
 */
export function createTenantBackups(options: TenantBackupsOptions): TenantBackups {
  const { tenants, retention = {}, clock = { now: () => Date.now() } } = options;
  requirePath(options.folder, "the folder of the backups");
  requireRetention(retention);
  const folder = new BackupFolder(options.folder);
  const list = (orgId?: string): TenantBackup[] => {
    if (orgId !== undefined) requireOrgId(orgId);
    return folder.list(orgId);
  };
  return {
    list,
    newest: (orgId) => list(orgId).at(-1) ?? null,
    async backUp(orgId, { signal } = {}) {
      requireOrgId(orgId);
      const takenAt = new Date(clock.now());
      const { id, path } = folder.prepare(orgId, takenAt);
      folder.removeAbandoned(orgId);
      const copy = await tenants.exportTo(orgId, path, signal === undefined ? {} : { signal });
      const { bytes, sha256 } = copy;
      const rows = await lookAtCopy(copy, folder.scratch(), signal ?? never());
      const version = tenants.get(orgId)?.version ?? { schema: 0, app: 0 };
      const backup = { id, orgId, path, takenAt, bytes, sha256, version, rows };
      folder.publish(backup);
      return backup;
    },
    async verify(id, { signal } = {}) {
      const backup = folder.get(id);
      const rows = await lookAtCopy(backup, folder.scratch(), signal ?? never());
      requireSameRows(backup, rows);
      return backup;
    },
    async restore(id, { as, ...copyOptions } = {}) {
      const backup = folder.get(id);
      await requireUnchanged(backup);
      return as === undefined
        ? await tenants.restore(backup.orgId, backup.path, copyOptions)
        : await tenants.importFrom(backup.path, as, copyOptions);
    },
    prune(orgId) {
      const orgs = new Set(list(orgId).map((backup) => backup.orgId));
      return [...orgs].flatMap((org) =>
        expiredBackups(list(org), retention).map(({ id }) => {
          folder.remove(id);
          return id;
        }),
      );
    },
  };
}

function requireSameRows(backup: TenantBackup, rows: Readonly<Record<string, number>>): void {
  // tables that a newer engine adds when it opens the copy are its own affair
  for (const [name, expected] of Object.entries(backup.rows)) {
    if (rows[name] === expected) continue;
    throw new StorageError(
      "TENANT_FILE",
      `the backup "${backup.id}" restores ${rows[name] ?? "no"} rows of "${name}", and had ${expected}`,
      { hint: "Use an older one", details: { id: backup.id, table: name } },
    );
  }
}

function never(): AbortSignal {
  return new AbortController().signal;
}
