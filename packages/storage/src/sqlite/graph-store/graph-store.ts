import type { Clock } from "@alkdev/honker";
import type { TenantDatabase } from "../client.ts";
import {
  type AttributeIndex,
  type AttributeIndexInput,
  declareIndex,
  dropIndex,
  listIndexes,
} from "./attribute-index.ts";
import { deleteGraph, type GraphChanges, updateGraph } from "./change-graph.ts";
import { createGraph, type GraphInput } from "./create-graph.ts";
import { Graph } from "./graph.ts";
import { graphNotFound } from "./graph-context.ts";
import { readGraph, type StoredGraph } from "./graph-row.ts";
import type { ChangeOptions } from "./inputs.ts";
import { type ListGraphsOptions, listGraphs } from "./list-graphs.ts";
import type { Page } from "./rows.ts";
import { StoreContext } from "./store-context.ts";

/** Options of {@link createGraphStore}. */
export interface GraphStoreOptions {
  /** Where `created_at` and `updated_at` come from. Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** The graphs of a tenant's file. Every call is synchronous and joins the open transaction. */
export interface GraphStore {
  /**
   * Creates a graph of a stored graph type.
   *
   * @throws StorageError `NOT_FOUND` for an unknown graph type, `ALREADY_EXISTS`, `INVALID_ARGUMENT`
   */
  createGraph(input: GraphInput): StoredGraph;
  /** The graph of that id, or null. */
  getGraph(id: string): StoredGraph | null;
  /** Graphs by type, status, owner and project, page by page. @throws StorageError `INVALID_ARGUMENT` */
  listGraphs(options?: ListGraphsOptions): Page<StoredGraph>;
  /**
   * Changes fields of a graph. An archived one takes no change but that of its status.
   *
   * @throws StorageError `NOT_FOUND`, `READ_ONLY`, `CONFLICT`, `INVALID_ARGUMENT`
   */
  updateGraph(id: string, changes: GraphChanges, options?: ChangeOptions): StoredGraph;
  /** Makes a graph read-only. @throws StorageError `NOT_FOUND`, `CONFLICT` */
  archiveGraph(id: string, options?: ChangeOptions): StoredGraph;
  /** Deletes a graph with its nodes and edges, also an archived one. False where there is none. */
  deleteGraph(id: string): boolean;
  /**
   * Makes an index that filters and orders of `listNodes` by this attribute use, for all nodes of types of
   * that name; returns false where there is one. It is built at once, with the write lock held.
   *
   * @throws StorageError `NOT_FOUND`, `INVALID_ARGUMENT`
   */
  declareIndex(input: AttributeIndexInput): boolean;
  /** Drops such an index; false where there is none. @throws StorageError `INVALID_ARGUMENT` */
  dropIndex(index: AttributeIndex): boolean;
  /** The indexes that were declared. */
  listIndexes(): readonly AttributeIndex[];
  /** The nodes and edges of a graph. @throws StorageError `NOT_FOUND` */
  graph(id: string): Graph;
}

/**
 * A store of graphs over a tenant's database.
 *
 * @example
 * ```ts
 * const store = createGraphStore(createTenantDatabase(open("./data/tenant-acme.db")));
 * const { id } = store.createGraph({ type: "call_graph", name: "June" });
 * store.graph(id).insertNodes([
 *   { key: "r-1", type: "call", attributes: { requestId: "r-1", operationId: "fs.read", status: "pending" } },
 * ]);
 * ```
 */
export function createGraphStore(db: TenantDatabase, options: GraphStoreOptions = {}): GraphStore {
  const store = new StoreContext(db.$client, options.clock);
  return {
    createGraph: (input) => createGraph(store, input),
    getGraph: (id) => readGraph(store, id),
    listGraphs: (list) => listGraphs(store, list),
    updateGraph: (id, changes, change = {}) => updateGraph(store, id, { ...change, changes }),
    archiveGraph: (id, change = {}) =>
      updateGraph(store, id, { ...change, changes: { status: "archived" } }),
    deleteGraph: (id) => deleteGraph(store, id),
    declareIndex: (input) => declareIndex(store, input),
    dropIndex: (index) => dropIndex(store, index),
    listIndexes: () => listIndexes(store),
    graph: (id) => {
      if (readGraph(store, id) === null) throw graphNotFound(id);
      return new Graph(store, id);
    },
  };
}
