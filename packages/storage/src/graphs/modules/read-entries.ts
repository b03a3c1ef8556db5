import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { StorageError } from "../../errors.ts";
import type { GraphDirection } from "./attributes.ts";
import { entryName, typeNameOf } from "./entry-names.ts";
import type { AnyModule } from "./graph-module.ts";

/** How graphs of a type are built. */
export interface GraphConfig {
  readonly type: GraphDirection;
  readonly multi: boolean;
  readonly allowSelfLoops: boolean;
}

/** A node type of a Module. */
export interface NodeEntry {
  readonly kind: "node";
  /** Its name in the Module: `CallNode`. */
  readonly entry: string;
  /** Its stored name: `call`. */
  readonly name: string;
  readonly schema: TSchema;
}

/** An edge type of a Module and the node types it may join; empty for any. */
export interface EdgeEntry extends Omit<NodeEntry, "kind"> {
  readonly kind: "edge";
  readonly allowedSourceTypes: readonly string[];
  readonly allowedTargetTypes: readonly string[];
}

/** A Module taken apart by its naming convention. */
export interface ModuleEntries {
  readonly config: GraphConfig;
  readonly nodes: readonly NodeEntry[];
  readonly edges: readonly EdgeEntry[];
  /** Every entry by name, shared types included. */
  readonly all: ReadonlyMap<string, TSchema>;
}

/** One broken rule of a Module. */
export interface ModuleProblem {
  readonly entry: string;
  readonly rule: string;
}

const cache = new WeakMap<AnyModule, ModuleEntries>();

/**
 * Takes a Module apart and checks its rules.
 *
 * @throws StorageError `INVALID_MODULE` with every broken rule in `details.problems`.
 */
export function readEntries(module: AnyModule, name: string): ModuleEntries {
  const known = cache.get(module);
  if (known !== undefined) return known;
  const problems: ModuleProblem[] = [];
  const entries = classify(definitions(module), problems);
  const [first] = problems;
  if (first !== undefined) {
    throw new StorageError(
      "INVALID_MODULE",
      `Module "${name}": ${problems.map(({ entry, rule }) => `entry "${entry}" ${rule}`).join("; ")}`,
      { details: { module: name, problems } },
    );
  }
  cache.set(module, entries);
  return entries;
}

/** TypeBox declares `$defs` private; an import would copy every definition to show them. */
function definitions(module: AnyModule): Map<string, TSchema> {
  const { $defs } = module as unknown as { readonly $defs?: Readonly<Record<string, TSchema>> };
  if ($defs === undefined || $defs === null || typeof $defs !== "object") {
    throw new StorageError("INVALID_MODULE", "this is not a TypeBox Module", {
      hint: "Make it with defineModule or Type.Module",
    });
  }
  return new Map(Object.entries($defs));
}

function classify(all: Map<string, TSchema>, problems: ModuleProblem[]): ModuleEntries {
  const nodes: NodeEntry[] = [];
  const edges: Omit<EdgeEntry, "allowedSourceTypes" | "allowedTargetTypes">[] = [];
  const constraints = new Map<string, TSchema>();
  for (const [entry, schema] of all) {
    const { kind, problem } = entryName(entry);
    if (problem !== undefined) problems.push({ entry, rule: problem });
    else if (kind === "node") nodes.push({ kind, entry, name: typeNameOf(entry), schema });
    else if (kind === "edge") edges.push({ kind, entry, name: typeNameOf(entry), schema });
    else if (kind === "constraints") constraints.set(entry, schema);
  }
  refuseEqualNames(nodes, problems);
  refuseEqualNames(edges, problems);
  refuseStrayConstraints(constraints, edges, problems);
  const nodeNames = nodes.map(({ name }) => name);
  return {
    config: readConfig(all.get("Config"), problems),
    nodes,
    edges: edges.map((edge) => {
      const entry = `${edge.entry}Constraints`;
      const schema = constraints.get(entry);
      if (schema === undefined) return { ...edge, allowedSourceTypes: [], allowedTargetTypes: [] };
      return { ...edge, ...readConstraints(schema, { entry, nodeNames, problems }) };
    }),
    all,
  };
}

