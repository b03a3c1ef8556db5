import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Database, type DoctorReport, type Finding, open } from "@alkdev/honker";
import type { Tenant, TenantManager } from "@alkdev/storage/sqlite";
import { HubError } from "../../errors.ts";
import type { DataFolder } from "../data-folder.ts";
import { describeError } from "../describe-error.ts";
import type { DataRun } from "../shell.ts";

/** How closely files are looked at. */
export interface ExamineOptions {
  /** Also every page and index: reads the whole file. */
  readonly integrity: boolean;
  /** Repairs what can be repaired without a decision or a loss. */
  readonly fix: boolean;
}

/** What was found in one file. */
export interface FileReport {
  /** `system.db`, or the name of a tenant's file. */
  readonly file: string;
  readonly orgId: string | null;
  readonly healthy: boolean;
  readonly findings: readonly FoundInFile[];
  /** Why it was not looked at; null if it was. */
  readonly skipped: string | null;
}

/** A finding of the engine, or one of the tenant manager. */
export type FoundInFile = Pick<Finding, "severity" | "message" | "advice" | "fixed"> & {
  readonly code: string;
};

/** Looks at `system.db` and, one after the other, at every tenant's file. */
export async function* examineAll(
  run: DataRun,
  options: ExamineOptions,
): AsyncGenerator<FileReport> {
  const { data, progress, signal } = run;
  const { system, tenants } = data;
  const report = await examine(system.$client, options, signal);
  yield { file: "system.db", orgId: null, ...report, skipped: null };
  const all = tenants.list();
  for (const [at, tenant] of all.entries()) {
    progress.update({ label: tenant.file, done: at, total: all.length });
    yield await examineTenant(run, tenant, options);
    signal.throwIfAborted();
  }
  progress.clear();
}

/** Looks at the file of one tenant. */
export async function examineTenant(
  { data, signal }: DataRun,
  tenant: Tenant,
  options: ExamineOptions,
): Promise<FileReport> {
  const { orgId, file, state } = tenant;
  if (state !== "active" && state !== "suspended") {
    return { file, orgId, healthy: true, findings: [], skipped: `it is ${state}` };
  }
  try {
    using opened = openTenant(data, tenant);
    const { healthy, findings } = await examine(opened.client, options, signal);
    const drift = driftOf(data.tenants, orgId);
    return {
      file,
      orgId,
      healthy: healthy && drift.length === 0,
      findings: [...findings, ...drift],
      skipped: null,
    };
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = describeError(error);
    const advice = "Look at the file, or restore the tenant from a backup";
    const finding = { code, severity: "error", message, advice, fixed: false } as const;
    return { file, orgId, healthy: false, findings: [finding], skipped: null };
  }
}

async function examine(
  client: Database,
  options: ExamineOptions,
  signal: AbortSignal,
): Promise<Pick<DoctorReport, "healthy"> & { readonly findings: readonly FoundInFile[] }> {
  const { healthy, findings } = await client.doctor({ ...options, signal });
  return { healthy, findings };
}

/** An open file of a tenant. */
interface OpenedTenant extends Disposable {
  readonly client: Database;
}

function openTenant({ system, tenants, tenantsFolder }: DataFolder, tenant: Tenant): OpenedTenant {
  const { orgId, state, file } = tenant;
  if (state === "active") {
    const handle = tenants.open(orgId);
    return { client: handle.db.$client, [Symbol.dispose]: () => handle.close() };
  }
  // a suspended one is open to nobody else; in a transaction nobody can put its file away meanwhile
  const client = system.transaction(() => {
    const path = join(tenantsFolder, file);
    if (tenants.get(orgId)?.state === "suspended" && existsSync(path)) return open(path);
    throw new HubError("NOT_FOUND", `the file "${path}" is not there`, {
      hint: "If the tenant was not archived just now, restore it from a backup",
      details: { orgId, path },
    });
  });
  return { client, [Symbol.dispose]: () => client.close() };
}

/** Changes of the schema that no migration made. */
function driftOf(tenants: TenantManager, orgId: string): FoundInFile[] {
  const drift = tenants.driftOf(orgId);
  if (drift === null) return [];
  const { missing, added, changed } = drift;
  const parts = [
    ...missing.map((name) => `${name} is missing`),
    ...added.map((name) => `${name} was added`),
    ...changed.map(({ name }) => `${name} was changed`),
  ];
  const message = `the schema is not the one of version ${tenants.nameOfVersion(drift.version)}: ${parts.join(", ")}`;
  const advice = "Undo what was done by hand, or restore the tenant from a backup";
  return [{ code: "STORAGE_SCHEMA_DRIFT", severity: "warning", message, advice, fixed: false }];
}
