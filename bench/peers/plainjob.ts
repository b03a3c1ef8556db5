// plainjob, a job queue on better-sqlite3.
import { join } from "node:path";
import Database from "better-sqlite3";
import { better, defineQueue, defineWorker, type Queue } from "plainjob";
import type { Context } from "../harness/context.ts";
import { SQLITE_FULL, SQLITE_NORMAL } from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { Peer, QueuePeer } from "../harness/peer.ts";

const logger = { debug() {}, info() {}, warn() {}, error: console.error };

export interface PlainjobOptions {
  readonly pollMs: number;
  readonly full?: boolean;
}

export function openPlainjob(
  { folder }: Context,
  full = false,
): { queue: Queue; database: Database.Database } {
  const database = new Database(join(folder, "plainjob.db"));
  const queue = defineQueue({ connection: better(database), logger });
  // plainjob sets its own pragmas when it opens
  if (full) database.pragma("synchronous = FULL");
  return { queue, database };
}

export function plainjob({ pollMs, full = false }: PlainjobOptions): QueuePeer {
  return {
    prepare(context) {
      openPlainjob(context).queue.close();
    },
    producer(context) {
      const { queue } = openPlainjob(context, full);
      return {
        sync: true,
        add: (job) => queue.add(context.name, job),
        addMany: (jobs) => queue.addMany(context.name, [...jobs]),
        close: () => queue.close(),
      };
    },
    worker(context, { concurrency, handler }) {
      const { queue } = openPlainjob(context, full);
      // one plainjob worker runs one job at a time
      const workers = Array.from({ length: concurrency }, () =>
        defineWorker(
          context.name,
          async ({ data }) => {
            await handler(JSON.parse(data) as Payload);
          },
          { queue, logger, pollIntervall: pollMs },
        ),
      );
      for (const worker of workers) void worker.start();
      return {
        async close() {
          await Promise.all(workers.map((worker) => worker.stop()));
          queue.close();
        },
      };
    },
    claimer(context) {
      const { queue } = openPlainjob(context, full);
      return {
        sync: true,
        claimAndAck() {
          const claimed = queue.getAndMarkJobAsProcessing(context.name);
          if (claimed === undefined) return false;
          // what its worker does between the two, to get the payload
          JSON.parse(queue.getJobById(claimed.id)?.data ?? "");
          queue.markJobAsDone(claimed.id);
          return true;
        },
        close: () => queue.close(),
      };
    },
  };
}

const SETTINGS = "plainjob 0.0.14 on better-sqlite3 13.2.0, 10 workers for concurrency 10";

export const peers: readonly Peer[] = [
  {
    id: "plainjob",
    settings: `${SETTINGS}, own pragmas, poll 1 s (its default)`,
    ...SQLITE_NORMAL,
    queue: plainjob({ pollMs: 1_000 }),
  },
  {
    id: "plainjob-poll10",
    settings: `${SETTINGS}, own pragmas, poll 10 ms`,
    ...SQLITE_NORMAL,
    only: ["queue-latency"],
    queue: plainjob({ pollMs: 10 }),
  },
  {
    id: "plainjob-full",
    settings: `${SETTINGS}, synchronous FULL, poll 10 ms`,
    ...SQLITE_FULL,
    queue: plainjob({ pollMs: 10, full: true }),
  },
];
