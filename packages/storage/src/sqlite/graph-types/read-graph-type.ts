import type { Database } from "@alkdev/honker";
import type { DbEdgeTypeRow, DbNodeTypeRow, DbSchema } from "../../graphs/index.ts";
import type { GRAPH_TYPE_SCOPES } from "../tables/metagraph/graph-types.ts";

/** A graph type as a file holds it. */
export interface StoredGraphType extends DbSchema {
  readonly id: string;
  readonly scope: (typeof GRAPH_TYPE_SCOPES)[number];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Which graph type: by its name or by its id. */
export type GraphTypeRef = { readonly name: string } | { readonly id: string };

const COLUMNS = "id, name, description, config, version, scope, metadata";
const BY_ID = `SELECT ${COLUMNS} FROM graph_types WHERE id = ?`;
const BY_NAME = `SELECT ${COLUMNS} FROM graph_types WHERE name = ?`;
const NODE_TYPES =
  "SELECT name, description, schema FROM node_types WHERE graph_type_id = ? ORDER BY name";
const EDGE_TYPES = `SELECT name, description, schema, allowed_source_types, allowed_target_types
  FROM edge_types WHERE graph_type_id = ? ORDER BY name`;

/** A stored graph type with its node and edge types, or null. */
export function readGraphType(client: Database, ref: GraphTypeRef): StoredGraphType | null {
  const [row] = "id" in ref ? client.rows(BY_ID, [ref.id]) : client.rows(BY_NAME, [ref.name]);
  if (row === undefined) return null;
  const [id, name, description, config, version, scope, metadata] = row as [
    ...[string, string, string, string, number],
    StoredGraphType["scope"],
    string,
  ];
  return {
    id,
    scope,
    metadata: JSON.parse(metadata),
    graphType: { name, description, config: JSON.parse(config), version },
    nodeTypes: client.rows(NODE_TYPES, [id]).map((type) => nodeTypeRow(type as string[])),
    edgeTypes: client.rows(EDGE_TYPES, [id]).map((type) => edgeTypeRow(type as string[])),
  };
}

function nodeTypeRow([name = "", description = "", schema = "{}"]: string[]): DbNodeTypeRow {
  return { name, description, schema: JSON.parse(schema) };
}

function edgeTypeRow(row: string[]): DbEdgeTypeRow {
  const [sources = "[]", targets = "[]"] = row.slice(3);
  return {
    ...nodeTypeRow(row),
    allowedSourceTypes: JSON.parse(sources),
    allowedTargetTypes: JSON.parse(targets),
  };
}
