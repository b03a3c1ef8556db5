import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { auditTenant } from "./audit-tenant.ts";
import { mutation } from "./define-operation.ts";
import type { OperationsHost } from "./operations-host.ts";
import { Count, closed, given, Name, oneOf } from "./schemas.ts";
import { TenantSchema, tenantView } from "./tenant-schemas.ts";

/** A name, never a path: it stays in its folder. */
const FileName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$" });
const Work = Type.Optional(oneOf(["keep", "drop"]));
const ERRORS = [
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "TENANT_STATE",
  "TENANT_BUSY",
  "TENANT_FILE",
  "TENANT_ELSEWHERE",
  "UNKNOWN_SCHEMA",
  "MIGRATION_FAILED",
  "INVALID_ARGUMENT",
] as const;
/** Ten minutes: files can be large. Larger ones still are for `alkdev tenant`. */
const COPY = { scope: "tenants:write", errors: ERRORS, timeoutMs: 600_000 } as const;

/** Copies of tenants. Exported files are in the folder `exports` of the hub's data folder. */
export function tenantCopyOperations(core: OperationsHost): readonly HubOperation[] {
  const { system, tenants, settings } = core;
  const folder = join(settings.dataFolder, "exports");
  const pathOf = (file: string): string => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return join(folder, file);
  };
  return [
    mutation(
      {
        id: "tenants.clone",
        description:
          "Makes the tenant of the organisation `to` from what the tenant of `from` holds at this moment. Jobs, schedules and locks are left to the original unless `work` is `keep`.",
        input: closed({ from: Name, to: Name, work: Work }),
        output: TenantSchema,
        ...COPY,
      },
      async ({ from, to, work }, context) => {
        const options = { signal: context.signal, ...given({ work }) };
        const tenant = await tenants.clone(from, to, options);
        auditTenant(system, context, { action: "tenant.cloned", orgId: to, details: { from } });
        return tenantView(system, tenant);
      },
    ),
    mutation(
      {
        id: "tenants.export",
        description:
          "Writes a whole tenant, as it is at one moment, into one verified file in the folder `exports` beside the hub's files, while the tenant is in use.",
        input: closed({ orgId: Name, file: FileName }),
        output: closed({
          orgId: Type.String(),
          file: Type.String(),
          bytes: Count,
          sha256: Type.String(),
        }),
        ...COPY,
      },
      async ({ orgId, file }, context) => {
        const { signal } = context;
        const { bytes, sha256 } = await tenants.exportTo(orgId, pathOf(file), { signal });
        const details = { file, sha256 };
        auditTenant(system, context, { action: "tenant.exported", orgId, details });
        return { orgId, file, bytes, sha256 };
      },
    ),
    mutation(
      {
        id: "tenants.import",
        description:
          "Makes the tenant of an organisation that has none from a file in the folder `exports`, which stays as it is. Import only files you trust. Jobs, schedules and locks come along unless `work` is `drop`.",
        input: closed({ orgId: Name, file: FileName, work: Work }),
        output: TenantSchema,
        ...COPY,
      },
      async ({ orgId, file, work }, context) => {
        const options = { signal: context.signal, ...given({ work }) };
        const tenant = await tenants.importFrom(pathOf(file), orgId, options);
        auditTenant(system, context, { action: "tenant.imported", orgId, details: { file } });
        return tenantView(system, tenant);
      },
    ),
  ];
}
