import { setImmediate } from "node:timers/promises";
import type { Job, JobContext } from "@alkdev/honker";
import type { PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import type { TenantDatabase } from "../client.ts";
import { createGraphStore } from "../graph-store/graph-store.ts";
import { deleteSomeOfGraph, nextExpiredGraph } from "./expired-graphs.ts";
import { type EventRetention, pruneFile } from "./prune-file.ts";

/** Payload of the queue `graph-maintenance`. */
export type GraphMaintenance = PayloadOf<typeof tenantCatalog.queues, "graph-maintenance">;

/** Result of a job of `graph-maintenance`, for `waitResult`. */
export type GraphMaintenanceResult =
  /** False where there is no such graph. */
  | { readonly archived: boolean }
  | { readonly graphs: number; readonly nodes: number; readonly edges: number }
  | { readonly pruned: Readonly<Record<string, number>> };

const DAY_SECONDS = 86_400;

/**
 * A handler for the queue `graph-maintenance`:
 *
 * - `archive-graph` archives a graph in the commit that ends the job.
 * - `cleanup-expired-graphs` deletes graphs that have been archived for `olderThanDays`, some thousand
 *   rows per commit. A graph that it has begun with is gone for good: it has no graph type any more, and
 *   the next job finishes what a killed one left. The ACL is never deleted.
 * - `prune-events` deletes events, notifications, history, dead letters, results and remembered calls whose
 *   time is over.
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
  retention: EventRetention = {},
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
        await prune(tenant, retention, context);
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
  retention: EventRetention,
  context: JobContext,
): Promise<void> {
  const pruned = await pruneFile(client, retention, context);
  context.complete((): GraphMaintenanceResult => ({ pruned }));
}
