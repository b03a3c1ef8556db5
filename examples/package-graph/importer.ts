import { setImmediate } from "node:timers/promises";
import type { EdgeInput, NodeInput } from "@alkdev/storage/sqlite";
import { activate, readGraph, saveImported } from "./graph.ts";
import type { Dependency, LockedPackage, PackageGraph } from "./lock-file/package-graph.ts";
import { GraphSuperseded } from "./status.ts";
import type { Store } from "./store.ts";

/** Packages per transaction: short enough not to keep the other processes waiting. */
const BATCH_SIZE = 200;
/** Packages that are written together, with the dependencies whose both ends are then there. */
export interface Batch {
  readonly index: number;
  readonly packages: readonly LockedPackage[];
  readonly dependencies: readonly Dependency[];
}

/** The same batches for the same graph, always: an interrupted import goes on where it stopped. */
export function toBatches({ packages, dependencies }: PackageGraph): Batch[] {
  const batchOf = new Map(
    packages.map(({ location }, i) => [location, Math.floor(i / BATCH_SIZE)]),
  );
  const batches = Array.from({ length: Math.ceil(packages.length / BATCH_SIZE) }, (_, index) => ({
    index,
    packages: packages.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
    dependencies: [] as Dependency[],
  }));
  for (const dependency of dependencies) {
    const { from, to } = dependency;
    const index = Math.max(batchOf.get(from) ?? 0, batchOf.get(to) ?? 0);
    batches[index]?.dependencies.push(dependency);
  }
  return batches;
}

/**
 * Imports the batches that are not in the database yet, one transaction each, and then opens the graph
 * for the workers. Stops between two batches when `signal` aborts.
 */
export async function importGraph(
  store: Store,
  graphId: string,
  options: {
    readonly batches: readonly Batch[];
    readonly signal: AbortSignal;
    readonly onProgress: (imported: number) => void;
  },
): Promise<void> {
  for (const batch of options.batches) {
    if (options.signal.aborted) return;
    importBatch(store, graphId, batch);
    options.onProgress(batch.index + 1);
    await setImmediate();
  }
  activate(store, graphId);
}

/** Nodes, edges, notification, event and jobs: all of them in one commit, or none. */
function importBatch(store: Store, graphId: string, batch: Batch): void {
  store.db.transaction((tx) => {
    const graph = readGraph(store, graphId);
    if (graph === null || graph.status === "archived") throw new GraphSuperseded();
    // committed before a kill, or by another run at the same time
    if (graph.state.imported !== batch.index) return;
    const keys = batch.packages.map(({ location }) => location);
    const packages = store.graphs.graph(graphId);
    packages.insertNodes(batch.packages.map(toNode));
    packages.insertEdges(batch.dependencies.map(toEdge));
    store.events.publishTx(tx.$honkerTx, {
      graphId,
      batch: batch.index,
      keys,
      edges: batch.dependencies.length,
    });
    for (const key of keys) store.jobs.enqueueTx(tx.$honkerTx, { graphId, key });
    saveImported(store, graph, batch.index + 1);
  });
}

function toNode({ location, name, version, kind }: LockedPackage): NodeInput {
  return { key: location, type: kind, attributes: { name, version } };
}

function toEdge({ from, to, name, spec, kind }: Dependency): EdgeInput {
  // a package declares a name once
  const key = `${from}>${name}`;
  return { key, type: "depends_on", source: from, target: to, attributes: { name, spec, kind } };
}
