import { graphs, type StoredGraph } from "@alkdev/storage/sqlite";
import { and, eq, ne, sql } from "drizzle-orm";
import { PackageGraph } from "./graph-type.ts";
import type { LockFile } from "./lock-file/lock-file.ts";
import type { Store } from "./store.ts";

/** What the import keeps in the graph's metadata, under `_packageGraph`. */
export interface ImportState {
  /** Absolute path of the lock file. */
  readonly source: string;
  /** Of its content. */
  readonly hash: string;
  /** Batches that are committed. */
  readonly imported: number;
}

/** The graph of a lock file. */
export interface PackageGraphRow {
  readonly id: string;
  readonly status: StoredGraph["status"];
  readonly state: ImportState;
}

/** What was found of a lock file: nothing, an unfinished or finished import, one of another content. */
export type Origin = "imported" | "resumed" | "imported anew";

const source = sql`json_extract(${graphs.metadata}, '$._packageGraph.source')`;

/** Reads a graph; `null` when there is none of this id. */
export function readGraph(store: Store, id: string): PackageGraphRow | null {
  const graph = store.graphs.getGraph(id);
  return graph === null ? null : toGraph(graph);
}

/** Writes how far the import is. */
export function saveImported(store: Store, graph: PackageGraphRow, imported: number): void {
  store.graphs.updateGraph(graph.id, { metadata: metadataOf({ ...graph.state, imported }) });
}

/**
 * The graph of this content of the lock file, made when there is none. A graph of an earlier content
 * is archived: its data stays, its remaining jobs have no effect.
 */
export function openGraph(store: Store, lock: LockFile): { id: string; origin: Origin } {
  return store.db.transaction((tx) => {
    const current = tx
      .select({ id: graphs.id })
      .from(graphs)
      .where(and(eq(source, lock.path), ne(graphs.status, "archived")))
      .get();
    const known = current === undefined ? null : readGraph(store, current.id);
    if (known?.state.hash === lock.hash) return { id: known.id, origin: "resumed" };
    if (known !== null) store.graphs.archiveGraph(known.id);
    const created = store.graphs.createGraph({
      type: PackageGraph.name,
      name: lock.graph.name,
      metadata: metadataOf({ source: lock.path, hash: lock.hash, imported: 0 }),
    });
    return { id: created.id, origin: known === null ? "imported" : "imported anew" };
  });
}

/** Opens the graph for the workers, once all of it is imported. */
export function activate(store: Store, graphId: string): void {
  store.db.transaction(() => {
    if (readGraph(store, graphId)?.status !== "draft") return;
    store.graphs.updateGraph(graphId, { status: "active" });
  });
}

function metadataOf(state: ImportState): Readonly<Record<string, unknown>> {
  return { _packageGraph: state };
}

function toGraph({ id, status, metadata }: StoredGraph): PackageGraphRow {
  return { id, status, state: metadata["_packageGraph"] as ImportState };
}
