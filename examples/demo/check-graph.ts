import type { HubCaller } from "@alkdev/hub/spoke";
import type { LockFile } from "../package-graph/lock-file/lock-file.ts";
import { all } from "./all-pages.ts";

/** Reads the graph back through the hub, and compares it with the lock file. Returns what is wrong. */
export async function checkGraph(
  client: HubCaller,
  { lock, graphId }: { readonly lock: LockFile; readonly graphId: string },
): Promise<readonly string[]> {
  const { packages, dependencies } = lock.graph;
  const nodes = await all(client, "nodes.query", { graphId });
  const edges = await all(client, "edges.query", { graphId });
  const stored = new Map(nodes.map((node) => [node["key"], JSON.stringify(node["attributes"])]));
  const joined = new Set(
    edges.map(({ source, target, attributes }) => JSON.stringify([source, target, attributes])),
  );
  return [
    ...mismatch("nodes", nodes.length, packages.length),
    ...mismatch("edges", edges.length, dependencies.length),
    ...packages
      .filter(({ location, name, version }) => {
        return stored.get(location) !== JSON.stringify({ name, version });
      })
      .map(({ location }) => `node "${location}" is not as in the lock file`),
    ...dependencies
      .filter(({ from, to, name, spec, kind }) => {
        return !joined.has(JSON.stringify([from, to, { name, spec, kind }]));
      })
      .map(({ from, to }) => `edge "${from}" to "${to}" is not as in the lock file`),
  ];
}

function mismatch(what: string, found: number, expected: number): string[] {
  return found === expected ? [] : [`${found} ${what} in the graph, ${expected} in the lock file`];
}
