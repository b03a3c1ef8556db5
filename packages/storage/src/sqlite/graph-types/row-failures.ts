import { StorageError } from "../../errors.ts";
import type { EvolutionPlan } from "../../graphs/index.ts";
import type { StoredRow } from "./stored-rows.ts";

/** A row that does not fit, and why. */
export interface FailedRow {
  readonly graphId: string;
  /** `node "task-1"`; edges without a key are named by their id. */
  readonly subject: string;
  readonly problem: string;
}

/** The most that are named; all are counted. */
const MOST_LISTED = 100;

/** Collects the rows of a run that fail. */
export class RowFailures {
  readonly list: FailedRow[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** What `work` returns, or null where it fails because of the row. */
  attempt<T>(row: StoredRow, work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.add(row.graphId, `${row.of} "${row.key}"`, error.message);
      return null;
    }
  }

  add(graphId: string, subject: string, problem: string): void {
    this.#count += 1;
    if (this.list.length < MOST_LISTED) this.list.push({ graphId, subject, problem });
  }
}

/** The error of a plan that some rows do not fit. */
export function migrationFailed(
  plan: EvolutionPlan,
  { list, count }: RowFailures,
  hint: string,
): StorageError {
  const { version } = plan.target.graphType;
  const shown = list.slice(0, 5).map(({ subject, problem }) => `${subject}: ${problem}`);
  const more = count > shown.length ? `; and ${count - shown.length} more` : "";
  return new StorageError(
    "MIGRATION_FAILED",
    `${count} rows of graph type "${plan.name}" do not fit version ${version}: ${shown.join("; ")}${more}`,
    { hint, details: { graphType: plan.name, version, failed: count, failures: list } },
  );
}
