import type { Tenant } from "@alkdev/storage/sqlite";

/** A tenant as it is shown. */
export interface ShownTenant extends Omit<Tenant, "operation" | "updatedAt"> {
  /** Slug of its organisation. */
  readonly org: string;
  /** What runs now, or was killed. */
  readonly operation: string | null;
}

/** A tenant as it is shown, with the slug of its organisation. */
export function shownTenant(tenant: Tenant, org: string): ShownTenant {
  const { orgId, state, file, quota, version, purgeAfter, operation, createdAt } = tenant;
  const running = operation?.name ?? null;
  return { org, orgId, state, file, quota, version, purgeAfter, operation: running, createdAt };
}
