import type { JobContext, Worker } from "@alkdev/honker";
import { openCatalogQueue, tenantCatalog } from "../../catalog/index.ts";
import type { TenantDatabase } from "../client.ts";
import type { QueueHandlers } from "./queue-handlers.ts";
import type { TenantQueueName } from "./tenant-schedules.ts";

/** Options of {@link FileWorkers}. */
export interface FileWorkersOptions {
  /** Handlers that run at a time per queue. */
  readonly concurrency: number;
  readonly stopTimeoutMs: number;
}

/** One worker for each queue of one file. */
export class FileWorkers {
  readonly #workers: readonly Worker[];

  constructor(tenant: TenantDatabase, handlers: QueueHandlers, options: FileWorkersOptions) {
    const client = tenant.$client;
    const source = { db: client, entries: tenantCatalog.queues };
    const ofCatalog = Object.entries(handlers.catalog).map(([name, handler]) => {
      const queue = openCatalogQueue(source, name as TenantQueueName);
      return queue.work(handler as (job: unknown, context: JobContext) => unknown, options);
    });
    const others = Object.entries(handlers.others).map(([name, handler]) =>
      client.queue(name).work(handler, options),
    );
    this.#workers = [...ofCatalog, ...others];
  }

  /** Jobs whose handler runs now. */
  get running(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.running, 0);
  }

  /** Stops all of them; always resolves. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }
}
