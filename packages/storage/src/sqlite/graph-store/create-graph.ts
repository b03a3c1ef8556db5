import { HonkerError } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { JsonObject } from "../tables/common.ts";
import { uuidV7 } from "../uuid-v7.ts";
import { checkGraphFields } from "./check-graph.ts";
import { type GraphStatus, readGraph, type StoredGraph } from "./graph-row.ts";
import type { StoreContext } from "./store-context.ts";

/** A graph to create. */
export interface GraphInput {
  /** Name of a stored graph type: `task_graph`. */
  readonly type: string;
  readonly name: string;
  /** Default empty. */
  readonly description?: string;
  /** Default `draft`, which can be written like an active one. */
  readonly status?: GraphStatus;
  /** The account that owns it. Default null, the system. */
  readonly ownerId?: string | null;
  /** The project it belongs to. Default null, the organisation as a whole. */
  readonly projectId?: string | null;
  /** Notes that no schema checks. Default `{}`. */
  readonly metadata?: JsonObject;
  /** Default a new UUID v7. */
  readonly id?: string;
}

const TYPE_ID = "SELECT id FROM graph_types WHERE name = +?";
const INSERT = `INSERT INTO graphs (id, metadata, created_at, updated_at, graph_type_id, name,
    description, status, owner_id, project_id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Creates a graph. @throws StorageError `NOT_FOUND`, `ALREADY_EXISTS`, `INVALID_ARGUMENT` */
export function createGraph(store: StoreContext, input: GraphInput): StoredGraph {
  checkGraphFields(input);
  const { type, name, description = "", status = "draft", metadata = {} } = input;
  const { ownerId = null, projectId = null, id = uuidV7() } = input;
  return store.transaction(() => {
    const typeId = graphTypeId(store, type);
    const now = store.nowSeconds();
    const values = [typeId, name, description, status, ownerId, projectId];
    try {
      store.sql(INSERT).run([id, JSON.stringify(metadata), now, now, ...values]);
    } catch (error) {
      throw isTaken(error) ? exists(id, error) : error;
    }
    store.client.notify("graph:created", { graphId: id, graphTypeId: typeId, ownerId });
    return readGraph(store, id) as StoredGraph;
  });
}

function graphTypeId(store: StoreContext, name: string): string {
  const row = store.sql(TYPE_ID).row([name]);
  if (row !== undefined) return row[0] as string;
  throw new StorageError("NOT_FOUND", `there is no graph type "${name}"`, {
    hint: "Store it with registerGraphType",
    details: { graphType: name },
  });
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof HonkerError && error.details.sqliteCode === "SQLITE_CONSTRAINT_PRIMARYKEY"
  );
}

function exists(id: string, cause: unknown): StorageError {
  return new StorageError("ALREADY_EXISTS", `there is a graph "${id}" already`, {
    cause,
    details: { graphId: id },
  });
}
