import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import {
  type Attributes,
  type MigrateRow,
  type Migration,
  migrateAttributes,
} from "./migrate-attributes.ts";
import type { EvolutionPlan, TypePlan } from "./plan-evolution.ts";
import { rowVersion } from "./version-step.ts";

/** A stored node or edge, as far as a migration looks at it. */
export interface EvolvingRow {
  readonly graphId: string;
  readonly of: "node" | "edge";
  /** Type name: `call`. */
  readonly type: string;
  readonly key: string;
  readonly attributes: Attributes;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

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
  const steps = inOrder(migrations);
  const graphs = new Map<string, MutableRun>();
  for (const row of rows) {
    const graph = graphs.get(row.graphId) ?? emptyRun(row.graphId);
    graphs.set(row.graphId, graph);
    graph.rows += 1;
    if (isDone(plan, row)) graph.done += 1;
    else tryRow(plan, { row, steps, graph });
  }
  return [...graphs.values()];
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

interface Trial {
  readonly row: EvolvingRow;
  readonly steps: readonly Migration[];
  readonly graph: MutableRun;
}

function tryRow(plan: EvolutionPlan, { row, steps, graph }: Trial): void {
  const subject = `${row.of} "${row.key}"`;
  try {
    if (!Value.Equal(migrateRow(plan, row, steps), row.attributes)) graph.changed += 1;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    graph.failed += 1;
    if (graph.failures.length < MOST_FAILURES) {
      graph.failures.push({ subject, problem: error.message });
    }
  }
}

/**
 * One row's attributes after the plan: every migration between the row's version and the target's in
 * turn, then defaults and the check.
 *
 * @throws StorageError `MIGRATION_FAILED` where the row's type is gone or the result does not fit.
 */
export function migrateRow(
  { target, version }: EvolutionPlan,
  row: EvolvingRow,
  migrations: readonly Migration[] = [],
): Attributes {
  const types = row.of === "node" ? target.nodeTypes : target.edgeTypes;
  const type = types.find(({ name }) => name === row.type);
  const subject = `${row.of} "${row.key}"`;
  if (type === undefined) {
    throw new StorageError(
      "MIGRATION_FAILED",
      `${subject} is of type "${row.type}", which is gone`,
    );
  }
  const migrates = version.action === "start" || version.action === "resume";
  const from = migrates ? rowVersion(row.metadata ?? {}, version.from) : target.graphType.version;
  const functions = inOrder(migrations)
    .filter(({ to }) => to > from && to <= target.graphType.version)
    .map(({ nodes, edges }) => ownFunction((row.of === "node" ? nodes : edges) ?? {}, row.type))
    .filter((migrate) => migrate !== undefined);
  const { schema } = type;
  return migrateAttributes(row.attributes, { schema, migrations: functions, subject });
}

function ownFunction(
  functions: Readonly<Record<string, MigrateRow>>,
  type: string,
): MigrateRow | undefined {
  return Object.hasOwn(functions, type) ? functions[type] : undefined;
}

function inOrder(migrations: readonly Migration[]): readonly Migration[] {
  const versions = migrations.map(({ to }) => to);
  const twice = versions.find((to, i) => versions.indexOf(to) !== i);
  const odd = versions.find((to) => !Number.isSafeInteger(to) || to % 2 !== 0);
  if (twice !== undefined || odd !== undefined) {
    const problem =
      odd === undefined ? `two lead to version ${twice}` : `${odd} is no even version`;
    throw new StorageError("INVALID_ARGUMENT", `migrations: ${problem}`);
  }
  return [...migrations].sort((a, b) => a.to - b.to);
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
