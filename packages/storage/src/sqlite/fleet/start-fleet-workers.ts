import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HonkerError, type Job, type JobContext, type Worker } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { requireWhole } from "../tenants/checks.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { isSameVersion } from "../tenants/tenant-version.ts";
import type { FleetRun } from "./fleet-run.ts";
import { type FleetJob, FleetTable } from "./fleet-table.ts";

/** Options of {@link startFleetWorkers}. */
export interface FleetWorkersOptions {
  readonly tenants: TenantManager;
  /** The manager's system database. */
  readonly system: SystemDatabase;
  /**
   * Tenants at a time in this process, default 2: while one is copied another is migrated. What SQLite does
   * uses one core per process, so start more processes rather than raise it.
   */
  readonly concurrency?: number;
  /** Seconds after which another worker takes the tenant of one that was killed, default 60. */
  readonly claimSeconds?: number;
  /** What fails besides tenants. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** Workers that run. */
export interface FleetWorkers extends AsyncDisposable {
  /** Takes no more tenants and waits for those that are being migrated. Always resolves; idempotent. */
  stop(): Promise<void>;
}

/** Codes of what another attempt may change. */
const TRANSIENT: readonly string[] = ["TENANT_BUSY", "BUSY", "CLOSED"];
/** Codes of tenants that cannot be migrated now; a later run finds those that are back. */
const UNAVAILABLE: readonly string[] = ["TENANT_STATE", "NOT_FOUND", "TENANT_ELSEWHERE"];

/**
 * Migrates the tenants of runs that `runFleetMigration` begins, in this process; any number of processes
 * may do it. Killed at any moment, the tenant is done again by another one after `claimSeconds`.
 *
 * A worker of another version than the run's stops, and says so.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`; `HonkerError` `CLOSED`
 * @example
 * ```ts
 * await using workers = startFleetWorkers({ tenants, system });
 * ```
 */
export function startFleetWorkers(options: FleetWorkersOptions): FleetWorkers {
  const { tenants, system, concurrency = 2, claimSeconds = 60, onError = warn } = options;
  requireWhole(concurrency, "concurrency", 1);
  requireWhole(claimSeconds, "claimSeconds", 1);
  const table = new FleetTable(system.$client);
  let worker: Worker | undefined;
  const handle = async (job: Job<FleetJob>, context: JobContext): Promise<void> => {
    const { runId, orgId } = job.payload;
    const run = table.run(runId);
    if (run === null || run.endedAt !== null) {
      context.complete();
    } else if (isSameVersion(run.target, tenants.newestVersion)) {
      await migrateOne({ tenants, table, run, onError }, orgId, context);
    } else {
      const error = otherVersion(run, tenants);
      onError(error, "working on the migration of all tenants");
      void worker?.stop();
      throw error;
    }
  };
  // none is claimed ahead: a killed worker would keep it from the others
  worker = table.queue(claimSeconds).work(handle, { concurrency, prefetch: 0 });
  const stop = (): Promise<void> => (worker as Worker).stop();
  return { stop, [Symbol.asyncDispose]: stop };
}

/** The program's own version is not the one that the run leads to. */
export function otherVersion(run: FleetRun, tenants: TenantManager): StorageError {
  const [target, own] = [run.target, tenants.newestVersion].map((version) =>
    tenants.nameOfVersion(version),
  );
  return new StorageError(
    "MIGRATION_STATE",
    `the migration of all tenants that is ${run.state} leads to version ${target}, this program's newest is ${own}`,
    {
      hint: "Finish it with the program that began it, or end it with abortFleetMigration()",
      details: { runId: run.id, target: run.target, own: tenants.newestVersion },
    },
  );
}

interface FleetWork {
  readonly tenants: TenantManager;
  readonly table: FleetTable;
  readonly run: FleetRun;
  readonly onError: (error: unknown, context: string) => void;
}

async function migrateOne(work: FleetWork, orgId: string, context: JobContext): Promise<void> {
  const { tenants, table, run } = work;
  const started = performance.now();
  const path = backupPath(run, orgId);
  try {
    const { signal } = context;
    await tenants.migrate(orgId, path === null ? { signal } : { signal, backup: path });
    // also where a worker was killed after it had copied and migrated the tenant
    const backup = existing(path);
    const durationMs = performance.now() - started;
    context.complete(() => table.endTenant(run, orgId, { status: "done", backup, durationMs }));
    dropBackup(work, orgId);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (context.signal.aborted || TRANSIENT.includes(String(code))) throw error;
    // the job is no longer this worker's: the run was ended, or somebody else does it
    if (error instanceof HonkerError && error.code === "LEASE_LOST") throw error;
    const status = UNAVAILABLE.includes(String(code)) ? "skipped" : "failed";
    const reason = error instanceof Error ? error.message : String(error);
    const durationMs = performance.now() - started;
    context.complete(() =>
      table.endTenant(run, orgId, { status, backup: existing(path), error: reason, durationMs }),
    );
  }
}

/** Where a tenant is copied to before; the folder is made. */
function backupPath({ id, options }: FleetRun, orgId: string): string | null {
  if (options.backup === null) return null;
  mkdirSync(options.backup.folder, { recursive: true });
  return join(options.backup.folder, `${orgId}.${id}.db`);
}

function existing(path: string | null): string | null {
  return path !== null && existsSync(path) ? path : null;
}

/** Removes the copy of a tenant that was migrated. Copies of canaries are kept until all are checked. */
function dropBackup({ table, run, onError }: FleetWork, orgId: string): void {
  const tenant = table.tenant(run.id, orgId);
  if (run.options.backup?.keep !== "failed" || tenant === null || tenant.canary) return;
  try {
    removeBackup(table, run, orgId);
  } catch (error) {
    onError(error, `removing the copy of tenant "${orgId}"`);
  }
}

/** Removes a tenant's copy, and notes that. */
export function removeBackup(table: FleetTable, run: FleetRun, orgId: string): void {
  const backup = table.tenant(run.id, orgId)?.backup ?? null;
  if (backup === null) return;
  rmSync(backup, { force: true });
  table.forgetBackup(run.id, orgId);
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
