/**
 * Asks the graph that `npm start` made: npx node --conditions=@alkdev/source examples/query-graph.ts [data folder]
 */
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { createGraphStore, createTenantDatabase } from "@alkdev/storage/sqlite";
import { graphModules } from "./package-graph/graph-type.ts";

const folder = process.argv[2] ?? "data";
using client = open(join(folder, "tenant-demo.db"));
const store = createGraphStore(createTenantDatabase(client, { systemModules: graphModules }));
const graph = store.listGraphs({ type: "package_graph", status: "active" }).items.at(-1);
if (graph === undefined) throw new Error(`there is no graph in ${folder}; run npm start first`);
const packages = store.graph(graph.id);

console.log(`${graph.name}: ${packages.countNodes()} packages, ${packages.countEdges()} needs`);
const heavy = packages.listNodes({
  type: "installed",
  where: { transitiveDependencies: { gt: 0 } },
  orderBy: { attribute: "transitiveDependencies", direction: "desc" },
  limit: 3,
});
for (const { key, attributes } of heavy.items) {
  const { version, transitiveDependencies } = attributes;
  console.log(`${key} ${version} needs ${transitiveDependencies} others, directly or not`);
  console.log(`  it is here for ${packages.shortestPath(".", key)?.join(" > ") ?? "nobody"}`);
  const { items } = packages.neighbours(key, { direction: "in", limit: 5 });
  console.log(`  needed by ${items.map((node) => node.key).join(", ")}`);
}
