import type { Database, SqlInput } from "@alkdev/honker";
import { readGraphType } from "@alkdev/storage/sqlite";
import type { Field } from "../postgres/copy-text.ts";
import { textOf } from "../postgres/expressions.ts";
import { ownershipOf } from "../postgres/ownership.ts";
import type { Source } from "../postgres/source.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { inOrder, type TableQuery, tableQuery } from "../postgres/table-query.ts";
import { commonFields, FIRST_OWN_FIELD, jsonColumn, rowValues } from "./common-values.ts";
import type { RowContext, TargetName } from "./table-import.ts";
import { required } from "./values.ts";

/** A graph type, node type or edge type of the source. */
export interface SourceType {
  readonly row: readonly Field[];
  readonly id: string;
  readonly name: string;
  /** The organization that alone has it; "" for all of them. */
  readonly org: string;
  /** The graph type it belongs to; of a graph type its own id. */
  readonly graphTypeId: string;
}

/** One of the tables that graph types are made of. */
export interface TypeTable {
  readonly target: TargetName & ("graph_types" | "node_types" | "edge_types");
  readonly query: TableQuery;
  readonly types: readonly SourceType[];
}

/** Position of the scope in the fields of a graph type. */
const SCOPE = FIRST_OWN_FIELD + 3;

/**
 * The graph types of the source, in memory: they are what a hub defines, not what it stores. A type of
 * scope system that every file here has already is matched by its name.
 */
export class GraphTypes {
  readonly tables: readonly TypeTable[];
  /** By the id in the source: the id here, the same in every file. */
  readonly #system = new Map<string, string>();
  readonly #byId = new Map<string, SourceType>();
  readonly #nodeTypes = new Map<string, string[]>();
  readonly #edgeTypes = new Map<string, string[]>();

  constructor(tables: readonly TypeTable[], system: Database) {
    this.tables = tables;
    for (const { target, types } of tables) {
      for (const type of types) {
        if (target === "graph_types") this.#addGraphType(type, system);
        else this.#addName(target === "node_types" ? this.#nodeTypes : this.#edgeTypes, type);
      }
    }
  }

  /** Whether the type is one of the system's, which every file has. */
  isSystem(graphTypeId: string): boolean {
    return this.#system.has(graphTypeId);
  }

  /** The id of a graph type in the file of an organization; null when it is not there. */
  idFor(graphTypeId: Field, org: string): string | null {
    if (graphTypeId === null) return null;
    const system = this.#system.get(graphTypeId);
    if (system !== undefined) return system;
    const type = this.#byId.get(graphTypeId);
    return type !== undefined && (type.org === "" || type.org === org) ? graphTypeId : null;
  }

  /** Names of the node types of a graph type. */
  nodeTypes(graphTypeId: Field): readonly string[] {
    return this.#nodeTypes.get(graphTypeId ?? "") ?? [];
  }

  /** Names of the edge types of a graph type. */
  edgeTypes(graphTypeId: Field): readonly string[] {
    return this.#edgeTypes.get(graphTypeId ?? "") ?? [];
  }

  #addGraphType(type: SourceType, system: Database): void {
    this.#byId.set(type.id, type);
    if (type.row[SCOPE] !== "system") return;
    const stored = readGraphType(system, { name: type.name });
    if (stored?.scope === "system") this.#system.set(type.id, stored.id);
  }

  #addName(names: Map<string, string[]>, { graphTypeId, name }: SourceType): void {
    const known = names.get(graphTypeId) ?? [];
    known.push(name);
    names.set(graphTypeId, known);
  }
}

/** Reads the graph types of the source. */
export async function readGraphTypes(
  source: Source,
  schema: SourceSchema,
  system: Database,
): Promise<GraphTypes> {
  const tables: TypeTable[] = [];
  const orgs = new Map<string, string>();
  for (const { target, query } of typeQueries(schema)) {
    const types: SourceType[] = [];
    for (const row of await source.rows(inOrder(source, query, null))) {
      const [org = "", id = "", , , , , graphTypeId = null, name = null] = row;
      const isGraphType = target === "graph_types";
      const parent = isGraphType ? String(id) : String(graphTypeId);
      if (isGraphType) orgs.set(parent, String(org));
      types.push({
        row,
        id: String(id),
        name: String(name),
        org: orgs.get(parent) ?? "",
        graphTypeId: parent,
      });
    }
    tables.push({ target, query, types });
  }
  return new GraphTypes(tables, system);
}

/** The values of a row of one of the type tables. @throws RowRefusal */
export function typeValues(
  target: TypeTable["target"],
  row: readonly Field[],
  context: RowContext,
): readonly SqlInput[] {
  const [graphTypeId = null, name = null, description = null, json = null, a = null, b = null] =
    row.slice(FIRST_OWN_FIELD);
  const named = [required(name, "name"), description ?? ""];
  if (target === "graph_types") {
    const [scope, version] = [json, b];
    if (scope === "system") context.changed("SCOPE", "scope was system, is tenant");
    if (version === "1") context.changed("VERSION", "version was 1, is 2");
    return rowValues(row, context, [
      ...named,
      jsonColumn(a, "config", context) ?? "{}",
      version === "1" ? 2 : Number(required(version, "version")),
      scope === "user" ? "user" : "tenant",
    ]);
  }
  const schema = required(jsonColumn(json, "schema", context), "schema");
  const own = [required(graphTypeId, "graph_type_id"), ...named, schema];
  if (target === "node_types") return rowValues(row, context, own);
  return rowValues(row, context, [
    ...own,
    jsonColumn(a, "allowed_source_types", context) ?? "[]",
    jsonColumn(b, "allowed_target_types", context) ?? "[]",
  ]);
}

/** Fields behind the common ones: graph type, name, description, then what differs. */
function typeQueries(schema: SourceSchema): Omit<TypeTable, "types">[] {
  const queries: Omit<TypeTable, "types">[] = [];
  if (!schema.has("graph_types")) return queries;
  const type = { table: "graph_types", alias: "t" };
  const { joins, org } = ownershipOf(schema, { ...type, unownedTo: undefined });
  queries.push({
    target: "graph_types",
    query: tableQuery("graph_types", `FROM ${schema.qualified("graph_types")} t ${joins}`, {
      org: schema.has("graph_types", "org_id") ? org : "''",
      ...commonFields(schema, type),
      graph_type_id: textOf(schema, type, "id"),
      name: textOf(schema, type, "name"),
      description: textOf(schema, type, "description"),
      scope: textOf(schema, type, "scope"),
      config: textOf(schema, type, "config"),
      version: textOf(schema, type, "version"),
    }),
  });
  for (const target of ["node_types", "edge_types"] as const) {
    if (!schema.has(target)) continue;
    const from = { table: target, alias: "t" };
    queries.push({
      target,
      query: tableQuery(target, `FROM ${schema.qualified(target)} t`, {
        org: "''",
        ...commonFields(schema, from),
        graph_type_id: textOf(schema, from, "graph_type_id"),
        name: textOf(schema, from, "name"),
        description: textOf(schema, from, "description"),
        schema: textOf(schema, from, "schema"),
        ...(target === "edge_types"
          ? {
              allowed_source_types: textOf(schema, from, "allowed_source_types"),
              allowed_target_types: textOf(schema, from, "allowed_target_types"),
            }
          : {}),
      }),
    });
  }
  return queries;
}
