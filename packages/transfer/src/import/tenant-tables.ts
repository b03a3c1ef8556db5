import type { SqlInput } from "@alkdev/honker";
import type { Field } from "../postgres/copy-text.ts";
import { jsonObjectOf, textOf } from "../postgres/expressions.ts";
import { ownershipOf } from "../postgres/ownership.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { tableQuery } from "../postgres/table-query.ts";
import {
  attributesOf,
  commonFields,
  commonValues,
  FIRST_OWN_FIELD,
  rowValues,
} from "./common-values.ts";
import type { GraphTypes } from "./graph-types.ts";
import { RowRefusal } from "./row-refusal.ts";
import type { TableImport } from "./table-import.ts";
import { bit, required, withMember } from "./values.ts";

/** What the imports of tenants' files are made from. */
export interface TenantTablesOptions {
  readonly schema: SourceSchema;
  readonly types: GraphTypes;
  readonly unownedTo: string | undefined;
}

/** Graphs, then nodes, then edges: each needs the ones before. */
export function metagraphTables(options: TenantTablesOptions): readonly TableImport[] {
  const { schema } = options;
  if (!schema.has("graphs")) return [];
  return [
    graphsImport(options),
    ...(schema.has("nodes") ? [nodesImport(options)] : []),
    ...(schema.has("edges") ? [edgesImport(options)] : []),
  ];
}

function graphsImport({ schema, types, unownedTo }: TenantTablesOptions): TableImport {
  const from = { table: "graphs", alias: "g" };
  const { joins, org } = ownershipOf(schema, { ...from, unownedTo });
  return {
    name: "graphs",
    counted: "graphs",
    place: "tenant",
    target: "graphs",
    query: tableQuery("graphs", `FROM ${schema.qualified("graphs")} g ${joins}`, {
      org,
      ...commonFields(schema, from),
      graph_type_id: textOf(schema, from, "graph_type_id"),
      name: textOf(schema, from, "name"),
      description: textOf(schema, from, "description"),
      status: textOf(schema, from, "status"),
      owner_id: textOf(schema, from, "owner_id"),
      project_id: textOf(schema, from, "project_id"),
    }),
    map(row, context) {
      const [typeId = null, name = null, description = null, status = null] =
        row.slice(FIRST_OWN_FIELD);
      const [ownerId = null, projectId = null] = row.slice(FIRST_OWN_FIELD + 4);
      const graphTypeId = types.idFor(typeId, row[0] ?? "");
      if (graphTypeId === null && typeId !== null) {
        context.changed(
          "REFERENCE_REMOVED",
          `there is no graph type "${typeId}": the graph has none`,
        );
      }
      return rowValues(row, context, [
        graphTypeId,
        required(name, "name"),
        description ?? "",
        status ?? "draft",
        ownerId,
        projectId,
      ]);
    },
    amend(values, reason, context) {
      // the one reference of a graph: its type was not taken
      const TYPE = 4;
      if (!reason.includes("FOREIGN KEY") || values[TYPE] === null) return undefined;
      const message = `graph type "${values[TYPE]}" was not taken: the graph has none`;
      context.changed("REFERENCE_REMOVED", message);
      return values.map((value, index) => (index === TYPE ? null : value));
    },
  };
}

function nodesImport(options: TenantTablesOptions): TableImport {
  const { schema, types } = options;
  const from = { table: "nodes", alias: "n" };
  return {
    name: "nodes",
    counted: "nodes",
    place: "tenant",
    target: "nodes",
    query: tableQuery("nodes", `FROM ${schema.qualified("nodes")} n ${graphOf(options, "n")}`, {
      org: "graph.org",
      ...commonFields(schema, from),
      graph_id: textOf(schema, from, "graph_id"),
      key: textOf(schema, from, "key"),
      attributes: textOf(schema, from, "attributes"),
      graph_type_id: "graph.graph_type_id",
    }),
    map(row, context) {
      const [graphId = null, key = null, attributes = null, graphTypeId = null] =
        row.slice(FIRST_OWN_FIELD);
      const text = attributesOf(attributes, context);
      const values = rowValues(row, context, [
        required(graphId, "graph_id"),
        required(key, "key"),
        text,
      ]);
      return typed(values, "nodeType", typeOf(types.nodeTypes(graphTypeId), text, "type"));
    },
  };
}

function edgesImport(options: TenantTablesOptions): TableImport {
  const { schema, types } = options;
  const from = { table: "edges", alias: "e" };
  return {
    name: "edges",
    counted: "edges",
    place: "tenant",
    target: "edges",
    query: tableQuery("edges", `FROM ${schema.qualified("edges")} e ${graphOf(options, "e")}`, {
      org: "graph.org",
      ...commonFields(schema, from),
      graph_id: textOf(schema, from, "graph_id"),
      key: textOf(schema, from, "key"),
      source_node_key: textOf(schema, from, "source_node_key"),
      target_node_key: textOf(schema, from, "target_node_key"),
      attributes: textOf(schema, from, "attributes"),
      undirected: textOf(schema, from, "undirected"),
      graph_type_id: "graph.graph_type_id",
    }),
    map(row, context) {
      const [graphId = null, key = null, source = null, target = null] = row.slice(FIRST_OWN_FIELD);
      const [attributes = null, undirected = null, graphTypeId = null] = row.slice(
        FIRST_OWN_FIELD + 4,
      );
      const text = attributesOf(attributes, context);
      const values = rowValues(row, context, [
        required(graphId, "graph_id"),
        key,
        required(source, "source_node_key"),
        required(target, "target_node_key"),
        text,
        bit(undirected, 0),
      ]);
      return typed(values, "edgeType", typeOf(types.edgeTypes(graphTypeId), text, "edgeType"));
    },
  };
}

