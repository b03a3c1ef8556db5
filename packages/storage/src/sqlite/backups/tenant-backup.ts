import type { TenantVersion } from "../tenants/tenant-version.ts";

/** A copy of a tenant from one moment, with what is known of it. */
export interface TenantBackup {
  /** `{orgId}/{time}`, the way to it below the folder of the backups. */
  readonly id: string;
  readonly orgId: string;
  /** Absolute path of the copy, which is a tenant's file like any other. */
  readonly path: string;
  readonly takenAt: Date;
  readonly bytes: number;
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly version: TenantVersion;
  /** Rows of each table, as they were counted in the restored copy. */
  readonly rows: Readonly<Record<string, number>>;
}
