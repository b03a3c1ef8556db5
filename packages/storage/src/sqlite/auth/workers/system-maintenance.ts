import type { Job, JobContext } from "@alkdev/honker";
import type { PayloadOf, systemCatalog } from "../../../catalog/index.ts";
import type { SystemDatabase } from "../../client.ts";
import { type EventRetention, pruneFile } from "../../workers/prune-file.ts";

/** Payload of the queue `system-maintenance`. */
export type SystemMaintenance = PayloadOf<typeof systemCatalog.queues, "system-maintenance">;

/**
 * Handler of the queue `system-maintenance`: deletes events, notifications, history, dead letters, results
 * and remembered calls of `system.db` whose time is over. The audit trail is kept.
 */
export function createSystemMaintenanceHandler(
  { $client: client }: SystemDatabase,
  retention: EventRetention = {},
): (job: Job<SystemMaintenance>, context: JobContext) => Promise<void> {
  return async (_job, context) => {
    const pruned = await pruneFile(client, retention, context);
    context.complete(() => ({ pruned }));
  };
}
