import {
  type AnyModule,
  DryRun,
  type EvolutionPlan,
  type GraphDryRun,
  type Migration,
  planEvolution,
} from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import { requireBatchSize } from "../require-batch-size.ts";
import { checkStructure } from "./check-structure.ts";
import { requireGraphType } from "./evolution-run.ts";
import { type FailedRow, RowFailures } from "./row-failures.ts";
import { storedRowsInTurns } from "./stored-rows.ts";

/** What {@link evolveGraphType} would do. */
export interface EvolutionPreview {
  /** What would be done; `describePlan(plan)` prints it. */
  readonly plan: EvolutionPlan;
  /** What would happen to the rows of each graph that has any. */
  readonly graphs: readonly GraphDryRun[];
  /** Edges that the new rules about ends and loops would no longer allow: the first hundred. */
  readonly edges: readonly FailedRow[];
}

/** Options of {@link previewEvolution}. */
export interface PreviewOptions {
  /** As of `evolveGraphType`. */
  readonly migrations?: readonly Migration[];
  /** Rows that are read in one go, default 500. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * What `evolveGraphType` would do to the data of a file, graph by graph, without writing anything.
 *
 * @throws StorageError `NOT_FOUND` where the type is not stored, `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const { plan, graphs } = await previewEvolution(tenant, TaskGraph, { migrations });
 * console.log(describePlan(plan));
 * console.table(graphs.map(({ graphId, rows, changed, failed }) => ({ graphId, rows, changed, failed })));
 * ```
 */
export async function previewEvolution(
  db: TenantDatabase,
  module: AnyModule,
  options: PreviewOptions = {},
): Promise<EvolutionPreview> {
  const client = db.$client;
  const batchSize = requireBatchSize(options.batchSize ?? 500);
  const stored = requireGraphType(client, module);
  const plan = planEvolution(stored, module);
  const trial = new DryRun(plan, options.migrations);
  const { signal } = options;
  const graphTypeId = stored.id;
  for await (const { rows } of storedRowsInTurns(client, { graphTypeId, batchSize, signal })) {
    for (const row of rows) trial.add(row);
  }
  const failures = new RowFailures();
  checkStructure(client, { graphTypeId, plan }, failures);
  return { plan, graphs: trial.graphs, edges: failures.list };
}
