/** The tenant file's queue, stream and channels of this example, and what travels on them. */
export const JOBS = "transitive-dependencies";
export const STREAM = "package-graph";
/** Written as `{role}:{instance}:{purpose}`; it must be the same after a restart. */
export const CONSUMER = "projector:package-graph:batches";
export const NODES_UPDATED = "nodes:updated";
export const GRAPH_UPDATED = "graph:updated";
export const PROJECTED = "package-graph:projected";

/** One per package. */
export interface PackageJob {
  readonly graphId: string;
  readonly key: string;
}

/** One per imported batch. */
export interface BatchEvent {
  readonly graphId: string;
  readonly batch: number;
  readonly keys: readonly string[];
  readonly edges: number;
}

/** Notification of {@link NODES_UPDATED}. */
export interface NodesUpdated {
  readonly graphId: string;
  readonly keys: readonly string[];
}

/** Notification of {@link PROJECTED}. */
export interface BatchProjected {
  readonly graphId: string;
  readonly batch: number;
}

/**
 * Milliseconds on the machine's monotonic clock, which all processes share: good for measuring from one
 * process to another, which the wall clock is not.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
