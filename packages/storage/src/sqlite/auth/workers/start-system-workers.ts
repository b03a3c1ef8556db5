import type { Worker } from "@alkdev/honker";
import { openCatalogQueue, systemCatalog } from "../../../catalog/index.ts";
import { StorageError } from "../../../errors.ts";
import type { SystemDatabase } from "../../client.ts";
import type { TenantManager } from "../../tenants/tenant-manager.ts";
import type { EventRetention } from "../../workers/prune-file.ts";
import { createAccountMaintenanceHandler } from "./account-maintenance.ts";
import { createKeyManagementHandler, type DeliverKey } from "./key-management.ts";
import { createSystemMaintenanceHandler } from "./system-maintenance.ts";

/** Options of {@link startSystemWorkers}. */
export interface SystemWorkersOptions extends EventRetention {
  readonly system: SystemDatabase;
  /** Suspends the tenants of what a deactivated account owns. Left out, they go on. */
  readonly tenants?: TenantManager;
  /** Hands rotated keys over. Left out, jobs that rotate are dead letters. */
  readonly deliverKey?: DeliverKey;
  /** Seconds after which keys that ended are removed, default 90 days. */
  readonly keepEndedKeysSeconds?: number;
  /** Whether this process fires schedules of the file too. Default `"run"`; `"leave"` to others. */
  readonly schedules?: "run" | "leave";
}

/** Workers that run. */
export interface SystemWorkers extends AsyncDisposable {
  /** Claims no more and waits for what runs, at most half a minute. Always resolves; idempotent. */
  stop(): Promise<void>;
}

const KEEP_ENDED_KEYS_SECONDS = 90 * 86_400;
/** Name of the schedule that removes keys that ended. */
const RETENTION = "remove-expired-keys";
/** Half past three at night, UTC. */
const RETENTION_AT = "30 3 * * *";
/** Old events go at 3:15 UTC, as those of tenants. */
const PRUNING = "event-pruning";
const PRUNING_AT = "15 3 * * *";

/**
 * Works off the queues of `system.db` and makes its schedules: keys that ended and events that are too old
 * are removed every night. Any number of processes may do it; each job is done once, each schedule fires
 * once.
 *
 * @throws StorageError `INVALID_ARGUMENT`; HonkerError `CLOSED`
 * @example
 * ```ts
 * await using workers = startSystemWorkers({ system, tenants, deliverKey: putIntoVault });
 * ```
 */
export function startSystemWorkers(options: SystemWorkersOptions): SystemWorkers {
  const { system, tenants, deliverKey, schedules = "run" } = options;
  const { $client: db } = system;
  const { keepEndedKeysSeconds: expiredForSeconds = KEEP_ENDED_KEYS_SECONDS } = options;
  requireSeconds(expiredForSeconds);
  const source = { db, entries: systemCatalog.queues };
  const scheduler = db.scheduler();
  scheduler.add(RETENTION, RETENTION_AT, {
    queue: "key-management",
    payload: { task: "remove-expired-keys", expiredForSeconds },
    missed: "once",
  });
  scheduler.add(PRUNING, PRUNING_AT, {
    queue: "system-maintenance",
    payload: { task: "prune-events" },
    missed: "once",
  });
  if (schedules === "run") scheduler.start();
  const workers: Worker[] = [
    openCatalogQueue(source, "key-management").work(createKeyManagementHandler(system, deliverKey)),
    openCatalogQueue(source, "account-maintenance").work(
      createAccountMaintenanceHandler(system, tenants),
    ),
    openCatalogQueue(source, "system-maintenance").work(
      createSystemMaintenanceHandler(system, options),
    ),
  ];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= Promise.all([
      ...workers.map((worker) => worker.stop()),
      ...(schedules === "run" ? [scheduler.stop()] : []),
    ]).then(() => undefined);
    return stopping;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

function requireSeconds(keepEndedKeysSeconds: number): void {
  if (Number.isSafeInteger(keepEndedKeysSeconds) && keepEndedKeysSeconds >= 0) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `keepEndedKeysSeconds is ${keepEndedKeysSeconds}, not a whole number from 0`,
  );
}
