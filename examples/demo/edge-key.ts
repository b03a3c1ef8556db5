import type { Dependency } from "../package-graph/lock-file/package-graph.ts";

/** A package declares a name once, so this names one edge. */
export function edgeKey({ from, name }: Pick<Dependency, "from" | "name">): string {
  return `${from} ${name}`;
}