function refuseEqualNames(
  entries: readonly { readonly entry: string; readonly name: string }[],
  problems: ModuleProblem[],
): void {
  const seen = new Map<string, string>();
  for (const { entry, name } of entries) {
    const other = seen.get(name);
    if (other !== undefined) {
      problems.push({ entry, rule: `has the same stored name as "${other}": "${name}"` });
    }
    seen.set(name, entry);
  }
}

function refuseStrayConstraints(
  constraints: ReadonlyMap<string, TSchema>,
  edges: readonly { readonly entry: string }[],
  problems: ModuleProblem[],
): void {
  for (const entry of constraints.keys()) {
    const edge = entry.slice(0, -"Constraints".length);
    if (edges.some((known) => known.entry === edge)) continue;
    problems.push({ entry, rule: `constrains an unknown edge type: there is no entry "${edge}"` });
  }
}

const CONFIG: TSchema = Type.Object({
  type: Type.Union([Type.Literal("directed"), Type.Literal("undirected"), Type.Literal("mixed")]),
  multi: Type.Boolean(),
  allowSelfLoops: Type.Boolean(),
});
const CONFIG_NAMES = ["type", "multi", "allowSelfLoops"] as const;

function readConfig(schema: TSchema | undefined, problems: ModuleProblem[]): GraphConfig {
  const entry = "Config";
  const fallback: GraphConfig = { type: "directed", multi: false, allowSelfLoops: false };
  if (schema === undefined) {
    problems.push({ entry, rule: "is missing: add it with graphConfig()" });
    return fallback;
  }
  const properties = propertiesOf(schema);
  const foreign = [...properties.keys()].filter((name) => !CONFIG_NAMES.some((it) => it === name));
  if (foreign.length > 0) {
    problems.push({
      entry,
      rule: `has "${foreign.join('", "')}", which no graph type understands`,
    });
  }
  const config = Object.fromEntries(
    CONFIG_NAMES.map((name) => [
      name,
      properties.get(name)?.const ?? properties.get(name)?.default,
    ]),
  );
  if (Value.Check(CONFIG, config)) return config as GraphConfig;
  for (const { path } of Value.Errors(CONFIG, config)) {
    const name = path.slice(1);
    const rule = `leaves "${name}" open: it needs a literal or a default of its kind`;
    if (!problems.some((known) => known.rule === rule)) problems.push({ entry, rule });
  }
  return fallback;
}

interface ConstraintContext {
  readonly entry: string;
  readonly nodeNames: readonly string[];
  readonly problems: ModuleProblem[];
}

function readConstraints(
  schema: TSchema,
  { entry, nodeNames, problems }: ConstraintContext,
): Pick<EdgeEntry, "allowedSourceTypes" | "allowedTargetTypes"> {
  const properties = propertiesOf(schema);
  const read = (end: string): readonly string[] => {
    const names: unknown = properties.get(end)?.default ?? [];
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
      problems.push({ entry, rule: `has no array of type names as the default of "${end}"` });
      return [];
    }
    for (const name of names.filter((known) => !nodeNames.includes(known))) {
      const meant = nodeNames.includes(typeNameOf(name)) ? `; "${typeNameOf(name)}" is meant` : "";
      problems.push({ entry, rule: `names "${name}" in "${end}", which is no node type${meant}` });
    }
    return [...new Set(names)];
  };
  const ends = ["allowedSourceTypes", "allowedTargetTypes"];
  for (const name of properties.keys()) {
    if (!ends.includes(name))
      problems.push({ entry, rule: `has "${name}"; known are ${ends.join(" and ")}` });
  }
  const [allowedSourceTypes, allowedTargetTypes] = [
    read("allowedSourceTypes"),
    read("allowedTargetTypes"),
  ];
  if (allowedSourceTypes.length === 0 && allowedTargetTypes.length === 0) {
    problems.push({ entry, rule: "constrains nothing: leave the entry out to allow any node" });
  }
  return { allowedSourceTypes, allowedTargetTypes };
}

function propertiesOf(schema: TSchema): ReadonlyMap<string, TSchema> {
  const properties: unknown = schema.properties;
  return new Map(Object.entries((properties ?? {}) as Record<string, TSchema>));
}
