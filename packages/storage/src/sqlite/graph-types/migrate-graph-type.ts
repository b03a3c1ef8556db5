import { rowMigrator } from "../../graphs/index.ts";
import { checkRowsInTurns } from "./check-rows.ts";
import { checkStructure } from "./check-structure.ts";
import type { EvolutionRun } from "./evolution-run.ts";
import { createGuards } from "./migration-guard.ts";
import { migrationFailed, RowFailures } from "./row-failures.ts";
import { countRows, storedRowsInTurns } from "./stored-rows.ts";
import { writeEvolved, writeVersion } from "./write-evolved.ts";
import {
  type MigrationStep,
  migrateRows,
  migrateTheRest,
  writeMigrated,
} from "./write-migrated.ts";

/**
 * The version step: odd in one commit, rows and their stamps batch by batch, then the rest, the schemas
 * and the even version in one commit.
 *
 * @returns how many rows were migrated
 * @throws StorageError `MIGRATION_FAILED`
 */
export async function migrateGraphType(run: EvolutionRun): Promise<number> {
  const step = stepOf(run);
  if (run.settings.precheck) await checkRowsInTurns(run);
  start(run);
  const migrated = await migrateInBatches(run, step);
  return migrated + finish(run, step);
}

function stepOf({ plan, settings }: EvolutionRun): MigrationStep {
  const { version, target } = plan;
  const from = "from" in version ? version.from : version.version;
  return { from, to: target.graphType.version, migrate: rowMigrator(plan, settings.migrations) };
}

function start(run: EvolutionRun): void {
  const { client, lock, plan, stored } = run;
  const { version } = plan;
  client.transaction((tx) => {
    lock.assertHeld(tx);
    if (version.action === "start") {
      const graphType = { ...stored.graphType, version: version.running };
      writeVersion(run, tx, { ...stored, graphType });
    }
    createGuards(tx);
  });
}

async function migrateInBatches(run: EvolutionRun, step: MigrationStep): Promise<number> {
  const { client, lock, settings, stored, signal } = run;
  const { batchSize, onProgress } = settings;
  const failures = new RowFailures();
  const total = countRows(client, stored.id);
  let [migrated, seenSoFar] = [0, 0];
  const options = { graphTypeId: stored.id, batchSize, signal };
  for await (const { rows, seen } of storedRowsInTurns(client, options)) {
    const batch = migrateRows(rows, step, failures);
    if (batch.length > 0) {
      migrated += client.transaction((tx) => {
        lock.assertHeld(tx);
        return writeMigrated(client, batch, step.to);
      });
    }
    if (seen === 0) continue;
    seenSoFar += seen;
    const { count: failed } = failures;
    onProgress({ phase: "migrating", done: seenSoFar - failed, total, failed });
  }
  if (failures.count > 0) throw stopped(run, failures);
  return migrated;
}

function finish(run: EvolutionRun, step: MigrationStep): number {
  const { client, plan, settings, stored } = run;
  const { batchSize } = settings;
  let migrated = 0;
  writeEvolved(run, () => {
    const failures = new RowFailures();
    const graphTypeId = stored.id;
    migrated = migrateTheRest(client, { ...step, graphTypeId, batchSize }, failures);
    checkStructure(client, { graphTypeId, plan }, failures);
    if (failures.count > 0) throw stopped(run, failures);
  });
  return migrated;
}

function stopped({ plan }: EvolutionRun, failures: RowFailures): Error {
  const hint =
    "The other rows are done and these are as they were; correct the migration and call again";
  return migrationFailed(plan, failures, hint);
}
