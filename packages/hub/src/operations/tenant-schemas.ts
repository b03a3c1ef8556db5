import {
  organizations,
  type SystemDatabase,
  TENANT_STATES,
  type Tenant,
} from "@alkdev/storage/sqlite";
import { type TUnsafe, Type } from "@sinclair/typebox";
import { inArray } from "drizzle-orm";
import { Count, closed, Moment, nullable, oneOf } from "./schemas.ts";

/** A tenant as it travels, with its organisation; its times are ISO 8601. */
export interface TenantView extends Pick<Tenant, "orgId" | "state" | "file" | "quota" | "version"> {
  readonly slug: string | null;
  readonly name: string | null;
  readonly purgeAfter: string | null;
  /** What is done with it now. */
  readonly operation: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Limits of a tenant. */
export const QuotaSchema: TUnsafe<NonNullable<Tenant["quota"]>> = Type.Unsafe(
  closed({
    maxBytes: Type.Optional(Count),
    maxGraphs: Type.Optional(Count),
    maxNodes: Type.Optional(Count),
  }),
);

/** {@link TenantView} as a schema. */
export const TenantSchema: TUnsafe<TenantView> = Type.Unsafe<TenantView>(
  closed({
    orgId: Type.String(),
    slug: nullable(Type.String()),
    name: nullable(Type.String()),
    state: oneOf(TENANT_STATES),
    file: Type.String(),
    quota: nullable(QuotaSchema),
    version: nullable(closed({ schema: Type.Integer(), app: Type.Integer() })),
    purgeAfter: nullable(Moment),
    operation: nullable(Type.String()),
    createdAt: Moment,
    updatedAt: Moment,
  }),
);

/** Tenants as they travel. */
export function tenantViews(system: SystemDatabase, tenants: readonly Tenant[]): TenantView[] {
  const { id, slug, name } = organizations;
  const ids = tenants.map(({ orgId }) => orgId);
  const rows = system.select({ id, slug, name }).from(organizations).where(inArray(id, ids)).all();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return tenants.map(({ orgId, state, file, quota, version, ...tenant }) => ({
    orgId,
    slug: byId.get(orgId)?.slug ?? null,
    name: byId.get(orgId)?.name ?? null,
    state,
    file,
    quota,
    version,
    purgeAfter: tenant.purgeAfter?.toISOString() ?? null,
    operation: tenant.operation?.name ?? null,
    createdAt: tenant.createdAt.toISOString(),
    updatedAt: tenant.updatedAt.toISOString(),
  }));
}

/** A tenant as it travels. */
export function tenantView(system: SystemDatabase, tenant: Tenant): TenantView {
  return tenantViews(system, [tenant])[0] as TenantView;
}
