import { rowMigrator } from "../../graphs/index.ts";
import { checkStructure } from "./check-structure.ts";
import type { EvolutionRun } from "./evolution-run.ts";
import { migrationFailed, RowFailures } from "./row-failures.ts";
import { countRows, type StoredRow, storedRows, storedRowsInTurns } from "./stored-rows.ts";

/**
 * Tries the plan on every row without writing anything, batch by batch. Rows that carry the target's
 * version already are tried as well: they must fit as they are.
 *
 * @throws StorageError `MIGRATION_FAILED` with the rows that do not fit
 */
export async function checkRowsInTurns(run: EvolutionRun): Promise<void> {
  const { client, settings, stored, signal } = run;
  const trial = new Trial(run);
  const total = countRows(client, stored.id);
  const options = { graphTypeId: stored.id, batchSize: settings.batchSize, signal };
  let seenSoFar = 0;
  for await (const { rows, seen } of storedRowsInTurns(client, options)) {
    for (const row of rows) trial.add(row);
    if (seen === 0) continue;
    seenSoFar += seen;
    const { count: failed } = trial.failures;
    settings.onProgress({ phase: "checking", done: seenSoFar - failed, total, failed });
  }
  trial.end();
}

/** As {@link checkRowsInTurns}, at one go: in the transaction that counts on the result. */
export function checkRows(run: EvolutionRun): void {
  const { client, settings, stored } = run;
  const trial = new Trial(run);
  const options = { graphTypeId: stored.id, batchSize: settings.batchSize };
  for (const { rows } of storedRows(client, options)) for (const row of rows) trial.add(row);
  trial.end();
}

class Trial {
  readonly failures = new RowFailures();
  readonly #run: EvolutionRun;
  readonly #migrate: ReturnType<typeof rowMigrator>;

  constructor(run: EvolutionRun) {
    this.#run = run;
    this.#migrate = rowMigrator(run.plan, run.settings.migrations);
  }

  add(row: StoredRow): void {
    this.failures.attempt(row, () => this.#migrate(row));
  }

  /** @throws StorageError `MIGRATION_FAILED` */
  end(): void {
    const { client, plan, stored } = this.#run;
    checkStructure(client, { graphTypeId: stored.id, plan }, this.failures);
    if (this.failures.count === 0) return;
    const hint = "Nothing was written; correct the migration or the rows";
    throw migrationFailed(plan, this.failures, hint);
  }
}
