import { StorageError } from "../../errors.ts";
import { EDGE, writeRow } from "./change-rows.ts";
import { type CheckedEdge, checkEdges } from "./check-edges.ts";
import { checkEnds, identityOf } from "./check-ends.ts";
import { edgeIdentity, readParallel } from "./edge-identity.ts";
import { notifyKeys } from "./events.ts";
import type { GraphContext } from "./graph-context.ts";
import type { EdgeInput, UpsertResult } from "./inputs.ts";
import { endsOf, namesOf, writeEdges } from "./insert-edges.ts";
import { readEdges } from "./read-edges.ts";
import { edgeName, type StoredEdge } from "./rows.ts";

/**
 * Adds edges, and gives those that are there the attributes of the call, all or none. An edge is there
 * when its key is; without a key, when one of its type joins the same nodes and the graph has no
 * multi-edges.
 */
export function upsertEdges(graph: GraphContext, edges: readonly EdgeInput[]): UpsertResult {
  return graph.write((rules) => {
    const checked = checkEdges(graph.id, rules, edges);
    const byKey = readEdges(
      graph,
      checked.flatMap(({ input }) => input.key ?? []),
    );
    const { config } = rules;
    const parallel = config.multi ? new Map() : readParallel(graph, checked.map(endsOf));
    const created: CheckedEdge[] = [];
    const updated: string[] = [];
    const touched = new Set<string>();
    for (const edge of checked) {
      const before = storedOf(edge, byKey, parallel);
      if (before === undefined) {
        created.push(edge);
        continue;
      }
      requireSameEnds(graph, edge, before);
      if (touched.has(before.id)) throw givenTwice(graph, before);
      touched.add(before.id);
      const { attributes = {}, metadata } = edge.input;
      const next = { attributes, metadata };
      if (writeRow(graph, EDGE, { row: before, next })) updated.push(edgeName(before));
    }
    checkEnds(graph, created, { config, parallel });
    const ids = writeEdges(graph, created);
    notifyKeys(graph, "edges:created", namesOf(created, ids));
    notifyKeys(graph, "edges:updated", updated);
    return {
      created: created.length,
      updated: updated.length,
      unchanged: edges.length - created.length - updated.length,
    };
  });
}

function storedOf(
  edge: CheckedEdge,
  byKey: ReadonlyMap<string, StoredEdge>,
  parallel: ReadonlyMap<string, StoredEdge>,
): StoredEdge | undefined {
  const { key } = edge.input;
  if (key === undefined) return parallel.get(identityOf(edge));
  const found = byKey.get(key);
  // an edge without a key goes by its id, which is no key
  return found?.key === key ? found : undefined;
}

function requireSameEnds(graph: GraphContext, edge: CheckedEdge, before: StoredEdge): void {
  if (edgeIdentity(before) === identityOf(edge)) return;
  const { source, target, type } = before;
  throw new StorageError(
    "ALREADY_EXISTS",
    `edge "${edgeName(before)}" of graph "${graph.id}" is one of type "${type}" from "${source}" to "${target}"`,
    {
      hint: "An edge keeps its type and ends; delete it first, or give the new one another key",
      details: { graphId: graph.id, key: before.key, type, source, target },
    },
  );
}

function givenTwice(graph: GraphContext, before: StoredEdge): StorageError {
  const { type, source, target } = before;
  return new StorageError(
    "EDGE_NOT_ALLOWED",
    `the call has two edges of type "${type}" from "${source}" to "${target}"`,
    { details: { graphId: graph.id, type, source, target } },
  );
}
