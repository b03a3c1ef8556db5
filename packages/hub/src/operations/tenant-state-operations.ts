import { Type } from "@sinclair/typebox";
import type { HubCore } from "../core/hub-core.ts";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, mutation } from "./define-operation.ts";
import { closed, given, Name } from "./schemas.ts";
import { TenantSchema, tenantView } from "./tenant-schemas.ts";

const ById = closed({ orgId: Name });
const CHANGE = {
  input: ById,
  output: TenantSchema,
  scope: "tenants:write",
  errors: ["NOT_FOUND", "TENANT_STATE", "TENANT_ELSEWHERE", "INVALID_ARGUMENT"],
} as const;
const MOVE = { ...CHANGE, errors: [...CHANGE.errors, "TENANT_BUSY", "TENANT_FILE"] } as const;

/** What becomes of tenants. */
export function tenantStateOperations({ system, tenants }: HubCore): readonly HubOperation[] {
  return [
    atomicMutation(
      {
        id: "tenants.suspend",
        description:
          "Refuses a tenant to everybody until it is resumed; calls that run may end, connections are closed.",
        ...CHANGE,
      },
      ({ orgId }) => tenantView(system, tenants.suspend(orgId)),
    ),
    atomicMutation(
      { id: "tenants.resume", description: "Lets a suspended tenant be used again.", ...CHANGE },
      ({ orgId }) => tenantView(system, tenants.resume(orgId)),
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
      async ({ orgId, waitMs }, { signal }) =>
        tenantView(system, await tenants.archive(orgId, { signal, ...given({ waitMs }) })),
    ),
    mutation(
      {
        id: "tenants.unarchive",
        description: "Brings an archived tenant back, in the state in which it was.",
        ...MOVE,
      },
      ({ orgId }) => tenantView(system, tenants.unarchive(orgId)),
    ),
    atomicMutation(
      {
        id: "tenants.delete",
        description:
          "Refuses a tenant to everybody and marks it to be removed when its time of grace is over (`purgeAfter`); until then it can be undeleted. `confirm` must be the slug of the organisation.",
        ...CHANGE,
        input: closed({ orgId: Name, confirm: Name }),
      },
      ({ orgId, confirm }) => tenantView(system, tenants.delete(orgId, { confirm })),
    ),
    atomicMutation(
      {
        id: "tenants.undelete",
        description: "Brings a deleted tenant back whose time of grace is not over.",
        ...CHANGE,
      },
      ({ orgId }) => tenantView(system, tenants.undelete(orgId)),
    ),
  ];
}
