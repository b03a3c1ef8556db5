import {
  type BackupWorkers,
  type BackupWorkersOptions,
  createCrossTenantDelegations,
  createTenantBackups,
  type FleetWorkersOptions,
  type SystemWorkersOptions,
  startBackupWorkers,
  startFleetWorkers,
  startSystemWorkers,
  startTenantWorkers,
  TENANT_SCHEDULES,
  type TenantBackupsOptions,
  type TenantWorkersOptions,
} from "@alkdev/storage/sqlite";
import type { HubCore } from "../core/hub-core.ts";

/** Options of {@link startHubWorkers}. */
export interface HubWorkersOptions {
  /** Of the queues of `system.db`. */
  readonly system?: Pick<SystemWorkersOptions, "deliverKey" | "keepEndedKeysSeconds">;
  /** Of the queues of all tenants. */
  readonly tenants?: Omit<TenantWorkersOptions, "onError"> & {
    readonly maxActive?: number;
    readonly sweepSeconds?: number;
  };
  /** Of fleet migrations that `alkdev tenants migrate` begins. False: other processes work on them. */
  readonly fleet?: Pick<FleetWorkersOptions, "concurrency" | "claimSeconds"> | false;
  /** Backups of all tenants by a schedule, each verified. Default: none. */
  readonly backups?: Pick<TenantBackupsOptions, "folder" | "retention"> &
    Pick<BackupWorkersOptions, "schedule" | "concurrency">;
}

/** Workers that run. */
export interface HubWorkers {
  /** Tenants that are worked on now, and those that wait. */
  readonly load: { readonly active: number; readonly waiting: number };
  /** Waits for what runs, at most half a minute. Always resolves; idempotent. */
  stop(): Promise<void>;
}

/**
 * Works on every queue of `system.db` and of the tenants, carries delegations between organisations, migrates
 * and backs up tenants, and fires schedules. Any number of processes may do it for the same folder.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function startHubWorkers(
  core: Pick<HubCore, "system" | "tenants" | "settings">,
  options: HubWorkersOptions = {},
): HubWorkers {
  const { system, tenants, settings } = core;
  const delegations = createCrossTenantDelegations({ tenants });
  const { otherQueues = {}, schedules = TENANT_SCHEDULES } = options.tenants ?? {};
  const ofSystem = startSystemWorkers({ ...options.system, system, tenants });
  const ofTenants = startTenantWorkers({
    ...options.tenants,
    otherQueues: { ...delegations.queues, ...otherQueues },
    schedules: [...schedules, delegations.schedule],
    tenants,
    system,
    onError: settings.onError,
  });
  const { fleet, backups } = options;
  const all = [
    ofSystem,
    ofTenants,
    ...(fleet === false
      ? []
      : [startFleetWorkers({ ...fleet, tenants, system, onError: settings.onError })]),
    ...(backups === undefined ? [] : [startBackups({ ...backups, tenants, system })]),
  ];
  return {
    get load() {
      return ofTenants.load;
    },
    stop: async () => {
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

function startBackups({
  folder,
  retention,
  tenants,
  ...workers
}: NonNullable<HubWorkersOptions["backups"]> & Pick<HubCore, "tenants" | "system">): BackupWorkers {
  const backups = createTenantBackups({
    tenants,
    folder,
    ...(retention === undefined ? {} : { retention }),
  });
  // the schedules of system.db are run by its own workers
  return startBackupWorkers({ ...workers, tenants, backups, schedules: "leave" });
}
