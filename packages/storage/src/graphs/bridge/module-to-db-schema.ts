import { StorageError } from "../../errors.ts";
import { moduleInfo } from "../modules/define-module.ts";
import type { AnyModule, ModuleInfo } from "../modules/graph-module.ts";
import { type GraphConfig, type NodeEntry, readEntries } from "../modules/read-entries.ts";
import type { JsonSchema } from "../schema/json-schema.ts";
import { projectSchema } from "../schema/project-schema.ts";
import { schemaValidator } from "../schema/validator.ts";

/** A row of `graph_types`, without what the database fills in. */
export interface DbGraphTypeRow {
  readonly name: string;
  readonly description: string;
  readonly config: GraphConfig & Readonly<Record<string, unknown>>;
  readonly version: number;
}

/** A row of `node_types`, without its graph type. */
export interface DbNodeTypeRow {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
}

/** A row of `edge_types`, without its graph type. Empty lists allow any node type. */
export interface DbEdgeTypeRow extends DbNodeTypeRow {
  readonly allowedSourceTypes: readonly string[];
  readonly allowedTargetTypes: readonly string[];
}

/** A graph type as rows. */
export interface DbSchema {
  readonly graphType: DbGraphTypeRow;
  readonly nodeTypes: readonly DbNodeTypeRow[];
  readonly edgeTypes: readonly DbEdgeTypeRow[];
}

/**
 * A Module as rows for `graph_types`, `node_types` and `edge_types`. Names are those of the entries
 * without their suffix, in snake_case. Each type has a schema of its own that needs no other row.
 *
 * @param info Name, description or version, where the Module is a plain TypeBox one or they differ.
 * @throws StorageError `INVALID_MODULE` naming the Module, the entry and the rule it breaks.
 *
 * @example
 * ```ts
 * const { graphType, nodeTypes } = moduleToDbSchema(CallGraph);
 * graphType.name; // "call_graph"
 * nodeTypes[0]?.name; // "call"
 * ```
 */
export function moduleToDbSchema(module: AnyModule, info: Partial<ModuleInfo> = {}): DbSchema {
  const { name, description, version } = moduleInfo(module, info);
  const { config, nodes, edges, all } = readEntries(module, name);
  const row = (entry: NodeEntry | (typeof edges)[number]): DbNodeTypeRow => ({
    name: entry.name,
    description: typeof entry.schema.description === "string" ? entry.schema.description : "",
    schema: entrySchema({ module: name, entry: entry.entry, all }),
  });
  return {
    graphType: { name, description, config: { ...config }, version },
    nodeTypes: nodes.map(row),
    edgeTypes: edges.map((edge) => ({
      ...row(edge),
      allowedSourceTypes: edge.allowedSourceTypes,
      allowedTargetTypes: edge.allowedTargetTypes,
    })),
  };
}

/** What {@link entrySchema} projects: an entry of a Module that was read. */
interface EntrySource {
  readonly module: string;
  readonly entry: string;
  readonly all: ReturnType<typeof readEntries>["all"];
}

/** An entry's own JSON Schema, checked so that what is stored can be read back. */
export function entrySchema({ module, entry, all }: EntrySource): JsonSchema {
  try {
    const schema = projectSchema(entry, all);
    schemaValidator(schema);
    return schema;
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    const rule = `cannot be stored: ${cause.message}`;
    throw new StorageError("INVALID_MODULE", `Module "${module}": entry "${entry}" ${rule}`, {
      cause,
      details: { module, problems: [{ entry, rule }] },
    });
  }
}
