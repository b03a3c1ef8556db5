import {
  createCrossTenantDelegations,
  type SystemWorkersOptions,
  startSystemWorkers,
  startTenantWorkers,
  TENANT_SCHEDULES,
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
}

/** Workers that run. */
export interface HubWorkers {
  /** Tenants that are worked on now, and those that wait. */
  readonly load: { readonly active: number; readonly waiting: number };
  /** Waits for what runs, at most half a minute. Always resolves; idempotent. */
  stop(): Promise<void>;
}

/**
 * Works on every queue of `system.db` and of the tenants, carries delegations between organisations, and fires
 * schedules. Any number of processes
 * may do it for the same folder.
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
  return {
    get load() {
      return ofTenants.load;
    },
    stop: async () => {
      await Promise.all([ofSystem.stop(), ofTenants.stop()]);
    },
  };
}
