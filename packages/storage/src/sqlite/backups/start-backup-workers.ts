import type { Job, JobContext } from "@alkdev/honker";
import { openCatalogQueue, type PayloadOf, systemCatalog } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { requireWhole } from "../tenants/checks.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { TENANT_ACCESS, type TenantState } from "../tenants/tenant-states.ts";
import { seedSchedules } from "../workers/tenant-schedules.ts";
import type { TenantBackups } from "./tenant-backups.ts";

/** Options of {@link startBackupWorkers}. */
export interface BackupWorkersOptions {
  readonly tenants: TenantManager;
  /** The manager's system database, which has the queue and the schedule. */
  readonly system: SystemDatabase;
  readonly backups: TenantBackups;
  /** Cron expression in UTC, default `"0 2 * * *"`; what is changed with `db.scheduler()` stays so. */
  readonly schedule?: string;
  /** Tenants at a time in this process, default 1. */
  readonly concurrency?: number;
  /** Whether this process fires schedules of the file too. Default `"run"`; `"leave"` to others. */
  readonly schedules?: "run" | "leave";
}

/** Workers that run. */
export interface BackupWorkers extends AsyncDisposable {
  /** Claims no more and waits for copies that are made, at most half a minute. Always resolves; idempotent. */
  stop(): Promise<void>;
}

type BackupJob = PayloadOf<typeof systemCatalog.queues, "tenant-backup">;

/** Name of the schedule in `system.db`. */
const SCHEDULE = "tenant-backups";
/** Codes of tenants that there is no backup of now. */
const UNAVAILABLE: readonly string[] = ["TENANT_STATE", "NOT_FOUND", "TENANT_ELSEWHERE"];

/**
 * Backs every tenant up by a schedule, verifies each copy by restoring it, and removes old ones. Any number
 * of processes may do it; each tenant is backed up by one. What fails three times is a dead letter of
 * the queue `tenant-backup`.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`; `HonkerError` `CLOSED`
 * @example
 * ```ts
 * const backups = createTenantBackups({ tenants, folder: "./backups" });
 * await using workers = startBackupWorkers({ tenants, system, backups });
 * ```
 */
export function startBackupWorkers(options: BackupWorkersOptions): BackupWorkers {
  const { tenants, system, backups, schedule = "0 2 * * *", schedules = "run" } = options;
  const { concurrency = 1 } = options;
  requireWhole(concurrency, "concurrency", 1);
  const { $client: db } = system;
  const payload: BackupJob = { task: "back-up-all" };
  seedSchedules(db, [{ name: SCHEDULE, expression: schedule, queue: "tenant-backup", payload }]);
  const queue = openCatalogQueue({ db, entries: systemCatalog.queues }, "tenant-backup");
  const enqueueAll = (): number => {
    const states: readonly TenantState[] = TENANT_ACCESS.copy;
    const all = tenants.list().filter(({ state }) => states.includes(state));
    for (const { orgId } of all) {
      queue.enqueue({ task: "back-up", orgId }, { unique: { key: orgId } });
    }
    return all.length;
  };
  const handle = async (job: Job<BackupJob>, { signal, complete }: JobContext): Promise<void> => {
    if (job.payload.task === "back-up-all") {
      complete(() => ({ tenants: enqueueAll() }));
      return;
    }
    const { orgId } = job.payload;
    try {
      const { id, bytes } = await backups.backUp(orgId, { signal });
      const removed = backups.prune(orgId);
      complete(() => ({ id, bytes, removed }));
    } catch (error) {
      if (!(error instanceof StorageError && UNAVAILABLE.includes(error.code))) throw error;
      complete(() => ({ skipped: error.code }));
    }
  };
  const worker = queue.work(handle, { concurrency, prefetch: 0 });
  const scheduler = db.scheduler();
  if (schedules === "run") scheduler.start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= Promise.all([
      worker.stop(),
      ...(schedules === "run" ? [scheduler.stop()] : []),
    ]).then(() => undefined);
    return stopping;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}
