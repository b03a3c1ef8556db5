import { randomUUID } from "node:crypto";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase, TenantDatabase } from "../client.ts";
import { requireWhole } from "../graph-store/reachable.ts";
import type { TenantManager } from "../tenants/tenant-manager.ts";
import { FileWorkers } from "./file-workers.ts";
import {
  type QueueHandlerOptions,
  queueHandlers,
  requireOtherQueues,
  workedQueues,
} from "./queue-handlers.ts";
import { TenantFleet } from "./tenant-fleet.ts";
import { seedSchedules, TENANT_SCHEDULES, type TenantSchedule } from "./tenant-schedules.ts";

/** Options of {@link startTenantWorkers} for one file as for many. */
export interface TenantWorkersOptions extends QueueHandlerOptions {
  /** Schedules that each file is given once, default {@link TENANT_SCHEDULES}. */
  readonly schedules?: readonly TenantSchedule[];
  /** Handlers that run at a time per queue of a file, default 1. */
  readonly concurrency?: number;
  /** Milliseconds that `stop()` waits for running handlers before it aborts them, default 30,000. */
  readonly stopTimeoutMs?: number;
  /** What fails besides jobs. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** Options for one file, which stays open. */
export interface FileWorkersInput extends TenantWorkersOptions {
  readonly tenant: TenantDatabase;
}

/** Options for all tenants of a manager. */
export interface FleetWorkersInput extends TenantWorkersOptions {
  readonly tenants: TenantManager;
  /** The manager's system database, which tells of new and suspended tenants. */
  readonly system: SystemDatabase;
  /** Tenants that are worked on at a time, default 8. Keep it below the manager's `maxOpen`. */
  readonly maxActive?: number;
  /**
   * Seconds after which each tenant is looked at though nothing told of work, default 300. Where the
   * file system sends no change events, this is how long a job may wait.
   */
  readonly sweepSeconds?: number;
  /** Milliseconds a tenant with much work keeps its place while others wait, default 5,000. */
  readonly turnMs?: number;
}

/** Running workers. */
export interface TenantWorkers extends AsyncDisposable {
  /** Tenants that are worked on now, and those that wait to be looked at. */
  readonly load: { readonly active: number; readonly waiting: number };
  /** Gives back what was not started, waits for handlers, and resolves, always. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Works on the queues of one tenant's file, or of all tenants: `acl-evaluation`, `secret-rotation`,
 * `graph-maintenance` and `schema-migration`. Gives each file its schedules, and fires them. Any number of
 * processes may do this for the same files.
 *
 * @throws StorageError `INVALID_ARGUMENT`, `CLOSED`
 * @example
 * ```ts
 * const workers = startTenantWorkers({ tenants, system, keyRing });
 * await workers.stop();
 * ```
 */
export function startTenantWorkers(input: FileWorkersInput | FleetWorkersInput): TenantWorkers {
  const { concurrency = 1, stopTimeoutMs = 30_000 } = input;
  requireWhole("concurrency", concurrency, [1, 10_000]);
  requireWhole("stopTimeoutMs", stopTimeoutMs, [0, 2_147_483_647]);
  requireOtherQueues(input);
  if ("tenant" in input && input.tenant !== undefined) return startFile(input);
  if ("tenants" in input && input.tenants !== undefined) return startFleet(input);
  throw new StorageError("INVALID_ARGUMENT", "startTenantWorkers needs a tenant or tenants", {
    hint: "Pass { tenant } for one file, or { tenants, system } for all of a manager",
  });
}

function startFile(input: FileWorkersInput): TenantWorkers {
  const { tenant, schedules = TENANT_SCHEDULES, concurrency = 1, stopTimeoutMs = 30_000 } = input;
  const { onError = warn } = input;
  const client = tenant.$client;
  seedSchedules(client, schedules);
  const workers = new FileWorkers(tenant, queueHandlers(tenant, null, input), {
    concurrency,
    stopTimeoutMs,
  });
  const stop = new AbortController();
  const led = client
    .scheduler()
    .run(`tenant-workers:${randomUUID()}`, stop.signal)
    .catch((error: unknown) => onError(error, "the scheduler of a tenant's file ended"));
  return stoppable(
    () => ({ active: workers.running > 0 ? 1 : 0, waiting: 0 }),
    async () => {
      stop.abort();
      await Promise.all([workers.stop(), led]);
    },
  );
}

function startFleet(input: FleetWorkersInput): TenantWorkers {
  const { tenants, system, schedules = TENANT_SCHEDULES, onError = warn } = input;
  const { concurrency = 1, stopTimeoutMs = 30_000 } = input;
  const { maxActive = 8, sweepSeconds = 300, turnMs = 5_000 } = input;
  if (system === undefined) {
    throw new StorageError("INVALID_ARGUMENT", "workers of all tenants need the system database");
  }
  requireWhole("maxActive", maxActive, [1, 10_000]);
  requireWhole("sweepSeconds", sweepSeconds, [1, 86_400]);
  requireWhole("turnMs", turnMs, [0, 2_147_483_647]);
  const fleet = new TenantFleet({
    tenants,
    system,
    schedules,
    concurrency,
    stopTimeoutMs,
    maxActive,
    sweepSeconds,
    turnMs,
    onError,
    queues: workedQueues(input),
    handlersOf: ({ db, orgId }) => queueHandlers(db, orgId, input),
  });
  return stoppable(
    () => ({ active: fleet.active, waiting: fleet.waiting }),
    () => fleet.stop(),
  );
}

function stoppable(load: () => TenantWorkers["load"], end: () => Promise<void>): TenantWorkers {
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= end();
    return stopped;
  };
  return {
    get load() {
      return load();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
