import { StorageError } from "../../errors.ts";
import type { JsonSchema } from "../schema/json-schema.ts";
import {
  type Attributes,
  type MigrateRow,
  type Migration,
  migrateAttributes,
} from "./migrate-attributes.ts";
import type { EvolutionPlan } from "./plan-evolution.ts";
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

/**
 * One row's attributes after the plan; the very same object where nothing had to be done.
 *
 * @throws StorageError `MIGRATION_FAILED` where the row's type is gone or the result does not fit.
 */
export type RowMigrator = (row: EvolvingRow) => Attributes;

/** The functions of one type, in turn, and the schema that all of them lead to. */
interface TypeSteps {
  readonly schema: JsonSchema;
  readonly steps: readonly { readonly to: number; readonly migrate: MigrateRow }[];
}

/**
 * What brings rows to the plan's target: every migration between the row's version and the target's in
 * turn, then defaults and the check.
 *
 * @param migrations The functions, by version; without, only defaults are filled in.
 * @throws StorageError `INVALID_ARGUMENT` for migrations that lead to no even version, or to one twice.
 */
export function rowMigrator(
  { target, version }: EvolutionPlan,
  migrations: readonly Migration[] = [],
): RowMigrator {
  const ordered = inOrder(migrations).filter(({ to }) => to <= target.graphType.version);
  const of = (
    types: readonly { readonly name: string; readonly schema: JsonSchema }[],
    functions: "nodes" | "edges",
  ): ReadonlyMap<string, TypeSteps> =>
    new Map(
      types.map(({ name, schema }) => [
        name,
        { schema, steps: ordered.flatMap((it) => stepOf(it.to, it[functions] ?? {}, name)) },
      ]),
    );
  const types = { node: of(target.nodeTypes, "nodes"), edge: of(target.edgeTypes, "edges") };
  const migrates = version.action === "start" || version.action === "resume";
  return (row) => {
    const type = types[row.of].get(row.type);
    const subject = `${row.of} "${row.key}"`;
    if (type === undefined) {
      throw new StorageError(
        "MIGRATION_FAILED",
        `${subject} is of type "${row.type}", which is gone`,
      );
    }
    const from = migrates ? rowVersion(row.metadata ?? {}, version.from) : target.graphType.version;
    const functions = type.steps.filter(({ to }) => to > from).map(({ migrate }) => migrate);
    return migrateAttributes(row.attributes, {
      schema: type.schema,
      migrations: functions,
      subject,
    });
  };
}

/** {@link rowMigrator} for one row. */
export function migrateRow(
  plan: EvolutionPlan,
  row: EvolvingRow,
  migrations: readonly Migration[] = [],
): Attributes {
  return rowMigrator(plan, migrations)(row);
}

function stepOf(
  to: number,
  functions: Readonly<Record<string, MigrateRow>>,
  type: string,
): TypeSteps["steps"] {
  const migrate = Object.hasOwn(functions, type) ? functions[type] : undefined;
  return migrate === undefined ? [] : [{ to, migrate }];
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
