import { checkGraph } from "./check.ts";
import { SupervisedChild } from "./child-process.ts";
import { openGraph } from "./graph.ts";
import { copyGraphType, defineGraphType } from "./graph-type.ts";
import { type Batch, importGraph, toBatches } from "./importer.ts";
import type { LockFile } from "./lock-file/lock-file.ts";
import {
  type BatchProjected,
  monotonicMs,
  NODES_UPDATED,
  type NodesUpdated,
  PROJECTED,
} from "./names.ts";
import type { ProgressLine } from "./progress.ts";
import { latencyOf, notInstalled, type Report } from "./report.ts";
import { readStatus, type Status } from "./status.ts";
import { openStore, openSystem, type Store } from "./store.ts";

/** How often the database is asked whether all is done, beside the notifications. */
const LOOK_EVERY_MS = 500;

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
export async function run(options: RunOptions): Promise<Report | null> {
  const { lock, folder, progress, signal } = options;
  const startedAt = performance.now();
  const store = openStore(folder);
  try {
    const { graph, origin } = openGraph(store, lock, provideGraphType(folder, store));
    const job = new Run(store, graph.id, options);
    const finishedBefore = job.finished;
    if (!finishedBefore) await job.finish(folder, signal);
    if (signal.aborted) return null;
    const result = checkGraph(store, graph.id, lock.json);
    return {
      source: lock.path,
      outcome: finishedBefore ? "already finished, verified again" : origin,
      ...result,
      links: lock.graph.links,
      notInstalled: notInstalled(lock.graph),
      latency: latencyOf(job.latencies),
      elapsedMs: performance.now() - startedAt,
      ok: result.checks.every(({ problems }) => problems.length === 0),
    };
  } finally {
    progress.clear();
    store.client.close();
  }
}

function provideGraphType(folder: string, store: Store): string {
  const system = openSystem(folder);
  try {
    defineGraphType(system.db);
    return copyGraphType(system.db, store.db);
  } finally {
    system.client.close();
  }
}

/** One graph on its way: the import here, its jobs and events in two other processes. */
class Run {
  readonly latencies: number[] = [];
  readonly #store: Store;
  readonly #graphId: string;
  readonly #batches: readonly Batch[];
  readonly #packages: number;
  readonly #progress: ProgressLine;
  #status: Status;

  constructor(store: Store, graphId: string, { lock, progress }: RunOptions) {
    this.#store = store;
    this.#graphId = graphId;
    this.#batches = toBatches(lock.graph);
    this.#packages = lock.graph.packages.length;
    this.#progress = progress;
    this.#status = readStatus(store, graphId);
  }

  get finished(): boolean {
    const { counted, dead, projected } = this.#status;
    return counted + dead >= this.#packages && projected >= this.#batches.length;
  }

  /** Resolves when all is done, or when `signal` aborted and the other processes have ended. */
  async finish(folder: string, signal: AbortSignal): Promise<void> {
    let resolve = (): void => undefined;
    let reject = (_: Error): void => undefined;
    const done = new Promise<void>((onDone, onError) => {
      resolve = onDone;
      reject = onError;
    });
    signal.addEventListener("abort", () => resolve(), { once: true });
    const processes = { say: (line: string) => this.#progress.say(line), gaveUp: reject };
    const worker = new SupervisedChild("worker", [folder], processes);
    const projector = new SupervisedChild("projector", [folder], processes);

    const { client } = this.#store;
    const updates = client.listen<NodesUpdated>(NODES_UPDATED);
    const projections = client.listen<BatchProjected>(PROJECTED);
    const following = [
      each(updates, ({ payload }) => {
        this.latencies.push(monotonicMs() - payload.committingAt);
        worker.worked();
        this.#heard(payload.graphId, { counted: payload.keys.length });
        if (this.finished) this.#look(resolve);
      }),
      each(projections, ({ payload }) => {
        projector.worked();
        this.#heard(payload.graphId, { projected: 1 });
        if (this.finished) this.#look(resolve);
      }),
    ];
    for (const end of following) end.catch(reject);
    // also sees dead letters and what was done before we listened
    const looking = setInterval(() => this.#look(resolve), LOOK_EVERY_MS);
    try {
      await this.#import(signal);
      this.#look(resolve);
      await done;
    } finally {
      clearInterval(looking);
      updates.close();
      projections.close();
      await Promise.all([worker.stop(), projector.stop()]);
    }
  }

  #import(signal: AbortSignal): Promise<void> {
    const total = this.#batches.length;
    return importGraph(this.#store, this.#graphId, {
      batches: this.#batches,
      signal,
      onProgress: (done) => this.#progress.update({ phase: "batches imported", done, total }),
    });
  }

  /** Counts along with the notifications; the database has the last word. */
  #heard(graphId: string, { counted = 0, projected = 0 }: Partial<Status>): void {
    if (graphId !== this.#graphId) return;
    const status = this.#status;
    this.#status = {
      ...status,
      counted: status.counted + counted,
      projected: status.projected + projected,
    };
    this.#show();
  }

  #look(finished: () => void): void {
    this.#status = readStatus(this.#store, this.#graphId);
    this.#show();
    if (this.finished) finished();
  }

  #show(): void {
    const { counted, dead } = this.#status;
    this.#progress.update({
      phase: "packages counted",
      done: counted + dead,
      total: this.#packages,
    });
  }
}

async function each<T>(items: AsyncIterable<T>, work: (item: T) => void): Promise<void> {
  for await (const item of items) work(item);
}
