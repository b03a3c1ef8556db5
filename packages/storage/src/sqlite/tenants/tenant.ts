import type { TenantQuota } from "./tenant-quota.ts";
import type { TenantState, TenantTransitionName } from "./tenant-states.ts";
import type { TenantVersion } from "./tenant-version.ts";

/** An operation on a tenant that was begun and is not over. */
export interface TenantOperation {
  /** Part of the names of its temporary files. */
  readonly id: string;
  readonly name: TenantTransitionName | "export";
  /** Absolute path of the file that is written, for an export. */
  readonly path?: string;
}

/** A tenant as `system.db` knows it. */
export interface Tenant {
  readonly orgId: string;
  readonly state: TenantState;
  /** Name of its file. */
  readonly file: string;
  readonly quota: TenantQuota | null;
  /** Version of its file when it was last opened or migrated; `null` before that. */
  readonly version: TenantVersion | null;
  /** When it may be purged; `null` unless it is being deleted. */
  readonly purgeAfter: Date | null;
  /** What runs now, or was killed and is finished or undone by the next `recover()`. */
  readonly operation: TenantOperation | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
