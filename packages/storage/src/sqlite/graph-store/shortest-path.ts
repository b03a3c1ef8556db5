import { StorageError } from "../../errors.ts";
import { type Arm, armsOf, type FollowOptions, REVERSED } from "./direction.ts";
import { existingKeys, follow } from "./frontier.ts";
import type { GraphContext } from "./graph-context.ts";
import { requireWhole } from "./reachable.ts";

/** How far a path may go. */
export interface PathOptions extends FollowOptions {
  /** Most edges of the path. Default any number. */
  readonly maxDepth?: number;
  /** Most nodes to come across before the search is given up. Default any number. */
  readonly maxNodes?: number;
}

/** One half of a search from both ends. */
interface Half {
  readonly arms: readonly Arm[];
  /** For each node that was found, the one it was found from; null for the end itself. */
  readonly parents: Map<string, string | null>;
  frontier: readonly string[];
}

/**
 * Keys of a shortest path from one node to another, both included; null where there is none. It searches
 * from both ends, a level at a time from the side that has fewer nodes to follow.
 */
export function shortestPath(
  graph: GraphContext,
  ends: { readonly from: string; readonly to: string },
  options: PathOptions = {},
): readonly string[] | null {
  const { direction = "out", maxDepth = Number.POSITIVE_INFINITY } = options;
  const { maxNodes = Number.POSITIVE_INFINITY } = options;
  if (maxDepth !== Number.POSITIVE_INFINITY) requireWhole("maxDepth", maxDepth, [0]);
  if (maxNodes !== Number.POSITIVE_INFINITY) requireWhole("maxNodes", maxNodes, [2]);
  const { from, to } = ends;
  return graph.store.read(() => {
    const arms = armsOf(graph, options);
    const back = armsOf(graph, { ...options, direction: REVERSED[direction] });
    if (existingKeys(graph, [from, to]).length < (from === to ? 1 : 2)) return null;
    if (from === to) return [from];
    const forward: Half = { arms, parents: new Map([[from, null]]), frontier: [from] };
    const backward: Half = { arms: back, parents: new Map([[to, null]]), frontier: [to] };
    for (let depth = 0; depth < maxDepth; depth++) {
      const nearer = forward.frontier.length <= backward.frontier.length;
      const [half, other] = nearer ? [forward, backward] : [backward, forward];
      if (half.frontier.length === 0) return null;
      const meeting = advance(graph, half, { other, maxNodes });
      if (meeting !== null) return pathThrough(meeting, forward, backward);
    }
    return null;
  });
}

/** Goes one level further; the node where the halves meet, or null. @throws StorageError `LIMIT_REACHED` */
function advance(
  graph: GraphContext,
  half: Half,
  { other, maxNodes }: { readonly other: Half; readonly maxNodes: number },
): string | null {
  const next: string[] = [];
  for (const { from, to } of follow(graph, half.arms, half.frontier)) {
    if (half.parents.has(to)) continue;
    half.parents.set(to, from);
    if (other.parents.has(to)) return to;
    if (half.parents.size + other.parents.size > maxNodes) throw givenUp(graph, maxNodes);
    next.push(to);
  }
  half.frontier = next;
  return null;
}

function givenUp({ id }: GraphContext, maxNodes: number): StorageError {
  return new StorageError(
    "LIMIT_REACHED",
    `no path was found among the first ${maxNodes} nodes that the search in graph "${id}" came across`,
    { hint: "Name an edge type, or raise maxNodes", details: { graphId: id, maxNodes } },
  );
}

function pathThrough(meeting: string, forward: Half, backward: Half): readonly string[] {
  const before = chain(forward, meeting);
  return [...before.reverse(), meeting, ...chain(backward, meeting)];
}

/** The nodes from which one was found, the nearest first. */
function chain({ parents }: Half, key: string): string[] {
  const found: string[] = [];
  for (let at = parents.get(key) ?? null; at !== null; at = parents.get(at) ?? null) found.push(at);
  return found;
}
