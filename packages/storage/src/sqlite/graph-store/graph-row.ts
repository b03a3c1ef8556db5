import type { SqlValue } from "@alkdev/honker";
import type { JsonObject } from "../tables/common.ts";
import type { GRAPH_STATUSES } from "../tables/metagraph/graphs.ts";
import { splitMetadata } from "./rows.ts";
import type { StoreContext } from "./store-context.ts";

/** Where a graph is in its life; an archived one can only be read. */
export type GraphStatus = (typeof GRAPH_STATUSES)[number];

/** A graph as it is stored. */
export interface StoredGraph {
  readonly id: string;
  /** Name of its graph type; null where the type is gone. */
  readonly type: string | null;
  readonly typeId: string | null;
  readonly name: string;
  readonly description: string;
  readonly status: GraphStatus;
  /** An account; null: the system. */
  readonly ownerId: string | null;
  /** Null: the organisation as a whole. */
  readonly projectId: string | null;
  readonly metadata: JsonObject;
  /** Counts changes of these fields, from 1; not those of nodes and edges. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The columns that {@link graphOf} reads, in its order, of `graphs g` joined with `graph_types t`. */
export const GRAPH_COLUMNS = `g.id, g.metadata, g.created_at, g.updated_at, g.graph_type_id, t.name,
  g.name, g.description, g.status, g.owner_id, g.project_id`;
export const FROM_GRAPHS = "FROM graphs g LEFT JOIN graph_types t ON t.id = g.graph_type_id";
const BY_ID = `SELECT ${GRAPH_COLUMNS} ${FROM_GRAPHS} WHERE g.id = +?`;

/** A graph from its columns. */
export function graphOf(row: readonly SqlValue[]): StoredGraph {
  const [id, metadataText, createdAt, updatedAt, typeId, type, name, description] = row as [
    ...[string, string, number, number],
    ...[string | null, string | null, string, string],
  ];
  const [status, ownerId, projectId] = row.slice(8) as [GraphStatus, string | null, string | null];
  const { internal, metadata } = splitMetadata(metadataText);
  return {
    id,
    type,
    typeId,
    name,
    description,
    status,
    ownerId,
    projectId,
    metadata,
    revision: internal.revision ?? 1,
    createdAt: new Date(createdAt * 1_000),
    updatedAt: new Date(updatedAt * 1_000),
  };
}

/** The graph of that id, or null. */
export function readGraph(store: StoreContext, id: string): StoredGraph | null {
  const row = store.sql(BY_ID).row([id]);
  return row === undefined ? null : graphOf(row);
}
