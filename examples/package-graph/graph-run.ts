import { SupervisedChild } from "./child-process.ts";
import { type Batch, importGraph, toBatches } from "./importer.ts";
import type { PackageGraph } from "./lock-file/package-graph.ts";
import { type BatchProjected, NODES_UPDATED, type NodesUpdated, PROJECTED } from "./names.ts";
import type { ProgressLine } from "./progress.ts";
import { GraphSuperseded, readStatus, type Status } from "./status.ts";
import type { Store } from "./store.ts";
import { probeWakes } from "./wake-probe.ts";

/** How often the database is asked whether all is done, beside the notifications. */
const LOOK_EVERY_MS = 500;
const WAKE_PROBES = 100;

/** One graph on its way: imported here, its jobs and events worked on by two other processes. */
export class GraphRun {
  /** See {@link probeWakes}. */
  latencies: readonly number[] = [];
  readonly #store: Store;
  readonly #graphId: string;
  readonly #batches: readonly Batch[];
  readonly #packages: number;
  readonly #progress: ProgressLine;
  readonly #end = new End();
  #status: Status;

  constructor(
    store: Store,
    graphId: string,
    { graph, progress }: { readonly graph: PackageGraph; readonly progress: ProgressLine },
  ) {
    this.#store = store;
    this.#graphId = graphId;
    this.#batches = toBatches(graph);
    this.#packages = graph.packages.length;
    this.#progress = progress;
    this.#status = readStatus(store, graphId);
  }

  get finished(): boolean {
    const { counted, dead, projected } = this.#status;
    return counted + dead >= this.#packages && projected >= this.#batches.length;
  }

  /**
   * Resolves when all is done, or when `signal` aborted and the other processes have ended.
   *
   * @throws `ChildDied` when one of them cannot be kept running, `GraphSuperseded`
   */
  async finish(folder: string, signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#end.reached(), { once: true });
    const worker = this.#startChild("worker", folder);
    const projector = this.#startChild("projector", folder);
    const { client } = this.#store;
    const updates = client.listen<NodesUpdated>(NODES_UPDATED);
    const projections = client.listen<BatchProjected>(PROJECTED);
    this.#follow(updates, ({ payload: { graphId, keys } }) => {
      worker.worked();
      this.#heard(graphId, { counted: keys.length });
    });
    this.#follow(projections, ({ payload: { graphId } }) => {
      projector.worked();
      this.#heard(graphId, { projected: 1 });
    });
    // also sees dead letters, and what was done before we listened
    const looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    try {
      await this.#import(AbortSignal.any([signal, this.#end.failure]));
      await this.#end.promise;
      if (!signal.aborted) this.latencies = await probeWakes(client, WAKE_PROBES);
    } finally {
      clearInterval(looking);
      updates.close();
      projections.close();
      await Promise.all([worker.stop(), projector.stop()]);
    }
  }

  #startChild(role: string, folder: string): SupervisedChild {
    return new SupervisedChild(role, [folder], {
      say: (line) => this.#progress.say(line),
      gaveUp: (error) => this.#end.failed(error),
    });
  }

  #import(signal: AbortSignal): Promise<void> {
    const total = this.#batches.length;
    return importGraph(this.#store, this.#graphId, {
      batches: this.#batches,
      signal,
      onProgress: (done) => this.#progress.update({ phase: "batches imported", done, total }),
    });
  }

  #follow<T>(items: AsyncIterable<T>, work: (item: T) => void): void {
    const following = async (): Promise<void> => {
      for await (const item of items) work(item);
    };
    following().catch((error: unknown) => this.#end.failed(error));
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
    if (this.finished) this.#look();
    else this.#show();
  }

  #look(): void {
    try {
      this.#status = readStatus(this.#store, this.#graphId);
      this.#show();
      if (this.#status.superseded) this.#end.failed(new GraphSuperseded());
      if (this.finished) this.#end.reached();
    } catch (error) {
      this.#end.failed(error);
    }
  }

  #show(): void {
    const { counted, dead } = this.#status;
    const done = Math.min(counted + dead, this.#packages);
    this.#progress.update({ phase: "packages counted", done, total: this.#packages });
  }
}

/** How a run comes to its end: reached, or failed. Only the first call counts. */
class End {
  readonly promise: Promise<void>;
  readonly #failure = new AbortController();
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // it may fail while nobody awaits it yet
    this.promise.catch(() => undefined);
  }

  /** Aborts when the run failed. */
  get failure(): AbortSignal {
    return this.#failure.signal;
  }

  reached(): void {
    this.#resolve();
  }

  failed(error: unknown): void {
    this.#reject(error);
    this.#failure.abort();
  }
}
