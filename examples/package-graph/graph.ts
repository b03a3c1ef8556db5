import { graphs } from "@alkdev/storage/sqlite";
import { and, eq, ne, sql } from "drizzle-orm";
import type { LockFile } from "./lock-file/lock-file.ts";
import { GRAPH_CREATED, GRAPH_UPDATED } from "./names.ts";
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
  readonly status: "draft" | "active" | "archived";
  readonly state: ImportState;
}

/** What was found of a lock file: nothing, an unfinished or finished import, one of another content. */
export type Origin = "imported" | "resumed" | "imported anew";

const source = sql`json_extract(${graphs.metadata}, '$._packageGraph.source')`;

/** Reads a graph; `null` when there is none of this id. */
export function readGraph(store: Store, id: string): PackageGraphRow | null {
  const row = store.db.select().from(graphs).where(eq(graphs.id, id)).get();
  return row === undefined ? null : toGraph(row);
}

/** Writes how far the import is. */
export function saveImported(store: Store, graph: PackageGraphRow, imported: number): void {
  store.db
    .update(graphs)
    .set({ metadata: { _packageGraph: { ...graph.state, imported } } })
    .where(eq(graphs.id, graph.id))
    .run();
}

/**
 * The graph of this content of the lock file, made when there is none. A graph of an earlier content
 * is archived: its data stays, its remaining jobs have no effect.
 */
export function openGraph(
  store: Store,
  lock: LockFile,
  graphTypeId: string,
): { id: string; origin: Origin } {
  return store.db.transaction((tx) => {
    const current = tx
      .select()
      .from(graphs)
      .where(and(eq(source, lock.path), ne(graphs.status, "archived")))
      .get();
    const known = current === undefined ? undefined : toGraph(current);
    if (known?.state.hash === lock.hash) return { id: known.id, origin: "resumed" };
    if (known !== undefined) {
      tx.update(graphs).set({ status: "archived" }).where(eq(graphs.id, known.id)).run();
      tx.$honkerTx.notify(GRAPH_UPDATED, { graphId: known.id, changes: { status: "archived" } });
    }
    const state: ImportState = { source: lock.path, hash: lock.hash, imported: 0 };
    const created = tx
      .insert(graphs)
      .values({ graphTypeId, name: lock.graph.name, metadata: { _packageGraph: state } })
      .returning()
      .get();
    tx.$honkerTx.notify(GRAPH_CREATED, { graphId: created.id, graphTypeId, ownerId: null });
    return { id: created.id, origin: known === undefined ? "imported" : "imported anew" };
  });
}

/** Opens the graph for the workers, once all of it is imported. */
export function activate(store: Store, graphId: string): void {
  store.db.transaction((tx) => {
    const { changes } = tx
      .update(graphs)
      .set({ status: "active" })
      .where(and(eq(graphs.id, graphId), eq(graphs.status, "draft")))
      .run();
    if (changes === 0) return;
    tx.$honkerTx.notify(GRAPH_UPDATED, { graphId, changes: { status: "active" } });
  });
}

function toGraph({ id, status, metadata }: typeof graphs.$inferSelect): PackageGraphRow {
  return { id, status, state: metadata["_packageGraph"] as ImportState };
}
