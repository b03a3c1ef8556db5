import { resolve } from "node:path";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { requirePath, requireWhole } from "../tenants/checks.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { isSameVersion } from "../tenants/tenant-version.ts";
import { coordinate } from "./coordinate.ts";
import type {
  FleetBackups,
  FleetProgress,
  FleetResult,
  FleetRun,
  FleetRunOptions,
} from "./fleet-run.ts";
import { FleetTable, type NewFleetTenant } from "./fleet-table.ts";
import { type PlannedTenant, planFleetMigration } from "./plan-fleet-migration.ts";
import { otherVersion, startFleetWorkers } from "./start-fleet-workers.ts";

/** Options of {@link runFleetMigration}. */
export interface FleetMigrationOptions {
  readonly tenants: TenantManager;
  /** The manager's system database. */
  readonly system: SystemDatabase;
  /**
   * Copies made before each tenant is migrated, to go back to with `tenants.restore()`; `false` where tenants
   * are backed up otherwise.
   */
  readonly backup: FleetBackups | false;
  /**
   * Tenants that are migrated first, alone: ids, or how many, default 1. Active ones only. The rest follows
   * when all of them have succeeded and passed `check`; else the run stops. 0: none.
   */
  readonly canaries?: number | readonly string[];
  /** Looks at a migrated canary, once or more; what it throws stops the run. Default: nothing is checked. */
  readonly check?: (tenant: TenantDatabase, orgId: string) => unknown;
  /** Failed tenants that stop the run, default 10; `Infinity`: it goes through all. */
  readonly maxFailures?: number;
  /** `"failed"`: only those that failed in the run before. Default all that are behind. */
  readonly only?: "all" | "failed";
  /** Tenants at a time in this process, default 2; 0 leaves the work to other processes. */
  readonly concurrency?: number;
  /** Seconds after which another worker takes the tenant of one that was killed, default 60. */
  readonly claimSeconds?: number;
  /** Called a few times a second, and at the end. What it throws ends the call. */
  readonly onProgress?: (progress: FleetProgress) => void;
  /** Ends the call with its reason. The run stays: workers go on, and the next call does. */
  readonly signal?: AbortSignal;
}

/**
 * Migrates all tenants that are behind to the newest version: plans, begins a run, works on it together with
 * the workers of other processes (`startFleetWorkers`), and resolves when it has ended. A run that is
 * open already is gone on with, by what it was begun with. Killed at any moment, call it again.
 *
 * Each tenant is served all the time, and is at the old version or at the new one. One that fails stays at
 * the old one, with its error and its copy in the result.
 *
 * @throws {@link StorageError} `MIGRATION_STATE` when a run to another version is open, `INVALID_ARGUMENT`,
 * `NOT_FOUND` for a canary without a tenant, `CLOSED`; the reason of `options.signal`
 * @example
 * ```ts
 * const { run, counts, failed } = await runFleetMigration({
 *   tenants,
 *   system,
 *   backup: { folder: "./data/before-migration" },
 *   canaries: ["our-own-org"],
 *   check: (db) => void db.select().from(graphs).limit(1).all(),
 *   onProgress: ({ counts }) => console.log(`${counts.done}/${counts.total}`),
 * });
 * ```
 */
export async function runFleetMigration(options: FleetMigrationOptions): Promise<FleetResult> {
  const { tenants, system, concurrency = 2, signal } = options;
  requireOptions(options);
  signal?.throwIfAborted();
  const table = new FleetTable(system.$client);
  const run = table.openRun() ?? (await begin(table, options));
  if (!isSameVersion(run.target, tenants.newestVersion)) throw otherVersion(run, tenants);
  const { claimSeconds = 60 } = options;
  const workers =
    concurrency === 0 ? null : startFleetWorkers({ tenants, system, concurrency, claimSeconds });
  try {
    return await coordinate(table, run.id, options);
  } finally {
    await workers?.stop();
  }
}

async function begin(table: FleetTable, options: FleetMigrationOptions): Promise<FleetRun> {
  const { tenants, signal, only = "all" } = options;
  const { behind } = await planFleetMigration(
    signal === undefined ? { tenants } : { tenants, signal },
  );
  const chosen = only === "failed" ? behind.filter(failedBefore(table)) : behind;
  const canaries = canariesOf(chosen, options);
  const list: NewFleetTenant[] = chosen.map(({ orgId, version }) => ({
    orgId,
    canary: canaries.has(orgId),
    from: version,
  }));
  return table.begin(tenants.newestVersion, runOptions(options), list);
}

function runOptions({ backup, maxFailures = 10 }: FleetMigrationOptions): FleetRunOptions {
  return {
    maxFailures: maxFailures === Number.POSITIVE_INFINITY ? null : maxFailures,
    backup:
      backup === false ? null : { folder: resolve(backup.folder), keep: backup.keep ?? "failed" },
  };
}

function failedBefore(table: FleetTable): (tenant: PlannedTenant) => boolean {
  const latest = table.latestRun();
  const failed = latest === null ? [] : table.tenants(latest.id, { status: "failed" });
  const ids = new Set(failed.map(({ orgId }) => orgId));
  return ({ orgId }) => ids.has(orgId);
}

function canariesOf(
  behind: readonly PlannedTenant[],
  { tenants, canaries = 1 }: FleetMigrationOptions,
): ReadonlySet<string> {
  const active = behind.filter(({ state }) => state === "active").map(({ orgId }) => orgId);
  if (typeof canaries === "number") return new Set(active.slice(0, canaries));
  for (const orgId of canaries) {
    if (tenants.get(orgId) !== null) continue;
    throw new StorageError("NOT_FOUND", `the canary "${orgId}" has no tenant`, {
      details: { orgId },
    });
  }
  return new Set(active.filter((orgId) => canaries.includes(orgId)));
}

function requireOptions(options: FleetMigrationOptions): void {
  const { backup, canaries = 1, maxFailures = 10, concurrency = 2 } = options;
  if (backup !== false) requirePath(backup?.folder, "the folder of backups before a migration");
  if (typeof canaries === "number") requireWhole(canaries, "canaries", 0);
  if (maxFailures !== Number.POSITIVE_INFINITY) requireWhole(maxFailures, "maxFailures", 1);
  requireWhole(concurrency, "concurrency", 0);
}
