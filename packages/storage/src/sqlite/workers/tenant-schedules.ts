import type { Database, ScheduleInfo, Scheduler } from "@alkdev/honker";
import type { tenantCatalog } from "../../catalog/index.ts";

/** Queues of a tenant's file. */
export type TenantQueueName = keyof typeof tenantCatalog.queues;

/** A schedule that every tenant's file is given. */
export interface TenantSchedule {
  readonly name: string;
  /** Five or six cron fields, `@daily` and the like, or `@every 30s`, in UTC. */
  readonly expression: string;
  readonly queue: string;
  /** JSON that the queue's handler takes. */
  readonly payload: unknown;
}

/** Graphs that have been archived for 90 days go at 3:00 UTC, old events at 3:15. */
export const TENANT_SCHEDULES: readonly TenantSchedule[] = [
  {
    name: "retention-cleanup",
    expression: "0 3 * * *",
    queue: "graph-maintenance",
    payload: { task: "cleanup-expired-graphs", olderThanDays: 90 },
  },
  {
    name: "event-pruning",
    expression: "15 3 * * *",
    queue: "graph-maintenance",
    payload: { task: "prune-events" },
  },
];

const KEY_PREFIX = "seeded_schedule:";
const SEEDED = `SELECT key, value FROM _alk_storage_state
  WHERE key >= '${KEY_PREFIX}' AND key < 'seeded_schedule;'`;
const WRITE = `INSERT INTO _alk_storage_state (key, value) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;

/**
 * Adds the schedules that the file has not been given yet. What was changed, paused or removed since
 * then stays so; one that nobody changed follows when its definition does. Costs one read when there is
 * nothing to do.
 *
 * @returns names of those that were written
 */
export function seedSchedules(client: Database, schedules: readonly TenantSchedule[]): string[] {
  const outdated = (): TenantSchedule[] => {
    const seeded = new Map(
      client
        .prepare(SEEDED)
        .rows()
        .map(([key, text]) => [key, text]),
    );
    return schedules.filter((one) => seeded.get(KEY_PREFIX + one.name) !== textOf(one));
  };
  if (outdated().length === 0) return [];
  const scheduler = client.scheduler();
  return client.transaction(() => {
    const seeded = new Map(
      client
        .prepare(SEEDED)
        .rows()
        .map(([key, text]) => [key, text]),
    );
    return outdated().flatMap((schedule) => {
      const before = seeded.get(KEY_PREFIX + schedule.name);
      client.prepare(WRITE).run([KEY_PREFIX + schedule.name, textOf(schedule)]);
      if (isOthers(scheduler.get(schedule.name), before)) return [];
      write(scheduler, schedule);
      return schedule.name;
    });
  });
}

/** Whether the schedule as it is now was made, changed or removed by somebody else. */
function isOthers(now: ScheduleInfo | null, seeded: unknown): boolean {
  if (seeded === undefined) return now !== null;
  if (now === null || now.timeZone !== "UTC") return true;
  const { name, expression, queue, payload } = now;
  return JSON.stringify([name, expression, queue, payload]) !== seeded;
}

function write(scheduler: Scheduler, { name, expression, queue, payload }: TenantSchedule): void {
  // after a time in which nothing ran, once is enough
  scheduler.add(name, expression, { queue, payload, missed: "once" });
}

function textOf({ name, expression, queue, payload }: TenantSchedule): string {
  return JSON.stringify([name, expression, queue, payload]);
}
