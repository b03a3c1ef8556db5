import { checkGraph } from "./check.ts";
import { openGraph } from "./graph.ts";
import { GraphRun } from "./graph-run.ts";
import type { LockFile } from "./lock-file/lock-file.ts";
import type { ProgressLine } from "./progress.ts";
import { latencyOf, notInstalled, type Report } from "./report.ts";
import { openStore, provideSystem } from "./store.ts";

/** Options of {@link run}. */
export interface RunOptions {
  readonly lock: LockFile;
  /** Where the databases are; made when it is missing. */
  readonly folder: string;
  readonly progress: ProgressLine;
  /** Stops everything after the current transactions. */
  readonly signal: AbortSignal;
}

/** Brings a lock file's graph to its end from wherever it is, and checks it; `null` when stopped. */
export async function run({ lock, folder, progress, signal }: RunOptions): Promise<Report | null> {
  const startedAt = performance.now();
  provideSystem(folder);
  const store = openStore(folder);
  try {
    const { id, origin } = openGraph(store, lock);
    const graphRun = new GraphRun(store, id, { graph: lock.graph, progress });
    const finishedBefore = graphRun.finished;
    if (!finishedBefore) await graphRun.finish(folder, signal);
    if (signal.aborted) return null;
    const result = checkGraph(store, id, lock.json);
    return {
      source: lock.path,
      lockfileVersion: lock.graph.lockfileVersion,
      outcome: finishedBefore ? "already finished, verified again" : origin,
      ...result,
      links: lock.graph.links,
      notInstalled: notInstalled(lock.graph),
      latency: latencyOf(graphRun.latencies),
      elapsedMs: performance.now() - startedAt,
      ok: result.checks.every(({ problems }) => problems.length === 0),
    };
  } finally {
    progress.clear();
    store.client.close();
  }
}
