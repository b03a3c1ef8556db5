import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { fitting } from "./fitting.ts";
import { HistorySchema, historyOf, JobSchema, jobOf, QueueSchema } from "./queue-schemas.ts";
import { Cursor, closed, limit, Name, nullable, page, pageOf } from "./schemas.ts";

/** Jobs of each kind that a list counts per queue, and that `stats` counts: then it says that many. */
const COUNTED_IN_LIST = 1_000;
const COUNTED = 10_000;
const MOST_HISTORY = 100;
const JobId = Type.Integer({ minimum: 1 });

/** Work queues of a file and the jobs in them. */
export const queueOperations: readonly HubOperation[] = [
  query(
    {
      id: "queues.list",
      description: `Lists the queues that have jobs or dead letters or are paused, with how many jobs are in which state. Counts end at ${COUNTED_IN_LIST}: that many or more.`,
      input: closed({ limit: limit(500, 100), cursor: Cursor }),
      output: page(QueueSchema),
      scope: "queues:read",
    },
    ({ limit: most = 100, cursor }, context) => {
      const db = engineOf(context);
      const names = pageOf(db.queues(), (name) => name, { limit: most, cursor });
      const items = names.items.map((queue) => ({
        queue,
        ...db.queue(queue).stats({ countTo: COUNTED_IN_LIST }),
      }));
      return { items, cursor: names.cursor };
    },
  ),
  query(
    {
      id: "queues.stats",
      description: `Counts the jobs of one queue by state, and says how long the oldest due job has waited. Counts end at ${COUNTED}: that many or more.`,
      input: closed({ queue: Name }),
      output: QueueSchema,
      scope: "queues:read",
    },
    ({ queue }, context) => ({
      queue,
      ...engineOf(context).queue(queue).stats({ countTo: COUNTED }),
    }),
  ),
  query(
    {
      id: "queues.jobs",
      description:
        "Lists jobs of a queue: the running ones, then those that wait, in the order in which they will run. `more` is true where some are left out.",
      input: closed({ queue: Name, limit: limit(200, 50) }),
      output: closed({ items: Type.Array(JobSchema), more: Type.Boolean() }),
      scope: "queues:read",
    },
    ({ queue, limit: most = 50 }, context) => {
      const jobs = engineOf(context)
        .queue(queue)
        .jobs({ limit: most + 1 });
      return fitting(jobs.map(jobOf), most);
    },
  ),
  query(
    {
      id: "queues.job",
      description:
        "Shows one waiting or running job, null where it is neither, and what happened to it so far: failed attempts and its end, the last 100.",
      input: closed({ queue: Name, id: JobId }),
      output: closed({ job: nullable(JobSchema), history: Type.Array(HistorySchema) }),
      scope: "queues:read",
    },
    ({ queue: name, id }, context) => {
      const queue = engineOf(context).queue(name);
      const job = queue.get(id);
      const history = queue.history(id).slice(-MOST_HISTORY).map(historyOf);
      return { job: job === null ? null : jobOf(job), history };
    },
  ),
  atomicMutation(
    {
      id: "queues.cancel",
      description:
        "Takes a waiting or running job away; the signal of its running handler is aborted. `cancelled` is false where there is no such job.",
      input: closed({ queue: Name, id: JobId }),
      output: closed({ cancelled: Type.Boolean() }),
      scope: "queues:write",
    },
    ({ queue, id }, context) => ({ cancelled: engineOf(context).queue(queue).cancel(id) }),
  ),
  atomicMutation(
    {
      id: "queues.pause",
      description: "Lets no worker take jobs of a queue until it is resumed; running jobs go on.",
      input: closed({ queue: Name }),
      output: closed({ paused: Type.Boolean() }),
      scope: "queues:write",
    },
    ({ queue }, context) => {
      engineOf(context).queue(queue).pause();
      return { paused: true };
    },
  ),
  atomicMutation(
    {
      id: "queues.resume",
      description: "Lets workers take jobs of a paused queue again.",
      input: closed({ queue: Name }),
      output: closed({ paused: Type.Boolean() }),
      scope: "queues:write",
    },
    ({ queue }, context) => {
      engineOf(context).queue(queue).resume();
      return { paused: false };
    },
  ),
];
