import {
  type DbEdgeTypeRow,
  type DbNodeTypeRow,
  type DbSchema,
  moduleToDbSchema,
} from "../bridge/module-to-db-schema.ts";
import type { AnyModule, ModuleInfo } from "../modules/graph-module.ts";
import { type ChangeKind, type SchemaChange, worstOf } from "./change.ts";
import { classifyChange } from "./classify-change.ts";
import { decideVersion, type VersionDecision } from "./version-step.ts";

/** What happens to one type. */
export interface TypePlan {
  readonly of: "graph" | "node" | "edge";
  readonly name: string;
  readonly kind: ChangeKind;
  /** True where the type is new, or in the store only. */
  readonly status: "kept" | "added" | "removed";
  readonly changes: readonly SchemaChange[];
}

/** What it takes to bring a stored graph type to what the code says. */
export interface EvolutionPlan {
  readonly name: string;
  readonly kind: ChangeKind;
  readonly types: readonly TypePlan[];
  readonly version: VersionDecision;
  /**
   * What to do: nothing; write the new schemas; check the stored data and then write them; migrate the
   * data by the version step; or refuse, for the reason in `refusal`.
   */
  readonly action: "nothing" | "project" | "check-and-project" | "migrate" | "refuse";
  readonly refusal?: string;
  /** The rows to write. */
  readonly target: DbSchema;
}

/**
 * Compares a stored graph type with its Module, type by type, without touching anything.
 *
 * Additive changes are written as they are. A breaking one needs a higher version of the Module and a
 * migration; without, the plan refuses. A type that the Module no longer has is breaking: its rows would
 * have no schema.
 *
 * @throws StorageError `INVALID_MODULE`, `INVALID_SCHEMA`, `MIGRATION_STATE`.
 *
 * @example
 * ```ts
 * const plan = planEvolution(storedRows, TaskGraph);
 * if (plan.action === "refuse") throw new Error(plan.refusal);
 * console.log(describePlan(plan));
 * ```
 */
export function planEvolution(
  stored: DbSchema,
  module: AnyModule,
  info: Partial<ModuleInfo> = {},
): EvolutionPlan {
  const target = moduleToDbSchema(module, info);
  const types = [
    graphPlan(stored, target),
    ...typePlans("node", stored.nodeTypes, target.nodeTypes),
    ...typePlans("edge", stored.edgeTypes, target.edgeTypes),
  ];
  const version = decideVersion(stored.graphType.version, target.graphType.version);
  const kind = worstOf(types);
  const plan = { name: target.graphType.name, kind, types, version, target };
  return { ...plan, ...actionOf(plan, stored) };
}

function actionOf(
  { name, kind, types, version }: Omit<EvolutionPlan, "action">,
  stored: DbSchema,
): Pick<EvolutionPlan, "action" | "refusal"> {
  if (stored.graphType.name !== name) {
    const refusal = `the stored type is "${stored.graphType.name}", not "${name}"`;
    return { action: "refuse", refusal };
  }
  switch (version.action) {
    case "code-is-older": {
      const refusal = `"${name}" is stored in version ${version.version}, and this code knows ${version.target}`;
      return { action: "refuse", refusal };
    }
    case "start":
    case "resume":
      return { action: "migrate" };
    case "ready":
      break;
  }
  if (kind === "breaking") {
    const first = types
      .flatMap((type) => type.changes.map((change) => ({ type, change })))
      .find(({ change }) => change.kind === "breaking");
    const where =
      first === undefined
        ? ""
        : `: ${first.type.of} "${first.type.name}" ${first.change.path || "/"} ${first.change.message}`;
    const refusal = `"${name}" changed in a breaking way and its version is still ${version.version}${where}`;
    return { action: "refuse", refusal };
  }
  if (kind === "none") return { action: "nothing" };
  const depends = types.some((type) => type.changes.some(({ dependsOnData }) => dependsOnData));
  return { action: depends ? "check-and-project" : "project" };
}

function graphPlan(stored: DbSchema, target: DbSchema): TypePlan {
  const changes: SchemaChange[] = [];
  const [was, is] = [stored.graphType.config, target.graphType.config];
  if (was.type !== is.type) {
    changes.push({
      kind: is.type === "mixed" ? "additive" : "breaking",
      rule: "config-changed",
      path: "/config/type",
      message: `was ${was.type} and is ${is.type}`,
    });
  }
  for (const name of ["multi", "allowSelfLoops"] as const) {
    if (was[name] === is[name]) continue;
    changes.push({
      kind: is[name] ? "additive" : "breaking",
      rule: "config-changed",
      path: `/config/${name}`,
      message: `was ${was[name]} and is ${is[name]}`,
    });
  }
  changes.push(...descriptionChange(stored.graphType, target.graphType));
  return {
    of: "graph",
    name: target.graphType.name,
    kind: worstOf(changes),
    status: "kept",
    changes,
  };
}

function typePlans<Row extends DbNodeTypeRow & Partial<DbEdgeTypeRow>>(
  of: "node" | "edge",
  stored: readonly Row[],
  target: readonly Row[],
): TypePlan[] {
  const names = new Set([...stored, ...target].map(({ name }) => name));
  return [...names].map((name): TypePlan => {
    const was = stored.find((row) => row.name === name);
    const is = target.find((row) => row.name === name);
    const path = "";
    if (was === undefined) {
      const change: SchemaChange = {
        kind: "additive",
        rule: "type-added",
        path,
        message: "is new",
      };
      return { of, name, kind: "additive", status: "added", changes: [change] };
    }
    if (is === undefined) {
      const message = "is gone, and its rows would have no type";
      const change: SchemaChange = { kind: "breaking", rule: "type-removed", path, message };
      return { of, name, kind: "breaking", status: "removed", changes: [change] };
    }
    const changes = [
      ...classifyChange(was.schema, is.schema).changes,
      ...endChanges("allowedSourceTypes", was, is),
      ...endChanges("allowedTargetTypes", was, is),
      ...descriptionChange(was, is),
    ];
    return { of, name, kind: worstOf(changes), status: "kept", changes };
  });
}

type Described = { readonly description: string };

function descriptionChange(was: Described, is: Described): readonly SchemaChange[] {
  if (was.description === is.description) return [];
  const message = "its description changed";
  return [{ kind: "additive", rule: "annotation-changed", path: "/description", message }];
}

/** Fewer allowed ends are breaking; an empty list allows any. */
function endChanges(
  end: "allowedSourceTypes" | "allowedTargetTypes",
  was: Partial<DbEdgeTypeRow>,
  is: Partial<DbEdgeTypeRow>,
): readonly SchemaChange[] {
  const [before, after] = [was[end] ?? [], is[end] ?? []];
  const sameSize = before.length === after.length;
  if (sameSize && before.every((name) => after.includes(name))) return [];
  const show = (names: readonly string[]) => (names.length === 0 ? "any" : names.join(", "));
  const wider =
    after.length === 0 || (before.length > 0 && before.every((name) => after.includes(name)));
  return [
    {
      kind: wider ? "additive" : "breaking",
      rule: "ends-changed",
      path: `/${end}`,
      message: `was ${show(before)} and is ${show(after)}`,
    },
  ];
}
