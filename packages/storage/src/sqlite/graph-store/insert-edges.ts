import { StorageError } from "../../errors.ts";
import { uuidV7 } from "../uuid-v7.ts";
import { type CheckedEdge, checkEdges } from "./check-edges.ts";
import { checkEnds } from "./check-ends.ts";
import { type EdgeEnds, readParallel } from "./edge-identity.ts";
import { notifyKeys } from "./events.ts";
import type { GraphContext } from "./graph-context.ts";
import type { EdgeInput } from "./inputs.ts";
import { isUnique } from "./insert-nodes.ts";
import { joinMetadata } from "./rows.ts";

const INSERT = `INSERT INTO edges (id, graph_id, key, source_node_key, target_node_key,
    undirected, metadata, attributes, created_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Adds edges to a graph, all or none. Returns their ids in order. */
export function insertEdges(graph: GraphContext, edges: readonly EdgeInput[]): readonly string[] {
  return graph.write((rules) => {
    const checked = checkEdges(graph.id, rules, edges);
    const { config } = rules;
    const parallel = config.multi ? new Map() : readParallel(graph, checked.map(endsOf));
    checkEnds(graph, checked, { config, parallel });
    const ids = writeEdges(graph, checked);
    notifyKeys(graph, "edges:created", namesOf(checked, ids));
    return ids;
  });
}

/** What an edge that is to be written joins. */
export function endsOf({ input, rules, undirected }: CheckedEdge): EdgeEnds {
  return { type: rules.name, source: input.source, target: input.target, undirected };
}

/** What events call edges that were written: keys, or ids where there are none. */
export function namesOf(edges: readonly CheckedEdge[], ids: readonly string[]): readonly string[] {
  return edges.map(({ input }, i) => input.key ?? (ids[i] as string));
}

/** Inserts checked edges; see `writeNodes`. @throws StorageError `ALREADY_EXISTS` */
export function writeEdges(graph: GraphContext, edges: readonly CheckedEdge[]): string[] {
  const now = graph.store.nowSeconds();
  const insert = graph.sql(INSERT);
  const metadataOf = new Map<string, string>();
  const ids: string[] = [];
  for (const { input, rules, undirected } of edges) {
    const { key = null, source, target, attributes, metadata } = input;
    let text = metadata === undefined ? metadataOf.get(rules.name) : undefined;
    if (text === undefined) {
      text = joinMetadata(metadata, { edgeType: rules.name });
      if (metadata === undefined) metadataOf.set(rules.name, text);
    }
    const id = uuidV7();
    const json = attributes === undefined ? "{}" : JSON.stringify(attributes);
    const flag = undirected ? 1 : 0;
    try {
      insert.run([id, graph.id, key, source, target, flag, text, json, now, now]);
    } catch (error) {
      throw isUnique(error) ? edgeExists(graph, key, error) : error;
    }
    ids.push(id);
  }
  return ids;
}

function edgeExists(graph: GraphContext, key: string | null, cause: unknown): StorageError {
  return new StorageError("ALREADY_EXISTS", `graph "${graph.id}" has an edge "${key}" already`, {
    cause,
    hint: "Nothing was written; upsertEdges writes over edges that are there",
    details: { graphId: graph.id, key },
  });
}
