import { StorageError } from "../../errors.ts";
import { requireArray } from "./check-nodes.ts";
import { kindOf } from "./check-row.ts";
import { armsOf, type FollowOptions } from "./direction.ts";
import { existingKeys, follow } from "./frontier.ts";
import type { GraphContext } from "./graph-context.ts";
import { parts, readNodes } from "./read-nodes.ts";
import { EDGE_COLUMNS, edgeOf, type StoredEdge, type StoredNode } from "./rows.ts";
import { typeSql } from "./type-filter.ts";

/** How far to go from the roots. */
export interface ReachOptions extends FollowOptions {
  /** Most edges between a root and a node. Default any number. */
  readonly depth?: number;
  /** Most nodes, the nearest first: 1 to 1,000,000. Default 10,000. */
  readonly limit?: number;
}

/** Nodes that edges lead to. */
export interface Reach {
  /** By key, the nearest first: the number of edges from the nearest root, 0 for the roots. */
  readonly depths: ReadonlyMap<string, number>;
  /** False where there are more, left out for the limit. */
  readonly complete: boolean;
}

/** Part of a graph. */
export interface Subgraph {
  readonly nodes: readonly StoredNode[];
  /** Every edge between two of the nodes, of the type that was asked for. */
  readonly edges: readonly StoredEdge[];
  /** False where nodes were left out for the limit. */
  readonly complete: boolean;
}

const DEFAULT_LIMIT = 10_000;
const MOST_NODES = 1_000_000;

/** The nodes that edges lead to from the roots; roots that do not exist are left out. */
export function reachable(
  graph: GraphContext,
  roots: readonly string[],
  options: ReachOptions = {},
): Reach {
  const { depth: deepest = Number.POSITIVE_INFINITY, limit = DEFAULT_LIMIT } = options;
  if (deepest !== Number.POSITIVE_INFINITY) requireWhole("depth", deepest, [0]);
  requireWhole("limit", limit, [1, MOST_NODES]);
  requireArray(roots, "roots");
  return graph.store.read(() => {
    const arms = armsOf(graph, options);
    const depths = new Map<string, number>();
    let frontier = existingKeys(graph, roots);
    for (const key of frontier) {
      if (depths.size === limit) return { depths, complete: false };
      depths.set(key, 0);
    }
    for (let depth = 1; depth <= deepest && frontier.length > 0; depth++) {
      const next: string[] = [];
      for (const { to } of follow(graph, arms, frontier)) {
        if (depths.has(to)) continue;
        if (depths.size === limit) return { depths, complete: false };
        depths.set(to, depth);
        next.push(to);
      }
      frontier = next;
    }
    return { depths, complete: true };
  });
}

/** The nodes that edges lead to from the roots, and every edge between them. */
export function subgraph(
  graph: GraphContext,
  roots: readonly string[],
  options: ReachOptions = {},
): Subgraph {
  return graph.store.read(() => {
    const { depths, complete } = reachable(graph, roots, options);
    const stored = readNodes(graph, depths.keys());
    const nodes = [...depths.keys()].map((key) => stored.get(key) as StoredNode);
    return { nodes, edges: edgesBetween(graph, depths, options.edgeType), complete };
  });
}

function edgesBetween(
  graph: GraphContext,
  keys: ReadonlyMap<string, unknown>,
  type: string | undefined,
): readonly StoredEdge[] {
  const statement = graph.sql(
    `SELECT ${EDGE_COLUMNS} FROM edges
      WHERE graph_id = +? AND source_node_key IN (SELECT value FROM json_each(?))${typeSql("edgeType", type)}`,
  );
  const edges: StoredEdge[] = [];
  for (const part of parts(keys.keys())) {
    for (const row of statement.rows([graph.id, JSON.stringify(part)])) {
      const edge = edgeOf(row);
      if (keys.has(edge.target)) edges.push(edge);
    }
  }
  return edges;
}

/** @throws StorageError `INVALID_ARGUMENT` */
export function requireWhole(
  name: string,
  value: unknown,
  [least, most = Number.MAX_SAFE_INTEGER]: readonly [number, number?],
): void {
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  if (whole && value >= least && value <= most) return;
  const given = typeof value === "number" ? value : kindOf(value);
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new StorageError("INVALID_ARGUMENT", `${name} is ${given}, not a whole number ${range}`);
}
