import type { DeadLetter } from "@alkdev/honker";
import { eq } from "drizzle-orm";
import { readGraph } from "./graph.ts";
import type { PackageJob } from "./names.ts";
import { projectedBatches, type Store } from "./store.ts";

/** How much of a graph's work is done, as the database says. */
export interface Status {
  readonly counted: number;
  readonly projected: number;
  readonly dead: number;
  /** Another run has read another content of the lock file. */
  readonly superseded: boolean;
}

/** The lock file was changed, and is imported anew by another run. */
export class GraphSuperseded extends Error {
  override readonly name: string = "GraphSuperseded";
  readonly code = "GRAPH_SUPERSEDED";

  constructor() {
    super("the lock file has changed, and another run imports it anew; this one gives up");
  }
}

/** Reads the status of a graph. */
export function readStatus(store: Store, graphId: string): Status {
  return {
    counted: store.graphs.graph(graphId).countNodes({ where: { timesCounted: { exists: true } } }),
    projected: store.db.$count(projectedBatches, eq(projectedBatches.graphId, graphId)).sync(),
    dead: deadLetters(store, graphId).length,
    superseded: readGraph(store, graphId)?.status === "archived",
  };
}

/** The graph's jobs that failed for good. */
export function deadLetters({ jobs }: Store, graphId: string): DeadLetter[] {
  return jobs.dead
    .list({ limit: jobs.dead.count() })
    .filter(({ payload }) => (payload as PackageJob).graphId === graphId);
}
