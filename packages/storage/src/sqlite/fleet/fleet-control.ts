import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import type { FleetCounts, FleetRun, FleetTenant } from "./fleet-run.ts";
import { FleetTable, type ListFleetTenantsOptions } from "./fleet-table.ts";

/** The run that is open, or the one before. */
export interface FleetStatus {
  readonly run: FleetRun;
  readonly counts: FleetCounts;
}

/** How far the latest migration of all tenants is; `null` when there never was one. */
export function fleetStatus({ $client }: SystemDatabase): FleetStatus | null {
  const table = new FleetTable($client);
  const run = table.openRun() ?? table.latestRun();
  return run === null ? null : { run, counts: table.counts(run.id) };
}

/** The tenants of the latest run, by id: what became of each. Empty when there never was one. */
export function listFleetTenants(
  { $client }: SystemDatabase,
  options: ListFleetTenantsOptions = {},
): FleetTenant[] {
  const table = new FleetTable($client);
  const run = table.openRun() ?? table.latestRun();
  return run === null ? [] : table.tenants(run.id, options);
}

/**
 * Lets no worker of any process begin with another tenant until `resumeFleetMigration`; those that are being
 * migrated are finished.
 *
 * @throws {@link StorageError} `MIGRATION_STATE` when no run is open
 */
export function pauseFleetMigration(system: SystemDatabase): FleetRun {
  return change(system, "pause", (table, { id }) => table.setState(id, "paused"));
}

/** Ends `pauseFleetMigration()`. @throws as that */
export function resumeFleetMigration(system: SystemDatabase): FleetRun {
  return change(system, "resume", (table, { id }) => table.setState(id, "running"));
}

/**
 * Ends the run. Tenants that are migrated stay so, the others are not touched any more.
 *
 * @throws as `pauseFleetMigration`
 */
export function abortFleetMigration(system: SystemDatabase): FleetRun {
  return change(system, "abort", (table, { id }) => table.end(id, "aborted"));
}

function change(
  { $client }: SystemDatabase,
  name: string,
  work: (table: FleetTable, run: FleetRun) => void,
): FleetRun {
  const table = new FleetTable($client);
  return $client.transaction(() => {
    const run = table.openRun();
    if (run === null) {
      throw new StorageError("MIGRATION_STATE", `no migration of all tenants is open to ${name}`, {
        hint: "Begin one with runFleetMigration()",
      });
    }
    work(table, run);
    return table.run(run.id) as FleetRun;
  });
}
