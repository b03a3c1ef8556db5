import type { TenantVersion } from "../tenants/tenant-version.ts";

/** Where a run is: `running` and `paused` go on, the others are its end. */
export type FleetRunState = "running" | "paused" | "done" | "stopped" | "aborted";

/** What became of a tenant in a run; `skipped`: it could not be opened, or the run ended before. */
export type FleetTenantStatus = "pending" | "done" | "failed" | "skipped";

/** Copies that are made before tenants are migrated. */
export interface FleetBackups {
  /** Folder of the copies, made if it is not there; not the one of the tenants. */
  readonly folder: string;
  /**
   * Default `"failed"`: the copy of a tenant is removed when its migration has succeeded, that of a canary
   * when all canaries have. `"all"`: none is removed.
   */
  readonly keep?: "failed" | "all";
}

/** What a run was begun with; whoever goes on with it, in whatever process, does so by this. */
export interface FleetRunOptions {
  /** Failed tenants that stop the run; `null`: none do. */
  readonly maxFailures: number | null;
  readonly backup: Required<FleetBackups> | null;
}

/** A migration of all tenants, as `system.db` knows it. */
export interface FleetRun {
  readonly id: string;
  readonly state: FleetRunState;
  /** First the canaries alone, then the rest. */
  readonly phase: "canaries" | "rest";
  readonly target: TenantVersion;
  readonly options: FleetRunOptions;
  /** Why it ended, where somebody or something ended it. */
  readonly reason: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** A tenant in a run. */
export interface FleetTenant {
  readonly orgId: string;
  readonly canary: boolean;
  readonly status: FleetTenantStatus;
  /** Version when the run was begun. */
  readonly from: TenantVersion;
  /** Absolute path of the copy made before, while it is kept. */
  readonly backup: string | null;
  /** Why it failed or was skipped. */
  readonly error: string | null;
  readonly durationMs: number | null;
  readonly endedAt: Date | null;
}

/** Tenants of a run by what became of them. */
export interface FleetCounts extends Readonly<Record<FleetTenantStatus, number>> {
  readonly total: number;
}

/** How far a run is. */
export interface FleetProgress {
  readonly run: FleetRun;
  readonly counts: FleetCounts;
  /** Tenants that ended per second since this call began. */
  readonly perSecond: number;
  /** Seconds until the rest is done at that rate; `null` while it is not known, or paused. */
  readonly secondsLeft: number | null;
}

/** What a run came to. */
export interface FleetResult {
  readonly run: FleetRun;
  readonly counts: FleetCounts;
  readonly failed: readonly FleetTenant[];
}
