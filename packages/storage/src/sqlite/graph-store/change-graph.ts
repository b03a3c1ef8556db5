import { StorageError } from "../../errors.ts";
import type { JsonObject } from "../tables/common.ts";
import { checkGraphFields } from "./check-graph.ts";
import { requireUnchanged } from "./expectation.ts";
import { archived, graphNotFound } from "./graph-context.ts";
import { type GraphStatus, readGraph, type StoredGraph } from "./graph-row.ts";
import type { ChangeOptions } from "./inputs.ts";
import { isSameJson } from "./json-value.ts";
import { joinMetadata } from "./rows.ts";
import type { StoreContext } from "./store-context.ts";

/** Fields of a graph to change. */
export interface GraphChanges {
  readonly name?: string;
  readonly description?: string;
  /** `archived` makes it read-only; another status makes it writable again. */
  readonly status?: GraphStatus;
  readonly ownerId?: string | null;
  readonly projectId?: string | null;
  /** Replaces what is there. */
  readonly metadata?: JsonObject;
}

const UPDATE = `UPDATE graphs SET metadata = ?, updated_at = ?, name = ?, description = ?, status = ?,
    owner_id = ?, project_id = ?
  WHERE id = +?`;
const DELETE = "DELETE FROM graphs WHERE id = +?";

/**
 * Changes fields of a graph; those that are equal already are left out, and nothing is written where no
 * other is left.
 *
 * @throws StorageError `NOT_FOUND`, `READ_ONLY`, `CONFLICT`, `INVALID_ARGUMENT`
 */
export function updateGraph(
  store: StoreContext,
  id: string,
  { changes, ...expectation }: ChangeOptions & { readonly changes: GraphChanges },
): StoredGraph {
  checkGraphFields(changes, []);
  for (const fixed of ["id", "type"] as const) {
    if (!Object.hasOwn(changes, fixed)) continue;
    throw new StorageError("INVALID_ARGUMENT", `the ${fixed} of a graph cannot be changed`);
  }
  return store.transaction(() => {
    const graph = readGraph(store, id);
    if (graph === null) throw graphNotFound(id);
    requireUnchanged(`graph "${id}"`, graph, expectation);
    const changed = Object.fromEntries(
      Object.entries(changes).filter(
        ([name, value]) =>
          value !== undefined && !isSameJson(value, graph[name as keyof StoredGraph]),
      ),
    );
    if (Object.keys(changed).length === 0) return graph;
    const next = { ...graph, ...changed };
    if (graph.status === "archived" && next.status === "archived") throw archived(id);
    const metadata = joinMetadata(next.metadata, { revision: graph.revision + 1 });
    const { name, description, status, ownerId, projectId } = next;
    const values = [metadata, store.nowSeconds(), name, description, status, ownerId, projectId];
    store.sql(UPDATE).run([...values, id]);
    store.client.notify("graph:updated", { graphId: id, changes: changed });
    return readGraph(store, id) as StoredGraph;
  });
}

/** Deletes a graph with everything in it. Returns false where there is none. */
export function deleteGraph(store: StoreContext, id: string): boolean {
  return store.transaction(() => {
    if (store.sql(DELETE).run([id]).changes === 0) return false;
    store.client.notify("graph:deleted", { graphId: id });
    return true;
  });
}
