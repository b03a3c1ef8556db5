import {
  lookUpVersion,
  migrateTenant,
  openAsItIs,
  type TenantMigrateOptions,
  type TenantMigration,
} from "./operations/migrate-tenant.ts";
import { requireOrgId } from "./org-id.ts";
import { DriftDetector, type SchemaDrift } from "./schema-drift.ts";
import { TenantAccess } from "./tenant-access.ts";
import { requireHere, type TenantContext } from "./tenant-context.ts";
import type { TenantVersion } from "./tenant-version.ts";

/** The part of {@link TenantManager} that looks after the schema of tenants. */
export class TenantUpkeep extends TenantAccess {
  readonly #drift: DriftDetector;

  /** @internal Use `createTenantManager()`. */
  constructor(context: TenantContext) {
    super(context);
    this.#drift = new DriftDetector(context.schema);
  }

  /** The newest version that this program knows, to which tenants are migrated. */
  get newestVersion(): TenantVersion {
    return this.context.schema.newest;
  }

  /** How people name a version: `"4"`, or `"4 + 0002_add_tasks"`. */
  nameOfVersion(version: TenantVersion): string {
    return this.context.schema.nameOf(version);
  }

  /** How a version relates to the newest; `ownTables` count where the manager was given them. */
  compareVersion(version: TenantVersion): "older" | "same" | "newer" {
    return this.context.schema.compare(version);
  }

  /**
   * The version at which the tenant's file is, from the file itself, which is not migrated. What `get()` and
   * `list()` say is what was seen last.
   *
   * @throws {@link StorageError} `NOT_FOUND`, `TENANT_STATE` unless it is active or suspended,
   * `TENANT_FILE`, `TENANT_ELSEWHERE`, `INVALID_ARGUMENT`, `CLOSED`
   */
  versionOf(orgId: string): TenantVersion {
    this.#requireFile(orgId);
    return lookUpVersion(this.context, orgId);
  }

  /**
   * Brings the tenant's file to the newest version, in one transaction, while it may be in use. Killed at
   * any moment, the file is at the old version or at the new one, and so is `get()` from its next look.
   *
   * @throws {@link StorageError} `MIGRATION_FAILED` with nothing changed, `UNKNOWN_SCHEMA` for a newer file,
   * `TENANT_BUSY`, `TRANSACTION_STATE`, and as `versionOf`; the reason of `options.signal`
   */
  async migrate(orgId: string, options: TenantMigrateOptions = {}): Promise<TenantMigration> {
    this.requireAlone(orgId, "migrate");
    const signal = this.untilClosed(options.signal);
    return await migrateTenant(this.context, orgId, { ...options, signal });
  }

  /**
   * How the schema of the tenant's file differs from the one that its migrations make, for example after a
   * change by hand; `null` when it does not.
   *
   * @throws {@link StorageError} `UNKNOWN_SCHEMA`, and as `versionOf`
   */
  driftOf(orgId: string): SchemaDrift | null {
    this.#requireFile(orgId);
    const client = openAsItIs(this.context, orgId);
    try {
      return this.#drift.compare(client);
    } finally {
      client.close();
    }
  }

  #requireFile(orgId: string): void {
    this.requireOpen();
    requireOrgId(orgId);
    requireHere(this.context, orgId);
    this.settled(orgId);
  }
}