/** A call of the hub: a node of the system graph type of calls. */
export const CALLS_GRAPH = "hub-calls";

/** The tables of the call graph, as nodes and edges of the system graph type `call_graph`. */
export function callTables(
  options: TenantTablesOptions,
  before: TableImport["before"],
): readonly TableImport[] {
  const { schema, unownedTo } = options;
  if (!schema.has("call_graph_nodes", "request_id")) return [];
  const from = { table: "call_graph_nodes", alias: "c" };
  const { joins, org } = ownershipOf(schema, { ...from, unownedTo });
  const calls: TableImport = {
    name: "call_graph_nodes",
    counted: "call_graph_nodes",
    place: "tenant",
    target: "nodes",
    ...(before === undefined ? {} : { before }),
    query: tableQuery("call_graph_nodes", `FROM ${schema.qualified(from.table)} c ${joins}`, {
      org,
      ...commonFields(schema, from),
      request_id: textOf(schema, from, "request_id"),
      attributes: callAttributes(schema),
    }),
    map(row, context) {
      const [requestId = null, attributes = null] = row.slice(FIRST_OWN_FIELD);
      const values = rowValues(row, context, [
        CALLS_GRAPH,
        required(requestId, "request_id"),
        attributesOf(attributes, context),
      ]);
      return typed(values, "nodeType", "call");
    },
  };
  return schema.has("call_graph_edges", "source_request_id")
    ? [calls, callEdgesImport(schema, { joins, org })]
    : [calls];
}

function callEdgesImport(
  schema: SourceSchema,
  { joins, org }: { readonly joins: string; readonly org: string },
): TableImport {
  const from = { table: "call_graph_edges", alias: "x" };
  return {
    name: "call_graph_edges",
    counted: "call_graph_edges",
    place: "tenant",
    target: "edges",
    query: tableQuery(
      "call_graph_edges",
      `FROM ${schema.qualified(from.table)} x
       LEFT JOIN ${schema.qualified("call_graph_nodes")} c
         ON c.request_id::text = x.source_request_id::text ${joins}`,
      {
        org,
        ...commonFields(schema, from),
        source: textOf(schema, from, "source_request_id"),
        target: textOf(schema, from, "target_request_id"),
        edge_type: textOf(schema, from, "edge_type"),
      },
    ),
    map(row, context) {
      const [source = null, target = null, type = null] = row.slice(FIRST_OWN_FIELD);
      const values: readonly SqlInput[] = [
        ...commonValues(row, context),
        ...[CALLS_GRAPH, null, required(source, "source_request_id")],
        ...[required(target, "target_request_id"), "{}", 0],
      ];
      return typed(values, "edgeType", callEdgeType(type));
    },
  };
}

function callEdgeType(type: Field): string {
  if (type === null || type === "triggered" || type === "depends_on") return type ?? "triggered";
  throw new RowRefusal("CONSTRAINT", `edge_type is "${type}", not "triggered" or "depends_on"`);
}

/** What the Module of call graphs knows of a call; the rest of the row stays behind under its metadata. */
const CALL_COLUMNS: readonly (readonly [name: string, column: string])[] = [
  ["requestId", "request_id"],
  ["operationId", "operation_id"],
  ["status", "status"],
  ["parentRequestId", "parent_request_id"],
  ["input", "input"],
  ["output", "output"],
  ["error", "error"],
  ["identity", "identity"],
  ["startedAt", "started_at"],
  ["completedAt", "completed_at"],
];

function callAttributes(schema: SourceSchema): string {
  const from = { table: "call_graph_nodes", alias: "c" };
  const members = CALL_COLUMNS.filter(([, column]) => schema.has(from.table, column)).map(
    ([name, column]) => ({ name, column, optional: true }),
  );
  return jsonObjectOf(schema, from, members);
}

/** Joins the graph of a node or edge, as `graph`, with its organization and its type. */
function graphOf({ schema, unownedTo }: TenantTablesOptions, alias: string): string {
  const { joins, org } = ownershipOf(schema, { table: "graphs", alias: "g", unownedTo });
  return `LEFT JOIN (
    SELECT g.id, ${org} AS org, ${textOf(schema, { table: "graphs", alias: "g" }, "graph_type_id")} AS graph_type_id
    FROM ${schema.qualified("graphs")} g ${joins}
  ) graph ON graph.id = ${alias}.graph_id`;
}

/**
 * The type of a node or edge that its metadata does not name: the only one there is, or the one that an
 * attribute names.
 */
function typeOf(types: readonly string[], attributes: string, property: string): string | null {
  if (types.length <= 1) return types[0] ?? null;
  const value = (JSON.parse(attributes) as Record<string, unknown>)[property];
  return typeof value === "string" && types.includes(value) ? value : null;
}

/** The values with the type in the metadata, where the store looks for it. */
function typed(
  values: readonly SqlInput[],
  property: "nodeType" | "edgeType",
  type: string | null,
): readonly SqlInput[] {
  const METADATA = 1;
  const metadata = String(values[METADATA]);
  if (type === null || metadata.includes('"_metagraph"')) return values;
  const text = withMember(metadata, "_metagraph", JSON.stringify({ [property]: type }));
  return values.map((value, index) => (index === METADATA ? text : value));
}
