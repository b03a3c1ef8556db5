import { StorageError } from "../../errors.ts";
import { kindOf } from "./check-row.ts";
import type { GraphContext } from "./graph-context.ts";
import { typeSql } from "./type-filter.ts";

/** Which edges of a node count: those that leave it, those that lead to it, or all. */
export type Direction = "out" | "in" | "both";

/** Which edges are followed. Undirected edges are followed both ways, whatever the direction. */
export interface FollowOptions {
  /** Default `out`. */
  readonly direction?: Direction;
  /** Name of the edge type. Default any. */
  readonly edgeType?: string;
}

/** One way to go along edges: from the end that is `near` to the one that is `far`. */
export interface Arm {
  readonly near: "source_node_key" | "target_node_key";
  readonly far: "source_node_key" | "target_node_key";
  /** More conditions on the edge, beginning with AND. */
  readonly filter: string;
}

/** The direction that leads back. */
export const REVERSED: Readonly<Record<Direction, Direction>> = {
  out: "in",
  in: "out",
  both: "both",
};

/** No row for a graph that is gone, or has lost its type and may hold edges of any kind. */
const GRAPH_DIRECTION = `SELECT json_extract(t.config, '$.type') FROM graphs g
  JOIN graph_types t ON t.id = g.graph_type_id WHERE g.id = +?`;
const UNDIRECTED = " AND undirected = 1";

/**
 * The ways to go along the edges of a graph. In a directed graph half of them need not be looked at.
 *
 * @throws StorageError `INVALID_ARGUMENT`
 */
export function armsOf(graph: GraphContext, options: FollowOptions): readonly Arm[] {
  const { direction = "out", edgeType } = options;
  if (!Object.hasOwn(REVERSED, direction)) {
    const given = typeof direction === "string" ? `"${direction}"` : kindOf(direction);
    throw new StorageError("INVALID_ARGUMENT", `direction is ${given}, not one of out, in, both`);
  }
  const type = typeSql("edgeType", edgeType);
  const out: Arm = { near: "source_node_key", far: "target_node_key", filter: type };
  const back: Arm = { near: "target_node_key", far: "source_node_key", filter: type };
  if (direction === "both") return [out, back];
  const [along, against] = direction === "out" ? [out, back] : [back, out];
  if (graph.sql(GRAPH_DIRECTION).row([graph.id])?.[0] === "directed") return [along];
  return [along, { ...against, filter: type + UNDIRECTED }];
}
