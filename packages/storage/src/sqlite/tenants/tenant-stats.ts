import type { TenantContext } from "./tenant-context.ts";
import type { TenantQuota } from "./tenant-quota.ts";
import { TENANT_ACCESS, type TenantState } from "./tenant-states.ts";
import type { TenantRow } from "./tenant-table.ts";

/** How much a tenant holds. */
export interface TenantStats {
  readonly orgId: string;
  readonly state: TenantState;
  /** Size of the file in bytes, without the log beside it; `null` when there is no file. */
  readonly bytes: number | null;
  /** Rows; `null` while the file cannot be opened: the tenant is archived or being deleted. */
  readonly rows: { readonly graphs: number; readonly nodes: number; readonly edges: number } | null;
  readonly quota: TenantQuota | null;
}

const BYTES = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
const ROWS = `SELECT (SELECT count(*) FROM graphs), (SELECT count(*) FROM nodes),
  (SELECT count(*) FROM edges)`;

/** Counts what a tenant holds; opens it where it may be opened. */
export function tenantStats(context: TenantContext, tenant: TenantRow): TenantStats {
  const { orgId, state, quota } = tenant;
  const opens: readonly TenantState[] = [...TENANT_ACCESS.open, "suspended"];
  if (!opens.includes(state)) {
    const { store } = context;
    const bytes = store.size(orgId, "live") ?? store.size(orgId, "archive");
    return { orgId, state, bytes, rows: null, quota };
  }
  using handle = context.handles.lease(tenant, () => context.table.require(orgId));
  const client = handle.db.$client;
  const [graphs, nodes, edges] = (client.rows(ROWS)[0] ?? []).map(Number);
  return {
    orgId,
    state,
    bytes: Number(client.rows(BYTES)[0]?.[0]),
    rows: { graphs: graphs ?? 0, nodes: nodes ?? 0, edges: edges ?? 0 },
    quota,
  };
}
