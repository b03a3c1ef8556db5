import type { Transaction } from "@alkdev/honker";
import type { DbEdgeTypeRow, DbNodeTypeRow, DbSchema } from "../../graphs/index.ts";
import { nameUuid } from "../name-uuid.ts";
import { uuidV7 } from "../uuid-v7.ts";
import type { StoredGraphType } from "./read-graph-type.ts";

/** Where a graph type is written. */
export interface GraphTypeTarget {
  readonly scope: StoredGraphType["scope"];
  /** The row it has; null creates one. */
  readonly stored: StoredGraphType | null;
}

const INSERT_TYPE = `INSERT INTO graph_types (id, name, description, config, version, scope)
  VALUES (?, ?, ?, ?, ?, ?)`;
const UPDATE_TYPE = `UPDATE graph_types
  SET description = ?, config = ?, version = ?, updated_at = unixepoch() WHERE id = ?`;
const PUT_NODE_TYPE = `INSERT INTO node_types (id, graph_type_id, name, description, schema)
  VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (graph_type_id, name) DO UPDATE SET
    description = excluded.description, schema = excluded.schema, updated_at = unixepoch()
  WHERE description <> excluded.description OR schema <> excluded.schema`;
const PUT_EDGE_TYPE = `INSERT INTO edge_types
    (id, graph_type_id, name, description, schema, allowed_source_types, allowed_target_types)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (graph_type_id, name) DO UPDATE SET
    description = excluded.description, schema = excluded.schema,
    allowed_source_types = excluded.allowed_source_types,
    allowed_target_types = excluded.allowed_target_types, updated_at = unixepoch()
  WHERE description <> excluded.description OR schema <> excluded.schema
    OR allowed_source_types <> excluded.allowed_source_types
    OR allowed_target_types <> excluded.allowed_target_types`;
const DELETE_NODE_TYPE = "DELETE FROM node_types WHERE graph_type_id = ? AND name = ?";
const DELETE_EDGE_TYPE = "DELETE FROM edge_types WHERE graph_type_id = ? AND name = ?";

/**
 * Writes a graph type's rows: creates it, or makes the stored one equal to `schema`. Ids of rows that
 * are there stay. Ids of system types are made from their names, the same in every file.
 *
 * @returns the id of the graph type
 */
export function writeGraphType(
  tx: Transaction,
  schema: DbSchema,
  { scope, stored }: GraphTypeTarget,
): string {
  const { name, description, config, version } = schema.graphType;
  const newId = (kind: string, type: string): string =>
    scope === "system" ? nameUuid(`${kind}:${type}`) : uuidV7();
  const id = stored?.id ?? newId("graph_type", name);
  if (stored === null) {
    tx.execute(INSERT_TYPE, [id, name, description, JSON.stringify(config), version, scope]);
  } else {
    tx.execute(UPDATE_TYPE, [description, JSON.stringify(config), version, id]);
  }
  for (const type of schema.nodeTypes) {
    const row = newId("node_type", `${name}.${type.name}`);
    tx.execute(PUT_NODE_TYPE, [row, id, ...typeValues(type)]);
  }
  for (const type of schema.edgeTypes) {
    const row = newId("edge_type", `${name}.${type.name}`);
    tx.execute(PUT_EDGE_TYPE, [row, id, ...typeValues(type), ...endValues(type)]);
  }
  for (const type of gone(stored?.nodeTypes, schema.nodeTypes)) {
    tx.execute(DELETE_NODE_TYPE, [id, type]);
  }
  for (const type of gone(stored?.edgeTypes, schema.edgeTypes)) {
    tx.execute(DELETE_EDGE_TYPE, [id, type]);
  }
  return id;
}

function typeValues({ name, description, schema }: DbNodeTypeRow): string[] {
  return [name, description, JSON.stringify(schema)];
}

function endValues({ allowedSourceTypes, allowedTargetTypes }: DbEdgeTypeRow): string[] {
  return [JSON.stringify(allowedSourceTypes), JSON.stringify(allowedTargetTypes)];
}

function gone(
  stored: readonly DbNodeTypeRow[] = [],
  kept: readonly DbNodeTypeRow[],
): readonly string[] {
  const names = new Set(kept.map(({ name }) => name));
  return stored.map(({ name }) => name).filter((name) => !names.has(name));
}
