import type { OperationContext } from "@alkdev/operations";
import type { Tenant } from "@alkdev/storage/sqlite";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { auditTenant, type TenantDeed } from "./audit-tenant.ts";
import { atomicMutation, mutation } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import { closed, given, Name } from "./schemas.ts";
import { TenantSchema, type TenantView, tenantView } from "./tenant-schemas.ts";

const ById = closed({ orgId: Name });
const CHANGE = {
  input: ById,
  output: TenantSchema,
  scope: "tenants:write",
  errors: ["NOT_FOUND", "TENANT_STATE", "TENANT_ELSEWHERE", "INVALID_ARGUMENT"],
} as const;
const MOVE = { ...CHANGE, errors: [...CHANGE.errors, "TENANT_BUSY", "TENANT_FILE"] } as const;

/** What becomes of tenants. */
export function tenantStateOperations({
  system,
  tenants,
}: OperationsHost): readonly HubOperation[] {
  const done = (
    context: OperationContext,
    action: TenantDeed["action"],
    tenant: Tenant,
  ): TenantView => {
    auditTenant(system, context, { action, orgId: tenant.orgId });
    return tenantView(system, tenant);
  };
  return [
    atomicMutation(
      {
        id: "tenants.suspend",
        description:
          "Refuses a tenant to everybody until it is resumed; calls that run may end, connections are closed.",
        ...CHANGE,
      },
      ({ orgId }, context) => done(context, "tenant.suspended", tenants.suspend(orgId)),
    ),
    atomicMutation(
      { id: "tenants.resume", description: "Lets a suspended tenant be used again.", ...CHANGE },
      ({ orgId }, context) => done(context, "tenant.resumed", tenants.resume(orgId)),
    ),
    mutation(
      {
        id: "tenants.archive",
        description:
          "Puts the file of a tenant away, in one piece, once nobody has it open; waits `waitMs` for that, by default 5,000. Nobody can use it until it is unarchived.",
        ...MOVE,
        input: closed({
          orgId: Name,
          waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 25_000 })),
        }),
      },
      async ({ orgId, waitMs }, context) => {
        const options = { signal: context.signal, ...given({ waitMs }) };
        return done(context, "tenant.archived", await tenants.archive(orgId, options));
      },
    ),
    mutation(
      {
        id: "tenants.unarchive",
        description: "Brings an archived tenant back, in the state in which it was.",
        ...MOVE,
      },
      ({ orgId }, context) => done(context, "tenant.unarchived", tenants.unarchive(orgId)),
    ),
    atomicMutation(
      {
        id: "tenants.delete",
        description:
          "Refuses a tenant to everybody and marks it to be removed when its time of grace is over (`purgeAfter`); until then it can be undeleted. `confirm` must be the slug of the organisation.",
        ...CHANGE,
        input: closed({ orgId: Name, confirm: Name }),
      },
      ({ orgId, confirm }, context) =>
        done(context, "tenant.deleted", tenants.delete(orgId, { confirm })),
    ),
    atomicMutation(
      {
        id: "tenants.undelete",
        description: "Brings a deleted tenant back whose time of grace is not over.",
        ...CHANGE,
      },
      ({ orgId }, context) => done(context, "tenant.undeleted", tenants.undelete(orgId)),
    ),
  ];
}
