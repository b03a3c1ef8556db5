import { type Core, topics } from "../core/core.ts";
import { DeadLetterWriter } from "../queue/dead-letter-writer.ts";
import { Enqueuer } from "../queue/enqueuer.ts";
import { JobHistoryWriter } from "../queue/job-history.ts";
import { resolveQueueOptions } from "../queue/queue-options.ts";
import type { StoredSchedule } from "./schedule-table.ts";

/**
 * Enqueues the job of one slot and returns its id. `run_at` is the slot, so older slots go first, and the
 * headers say which schedule and which slot it is, so that a handler can tell a late run.
 */
export function enqueueSlot(core: Core, schedule: StoredSchedule, slot: number): number {
  const { name, queue, payload, priority, maxAttempts, expiresSeconds } = schedule;
  const settings = resolveQueueOptions({});
  const history = new JobHistoryWriter(core, queue, settings.history);
  const burial = new DeadLetterWriter(core, history);
  const topic = topics.queue(queue);
  const enqueuer = new Enqueuer({ core, name: queue, topic, settings, history, burial });
  return enqueuer.enqueue(payload, {
    priority,
    maxAttempts,
    expires: expiresSeconds,
    // a tick that is given a time to come must not make jobs that wait for it
    runAt: Math.min(slot, core.nowSeconds()),
    headers: { schedule: name, scheduledFor: new Date(slot * 1_000).toISOString() },
  }).id;
}
