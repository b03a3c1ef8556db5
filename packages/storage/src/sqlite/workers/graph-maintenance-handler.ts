import { setImmediate } from "node:timers/promises";
import type { Job, JobContext, StreamRetention } from "@alkdev/honker";
import type { PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import type { TenantDatabase } from "../client.ts";
import { createGraphStore } from "../graph-store/graph-store.ts";
import { deleteSomeOfGraph, nextExpiredGraph } from "./expired-graphs.ts";

/** Payload of the queue `graph-maintenance`. */
export type GraphMaintenance = PayloadOf<typeof tenantCatalog.queues, "graph-maintenance">;

/** Options of {@link createGraphMaintenanceHandler}. */
export interface GraphMaintenanceOptions {
  /**
   * What `prune-events` keeps of each stream, never less than its slowest consumer needs. Default
   * {@link STREAM_RETENTION}.
   */
  readonly streamRetention?: Readonly<Record<string, StreamRetention>>;
  /** Seconds that `prune-events` keeps dead letters, default 90 days. */
  readonly deadLetterSeconds?: number;
}

/** Result of a job of `graph-maintenance`, for `waitResult`. */
export type GraphMaintenanceResult =
  /** False where there is no such graph. */
  | { readonly archived: boolean }
  | { readonly graphs: number; readonly nodes: number; readonly edges: number }
  | { readonly pruned: Readonly<Record<string, number>> };

const DAY_SECONDS = 86_400;

/** Events of calls are kept for 30 days, those of sessions for 90. */
export const STREAM_RETENTION: Readonly<Record<string, StreamRetention>> = {
  "call-protocol": { maxAgeSeconds: 30 * DAY_SECONDS },
  "session-events": { maxAgeSeconds: 90 * DAY_SECONDS },
};

/**
 * A handler for the queue `graph-maintenance`:
 *
 * - `archive-graph` archives a graph in the commit that ends the job.
 * - `cleanup-expired-graphs` deletes graphs that have been archived for `olderThanDays`, some thousand
 *   rows per commit. A graph that it has begun with is gone for good: it has no graph type any more, and
 *   the next job finishes what a killed one left. The ACL is never deleted.
 * - `prune-events` deletes events, notifications, history, dead letters and results whose time is over.
 *
 * @example
 * ```ts
 * const source = { db: tenant.$client, entries: tenantCatalog.queues };
 * const queue = openCatalogQueue(source, "graph-maintenance");
 * const worker = queue.work(createGraphMaintenanceHandler(tenant));
 * ```
 */
export function createGraphMaintenanceHandler(
  tenant: TenantDatabase,
  options: GraphMaintenanceOptions = {},
): (job: Job<GraphMaintenance>, context: JobContext) => Promise<void> {
  return async ({ payload }, context) => {
    switch (payload.task) {
      case "archive-graph":
        archive(tenant, payload.graphId, context);
        break;
      case "cleanup-expired-graphs":
        await cleanUp(tenant, payload.olderThanDays, context);
        break;
      case "prune-events":
        await prune(tenant, options, context);
    }
  };
}

function archive(tenant: TenantDatabase, graphId: string, { complete }: JobContext): void {
  const store = createGraphStore(tenant);
  complete((): GraphMaintenanceResult => {
    const archived = store.getGraph(graphId) !== null;
    if (archived) store.archiveGraph(graphId);
    return { archived };
  });
}

async function cleanUp(
  { $client: client }: TenantDatabase,
  olderThanDays: number,
  { signal, progress, complete }: JobContext,
): Promise<void> {
  const untilSeconds = Math.floor(Date.now() / 1_000) - olderThanDays * DAY_SECONDS;
  const deleted = { graphs: 0, nodes: 0, edges: 0 };
  for (;;) {
    const graphId = nextExpiredGraph(client, untilSeconds);
    if (graphId === null) break;
    const rows = deleteSomeOfGraph(client, graphId, untilSeconds);
    deleted.graphs += rows.graphs;
    deleted.nodes += rows.nodes;
    deleted.edges += rows.edges;
    progress(deleted);
    await setImmediate();
    signal.throwIfAborted();
  }
  complete((): GraphMaintenanceResult => deleted);
}

async function prune(
  { $client: client }: TenantDatabase,
  options: GraphMaintenanceOptions,
  { signal, progress, complete }: JobContext,
): Promise<void> {
  const { streamRetention: streams = STREAM_RETENTION } = options;
  const { deadLetterSeconds = 90 * DAY_SECONDS } = options;
  const pruned: Record<string, number> = {};
  for (let more = true; more; ) {
    const { more: left, ...counts } = client.prune({ streams, deadLetterSeconds, limit: 10_000 });
    for (const [name, count] of Object.entries(counts)) pruned[name] = (pruned[name] ?? 0) + count;
    more = left;
    progress(pruned);
    await setImmediate();
    signal.throwIfAborted();
  }
  complete((): GraphMaintenanceResult => ({ pruned }));
}
