import type { SyncCallback } from "@alkdev/honker";
import type { JsonObject } from "../tables/common.ts";
import { EDGE, NODE, patchRow, type RowKind, type RowRef, replaceRow } from "./change-rows.ts";
import { requireArray } from "./check-nodes.ts";
import { deleteEdges, deleteNodes } from "./delete-rows.ts";
import { describeGraph, type GraphDescription } from "./describe-graph.ts";
import type { FollowOptions } from "./direction.ts";
import { eachRow } from "./each-row.ts";
import { GraphContext } from "./graph-context.ts";
import type { ChangeOptions, EdgeInput, NodeInput, Replacement, UpsertResult } from "./inputs.ts";
import { insertEdges } from "./insert-edges.ts";
import { insertNodes } from "./insert-nodes.ts";
import { countEdges, type EdgeFilter, type ListEdgesOptions, listEdges } from "./list-edges.ts";
import { countNodes, type ListNodesOptions, listNodes, type NodeFilter } from "./list-nodes.ts";
import { degree, type NeighboursOptions, neighbours } from "./neighbours.ts";
import { type Reach, type ReachOptions, reachable, type Subgraph, subgraph } from "./reachable.ts";
import { readEdge } from "./read-edges.ts";
import { readNode, readNodes } from "./read-nodes.ts";
import type { Page, StoredEdge, StoredNode, StoredRow } from "./rows.ts";
import { type PathOptions, shortestPath } from "./shortest-path.ts";
import type { StoreContext } from "./store-context.ts";
import { upsertEdges } from "./upsert-edges.ts";
import { upsertNodes } from "./upsert-nodes.ts";

/**
 * The nodes and edges of one graph. Each call that writes is one transaction, or part of the open one:
 * it checks all its rows by the graph's stored type, writes all or none, and tells what it wrote on the
 * channels of the tenant's catalog in the same commit.
 *
 * Every call throws `CLOSED` once the database is closed; those that write throw `NOT_FOUND` where the
 * graph is gone, `READ_ONLY` where it is archived and `MIGRATION_STATE` while its type is migrated.
 */
export class Graph {
  /** The graph's id. */
  readonly id: string;
  readonly #context: GraphContext;

  /** @internal Use {@link GraphStore.graph}. */
  constructor(store: StoreContext, id: string) {
    this.id = id;
    this.#context = new GraphContext(store, id);
  }

