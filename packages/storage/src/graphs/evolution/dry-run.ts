import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import type { Migration } from "./migrate-attributes.ts";
import type { EvolutionPlan, TypePlan } from "./plan-evolution.ts";
import { type EvolvingRow, type RowMigrator, rowMigrator } from "./row-migrator.ts";
import { rowVersion } from "./version-step.ts";

/** What a plan would do to one graph. */
export interface GraphDryRun {
  readonly graphId: string;
  readonly rows: number;
  /** Rows whose attributes would change. */
  readonly changed: number;
  /** Rows that a migration stopped in the middle has done already. */
  readonly done: number;
  /** Rows that would fail, and why: the first hundred. */
  readonly failures: readonly { readonly subject: string; readonly problem: string }[];
  readonly failed: number;
}

const MOST_FAILURES = 100;

/**
 * What a plan would do to stored rows, graph by graph, without writing: the same code as the migration.
 *
 * @param migrations The functions, by version; without, only defaults are filled in.
 * @throws StorageError `INVALID_ARGUMENT` for migrations that lead to no even version, or to one twice.
 */
export function dryRun(
  plan: EvolutionPlan,
  rows: Iterable<EvolvingRow>,
  migrations: readonly Migration[] = [],
): readonly GraphDryRun[] {
  const trial = new DryRun(plan, migrations);
  for (const row of rows) trial.add(row);
  return trial.graphs;
}

/** A {@link dryRun} that is given its rows one by one. */
export class DryRun {
  readonly #plan: EvolutionPlan;
  readonly #migrate: RowMigrator;
  readonly #graphs = new Map<string, MutableRun>();

  /** @throws StorageError as {@link dryRun}. */
  constructor(plan: EvolutionPlan, migrations: readonly Migration[] = []) {
    this.#plan = plan;
    this.#migrate = rowMigrator(plan, migrations);
  }

  /** One entry per graph, in the order in which they were met. */
  get graphs(): readonly GraphDryRun[] {
    return [...this.#graphs.values()];
  }

  add(row: EvolvingRow): void {
    const graph = this.#graphs.get(row.graphId) ?? emptyRun(row.graphId);
    this.#graphs.set(row.graphId, graph);
    graph.rows += 1;
    if (isDone(this.#plan, row)) graph.done += 1;
    else this.#try(row, graph);
  }

  #try(row: EvolvingRow, graph: MutableRun): void {
    try {
      if (!Value.Equal(this.#migrate(row), row.attributes)) graph.changed += 1;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      graph.failed += 1;
      if (graph.failures.length >= MOST_FAILURES) return;
      graph.failures.push({ subject: `${row.of} "${row.key}"`, problem: error.message });
    }
  }
}

type MutableRun = { -readonly [Field in keyof GraphDryRun]: GraphDryRun[Field] } & {
  failures: { subject: string; problem: string }[];
};

function emptyRun(graphId: string): MutableRun {
  return { graphId, rows: 0, changed: 0, done: 0, failures: [], failed: 0 };
}

function isDone({ version }: EvolutionPlan, { metadata }: EvolvingRow): boolean {
  return version.action === "resume" && rowVersion(metadata ?? {}, version.from) >= version.to;
}

/** A plan in words, a line each, for a terminal. */
export function describePlan(plan: EvolutionPlan): string {
  const { version } = plan;
  const step =
    version.action === "start" || version.action === "resume"
      ? `, version ${version.from} to ${version.to}${version.action === "resume" ? " (resumed)" : ""}`
      : "";
  const head = `${plan.name}: ${plan.kind}, ${plan.action}${step}`;
  const refusal = plan.refusal === undefined ? [] : [`  refused: ${plan.refusal}`];
  return [
    head,
    ...refusal,
    ...plan.types.filter(({ kind }) => kind !== "none").flatMap(lines),
  ].join("\n");
}

function lines({ of, name, kind, changes }: TypePlan): readonly string[] {
  const all = changes.map(({ kind: change, path, message, dependsOnData }) => {
    const mark = change === "breaking" ? "!" : dependsOnData ? "?" : "+";
    return `    ${mark} ${path || "/"} ${message}`;
  });
  return [`  ${of} "${name}": ${kind}`, ...all];
}
