/** The second process: counts for each package how many others it needs, directly or not. */

import type { Job, JobContext } from "@alkdev/honker";
import { untilParentIsGone } from "./child-process.ts";
import { readGraph } from "./graph.ts";
import { GRAPH_UPDATED, type PackageJob } from "./names.ts";
import { openStore } from "./store.ts";

/** Direct dependencies by node key. */
type Neighbours = ReadonlyMap<string, readonly string[]>;

const store = openStore(process.argv[2] as string);
const graphs = new Map<string, Promise<Neighbours | null>>();

const worker = store.jobs.work(count, {
  concurrency: 16,
  // a handler that still waits for its graph is not worth waiting for
  stopTimeoutMs: 100,
  signal: untilParentIsGone(),
});
await worker.stopped;
store.client.close();

/** Effect, end of the job and notification in one commit; nothing when the claim has run out. */
async function count(job: Job<PackageJob>, { complete, signal }: JobContext): Promise<void> {
  const { graphId, key } = job.payload;
  const neighbours = await graphOf(graphId, signal);
  // another content of the lock file has taken the graph's place
  if (neighbours === null) return;
  const reached = reachable(neighbours, key);
  complete(() => {
    // archived since it was read
    if (readGraph(store, graphId)?.status !== "active") return;
    const packages = store.graphs.graph(graphId);
    const counted = packages.getNode(key)?.attributes["timesCounted"];
    packages.patchNode(key, {
      transitiveDependencies: reached,
      attempts: job.attempts,
      timesCounted: (typeof counted === "number" ? counted : 0) + 1,
    });
  });
}

/** Each graph is read once, when all of it is imported; `null` when it is archived or gone. */
function graphOf(graphId: string, signal: AbortSignal): Promise<Neighbours | null> {
  const known = graphs.get(graphId);
  if (known !== undefined) return known;
  const reading = readWhenActive(graphId, signal);
  graphs.set(graphId, reading);
  reading.catch(() => graphs.delete(graphId));
  return reading;
}

async function readWhenActive(graphId: string, signal: AbortSignal): Promise<Neighbours | null> {
  await using updates = store.client.listen(GRAPH_UPDATED, { signal });
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
  for (const { source: from, target: to } of store.graphs.graph(graphId).eachEdge()) {
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