  /**
   * Adds nodes. Returns their ids in order.
   *
   * @throws StorageError `INVALID_ATTRIBUTES` with every problem in `details.issues`, `ALREADY_EXISTS`
   * @example
   * ```ts
   * graph.insertNodes([{ key: "task-1", type: "task", attributes: { title: "write", state: "open" } }]);
   * ```
   */
  insertNodes(nodes: readonly NodeInput[]): readonly string[] {
    return insertNodes(this.#context, nodes);
  }

  /**
   * Adds nodes, and gives those whose key is taken the attributes of the call. Equal ones are not written.
   *
   * @throws StorageError `INVALID_ATTRIBUTES`, `ALREADY_EXISTS` where a node is of another type
   */
  upsertNodes(nodes: readonly NodeInput[]): UpsertResult {
    return upsertNodes(this.#context, nodes);
  }

  /** The node of that key, or null. */
  getNode(key: string): StoredNode | null {
    return readNode(this.#context, key);
  }

  /** The nodes of these keys in their order, null where there is none. */
  getNodes(keys: readonly string[]): readonly (StoredNode | null)[] {
    requireArray(keys, "keys");
    const found = readNodes(this.#context, keys);
    return keys.map((key) => found.get(key) ?? null);
  }

  /**
   * Nodes by type and attributes, by key or by an attribute, page by page. Rows added or deleted between
   * two pages shift nothing.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   * @example
   * ```ts
   * const { items, cursor } = graph.listNodes({
   *   type: "task",
   *   where: { state: "open", "size.width": { gt: 3 } },
   *   orderBy: { attribute: "size.width", direction: "desc" },
   *   limit: 50,
   * });
   * ```
   */
  listNodes(options?: ListNodesOptions): Page<StoredNode> {
    return listNodes(this.#context, options);
  }

  /** How many nodes there are. @throws StorageError `INVALID_ARGUMENT` */
  countNodes(filter?: NodeFilter): number {
    return countNodes(this.#context, filter);
  }

  /**
   * Merges `patch` into a node's attributes (RFC 7396: null removes). Returns the node as it is now.
   *
   * @throws StorageError `NOT_FOUND`, `CONFLICT`, `INVALID_ATTRIBUTES`, `INVALID_ARGUMENT`
   * @example
   * ```ts
   * graph.patchNode("task-1", { state: "done" }, { ifRevision: 3 });
   * ```
   */
  patchNode(key: string, patch: JsonObject, options: ChangeOptions = {}): StoredNode {
    return patchRow(this.#ref(NODE, key), patch, options);
  }

  /** Gives a node other attributes. Returns it as it is now. @throws as {@link patchNode} */
  replaceNode(key: string, replacement: Replacement, options: ChangeOptions = {}): StoredNode {
    return replaceRow(this.#ref(NODE, key), replacement, options);
  }

  /** Deletes nodes, and their edges with them. Returns how many nodes were there. */
  deleteNodes(keys: readonly string[]): number {
    return deleteNodes(this.#context, keys);
  }

  /**
   * Adds edges. Returns their ids in order.
   *
   * @throws StorageError `INVALID_ATTRIBUTES`, `EDGE_NOT_ALLOWED` with every edge and why in
   * `details.issues`, `ALREADY_EXISTS`
   * @example
   * ```ts
   * graph.insertEdges([{ type: "waits_for", source: "task-1", target: "task-2" }]);
   * ```
   */
  insertEdges(edges: readonly EdgeInput[]): readonly string[] {
    return insertEdges(this.#context, edges);
  }

  /**
   * Adds edges, and gives those that are there the attributes of the call: by key, or without a key by
   * type and ends where the graph type has no multi-edges. Equal ones are not written.
   *
   * @throws StorageError as {@link insertEdges}; `ALREADY_EXISTS` where an edge has other ends or type
   */
  upsertEdges(edges: readonly EdgeInput[]): UpsertResult {
    return upsertEdges(this.#context, edges);
  }

  /** The edge of that key, or of that id where it has no key; null where there is none. */
  getEdge(key: string): StoredEdge | null {
    return readEdge(this.#context, key);
  }

  /** Edges by type, ends and attributes, page by page. @throws StorageError `INVALID_ARGUMENT` */
  listEdges(options?: ListEdgesOptions): Page<StoredEdge> {
    return listEdges(this.#context, options);
  }

  /** How many edges there are. @throws StorageError `INVALID_ARGUMENT` */
  countEdges(filter?: EdgeFilter): number {
    return countEdges(this.#context, filter);
  }

  /** As {@link patchNode}, for the edge of that key, or of that id where it has none. */
  patchEdge(key: string, patch: JsonObject, options: ChangeOptions = {}): StoredEdge {
    return patchRow(this.#ref(EDGE, key), patch, options);
  }

  /** As {@link replaceNode}, for the edge of that key, or of that id where it has none. */
  replaceEdge(key: string, replacement: Replacement, options: ChangeOptions = {}): StoredEdge {
    return replaceRow(this.#ref(EDGE, key), replacement, options);
  }

  /** Deletes edges by their keys, or ids where they have none. Returns how many were there. */
  deleteEdges(keys: readonly string[]): number {
    return deleteEdges(this.#context, keys);
  }

  /** All nodes that `filter` selects, by key. Others can write meanwhile; new nodes may be seen or not. */
  eachNode(filter: NodeFilter = {}): Generator<StoredNode, void, void> {
    return eachRow((page) => this.listNodes({ ...filter, ...page }));
  }

  /** All edges that `filter` selects, by source, target and id; see {@link eachNode}. */
  eachEdge(filter: EdgeFilter = {}): Generator<StoredEdge, void, void> {
    return eachRow((page) => this.listEdges({ ...filter, ...page }));
  }

  /** The graph itself, and the types its nodes and edges may have. @throws StorageError `NOT_FOUND` */
  describe(): GraphDescription {
    return describeGraph(this.#context);
  }

  /** Runs `work` in one transaction, or in a savepoint of the open one. */
  transaction<T>(work: SyncCallback<void, T>): T {
    return this.#context.store.transaction(work as () => T);
  }

  /** Runs `work`, which only reads, so that all its reads see one state of the file. */
  read<T>(work: SyncCallback<void, T>): T {
    return this.#context.store.read(work as () => T);
  }

  /**
   * The nodes that edges lead to from a node, each once, by key, page by page.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   * @example
   * ```ts
   * const { items } = graph.neighbours("task-1", { direction: "in", edgeType: "waits_for" });
   * ```
   */
  neighbours(key: string, options?: NeighboursOptions): Page<StoredNode> {
    return neighbours(this.#context, key, options);
  }

  /**
   * How many edges leave a node, lead to it, or both; 0 where there is no such node. A loop counts once for
   * each of its ends that is counted.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   */
  degree(key: string, options?: FollowOptions): number {
    return degree(this.#context, key, options);
  }

  /**
   * Keys of a shortest path, both ends included; null where there is none.
   *
   * @throws StorageError `INVALID_ARGUMENT`, `LIMIT_REACHED` with `maxNodes`
   * @example
   * ```ts
   * graph.shortestPath("task-1", "task-9", { maxDepth: 6 }); // ["task-1", "task-4", "task-9"]
   * ```
   */
  shortestPath(from: string, to: string, options?: PathOptions): readonly string[] | null {
    return shortestPath(this.#context, { from, to }, options);
  }

  /**
   * Keys of the nodes that edges lead to from the roots, the nearest first, and how far they are.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   */
  reachable(roots: readonly string[], options?: ReachOptions): Reach {
    return reachable(this.#context, roots, options);
  }

  /**
   * The nodes that {@link reachable} finds, and every edge between two of them.
   *
   * @throws StorageError `INVALID_ARGUMENT`
   */
  subgraph(roots: readonly string[], options?: ReachOptions): Subgraph {
    return subgraph(this.#context, roots, options);
  }

  #ref<Row extends StoredRow>(of: RowKind<Row>, name: string): RowRef<Row> {
    return { of, graph: this.#context, name };
  }
}
