/** The second process: counts for each package how many others it needs, directly or not. */

import type { Job, JobContext } from "@alkdev/honker";
import { edges, nodes } from "@alkdev/storage/sqlite";
import { and, eq, sql } from "drizzle-orm";
import { untilParentIsGone } from "./child-process.ts";
import { readGraph } from "./graph.ts";
import { GRAPH_UPDATED, monotonicMs, NODES_UPDATED, type PackageJob } from "./names.ts";
import { openStore } from "./store.ts";

/** Direct dependencies by node key. */
type Neighbours = ReadonlyMap<string, readonly string[]>;

const stopped = untilParentIsGone();
const store = openStore(process.argv[2] as string);
const graphs = new Map<string, Promise<Neighbours | null>>();

const setCount = store.db
  .update(nodes)
  .set({
    attributes: sql`json_set(${nodes.attributes},
      '$.transitiveDependencies', ${sql.placeholder("count")},
      '$.attempts', ${sql.placeholder("attempts")},
      '$.timesCounted', coalesce(json_extract(${nodes.attributes}, '$.timesCounted'), 0) + 1)`,
  })
  .where(and(eq(nodes.graphId, sql.placeholder("graphId")), eq(nodes.key, sql.placeholder("key"))))
  .prepare();

const worker = store.jobs.work(count, { concurrency: 16, signal: stopped });
await worker.stopped;
store.client.close();

/** Effect, end of the job and notification in one commit; nothing when the claim has run out. */
async function count(job: Job<PackageJob>, { complete }: JobContext): Promise<void> {
  const { graphId, key } = job.payload;
  const neighbours = await graphOf(graphId);
  // another content of the lock file has taken the graph's place
  if (neighbours === null) return;
  const reached = reachable(neighbours, key);
  complete((tx) => {
    setCount.run({ graphId, key, count: reached, attempts: job.attempts });
    tx.notify(NODES_UPDATED, { graphId, keys: [key], committingAt: monotonicMs() });
  });
}

/** Each graph is read once, when all of it is imported; `null` when it is archived or gone. */
function graphOf(graphId: string): Promise<Neighbours | null> {
  let graph = graphs.get(graphId);
  if (graph === undefined) {
    graph = readWhenActive(graphId);
    graphs.set(graphId, graph);
  }
  return graph;
}

async function readWhenActive(graphId: string): Promise<Neighbours | null> {
  await using updates = store.client.listen(GRAPH_UPDATED, { signal: stopped });
  for (;;) {
    const status = readGraph(store, graphId)?.status ?? "archived";
    if (status === "archived") return null;
    if (status === "active") return readNeighbours(graphId);
    const { done } = await updates.next();
    if (done) throw new Error("stopped while the graph was being imported");
  }
}

function readNeighbours(graphId: string): Neighbours {
  const neighbours = new Map<string, string[]>();
  const rows = store.db
    .select({ from: edges.sourceNodeKey, to: edges.targetNodeKey })
    .from(edges)
    .where(eq(edges.graphId, graphId))
    .all();
  for (const { from, to } of rows) {
    const known = neighbours.get(from);
    if (known === undefined) neighbours.set(from, [to]);
    else known.push(to);
  }
  return neighbours;
}

/** How many nodes can be reached from `start`, without itself; cycles end where they were before. */
function reachable(neighbours: Neighbours, start: string): number {
  const seen = new Set([start]);
  // a Set's iteration goes on to what is added meanwhile
  for (const key of seen) for (const next of neighbours.get(key) ?? []) seen.add(next);
  return seen.size - 1;
}
