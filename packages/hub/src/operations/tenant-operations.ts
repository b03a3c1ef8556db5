import { TENANT_STATES } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { auditTenant } from "./audit-tenant.ts";
import { mutation, query } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import { Count, Cursor, closed, given, limit, Name, nullable, oneOf, page } from "./schemas.ts";
import { QuotaSchema, TenantSchema, tenantView, tenantViews } from "./tenant-schemas.ts";

const ById = closed({ orgId: Name });
const FILE_ERRORS = [
  "NOT_FOUND",
  "TENANT_STATE",
  "TENANT_BUSY",
  "TENANT_FILE",
  "TENANT_ELSEWHERE",
  "UNKNOWN_SCHEMA",
  "INVALID_ARGUMENT",
] as const;

/** Tenants: looking at them, making them, limiting them. */
export function tenantOperations({ system, tenants }: OperationsHost): readonly HubOperation[] {
  return [
    query(
      {
        id: "tenants.list",
        description:
          "Lists tenants by organisation id, with state, quota and the version of their file.",
        input: closed({
          state: Type.Optional(oneOf(TENANT_STATES)),
          limit: limit(500, 100),
          cursor: Cursor,
        }),
        output: page(TenantSchema),
        scope: "tenants:read",
      },
      ({ limit: most = 100, cursor, state }) => {
        const found = tenants.list({ limit: most + 1, ...given({ state, after: cursor }) });
        const items = tenantViews(system, found.slice(0, most));
        return { items, cursor: found.length > most ? (items.at(-1)?.orgId ?? null) : null };
      },
    ),
    query(
      {
        id: "tenants.get",
        description: "Shows the tenant of an organisation; null where it has none.",
        input: ById,
        output: nullable(TenantSchema),
        scope: "tenants:read",
        errors: ["INVALID_ARGUMENT"],
      },
      ({ orgId }) => {
        const tenant = tenants.get(orgId);
        return tenant === null ? null : tenantView(system, tenant);
      },
    ),
    query(
      {
        id: "tenants.stats",
        description:
          "Says how large the file of a tenant is and counts its graphs, nodes and edges; opens the file if it is not open. `rows` is null where it cannot be opened now.",
        input: ById,
        output: closed({
          orgId: Type.String(),
          state: oneOf(TENANT_STATES),
          bytes: nullable(Count),
          rows: nullable(closed({ graphs: Count, nodes: Count, edges: Count })),
          quota: nullable(QuotaSchema),
        }),
        scope: "tenants:read",
        errors: FILE_ERRORS,
      },
      ({ orgId }) => {
        const { rows, ...stats } = tenants.stats(orgId);
        return { ...stats, rows: rows === null ? null : { ...rows } };
      },
    ),
    mutation(
      {
        id: "tenants.create",
        description: "Makes the tenant of an organisation that has none: an empty file of its own.",
        input: ById,
        output: TenantSchema,
        scope: "tenants:write",
        errors: [...FILE_ERRORS, "ALREADY_EXISTS"],
      },
      ({ orgId }, context) => {
        const tenant = tenants.create(orgId);
        auditTenant(system, context, { action: "tenant.created", orgId });
        return tenantView(system, tenant);
      },
    ),
    mutation(
      {
        id: "tenants.setQuota",
        description:
          "Limits what a tenant may hold (bytes of its file, graphs, nodes), or with `null` no longer. Limits below what it holds refuse growth and nothing else.",
        input: closed({ orgId: Name, quota: nullable(QuotaSchema) }),
        output: TenantSchema,
        scope: "tenants:write",
        errors: FILE_ERRORS,
      },
      ({ orgId, quota }, context) => {
        const tenant = tenants.setQuota(orgId, quota);
        auditTenant(system, context, { action: "tenant.limited", orgId, details: { quota } });
        return tenantView(system, tenant);
      },
    ),
  ];
}
