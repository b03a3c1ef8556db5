import type { ScheduleInfo } from "@alkdev/honker";
import { CallError } from "@alkdev/operations";
import { type TUnsafe, Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import {
  Count,
  Cursor,
  closed,
  given,
  Json,
  limit,
  Moment,
  Name,
  nullable,
  oneOf,
  page,
  pageOf,
} from "./schemas.ts";

/** A year. */
const LONGEST_SECONDS = 31_536_000;
const MISSED = ["all", "once", "skip"] as const;

/** A schedule as it travels. */
interface ScheduleView extends Omit<ScheduleInfo, "nextFireAt"> {
  /** ISO 8601. */
  readonly nextFireAt: string;
}

const ScheduleSchema: TUnsafe<ScheduleView> = Type.Unsafe<ScheduleView>(
  closed({
    name: Type.String(),
    expression: Type.String(),
    queue: Type.String(),
    payload: Json,
    priority: Type.Integer(),
    expiresSeconds: nullable(Type.Number()),
    maxAttempts: Type.Integer(),
    timeZone: Type.String(),
    missed: oneOf(MISSED),
    enabled: Type.Boolean(),
    nextFireAt: Moment,
    shared: Type.Boolean(),
  }),
);

const ByName = closed({ name: Name });
const Changed = closed({ changed: Type.Boolean() });

/** Schedules of a file: at each of their times, a job in a queue. */
export const scheduleOperations: readonly HubOperation[] = [
  query(
    {
      id: "schedules.list",
      description:
        "Lists the schedules, when each fires next, and what job it makes in which queue.",
      input: closed({ limit: limit(500, 100), cursor: Cursor }),
      output: page(ScheduleSchema),
      scope: "schedules:read",
    },
    ({ limit: most = 100, cursor }, context) => {
      const all = engineOf(context).scheduler().list().map(scheduleOf);
      return pageOf(all, ({ name }) => name, { limit: most, cursor });
    },
  ),
  atomicMutation(
    {
      id: "schedules.add",
      description:
        "Adds a schedule, or replaces the one of that name: at each time of a cron expression (5 or 6 fields, `@daily`, `@every 30s`) a job in a queue. Times are read in `timeZone`, by default UTC; `missed` says what happens to times at which nothing ran.",
      input: closed({
        name: Name,
        expression: Type.String({ minLength: 1, maxLength: 200 }),
        queue: Name,
        payload: Type.Optional(Json),
        priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
        expiresSeconds: Type.Optional(
          nullable(Type.Integer({ minimum: 1, maximum: LONGEST_SECONDS })),
        ),
        maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        missed: Type.Optional(oneOf(MISSED)),
        enabled: Type.Optional(Type.Boolean()),
      }),
      output: ScheduleSchema,
      scope: "schedules:write",
      errors: ["INVALID_ARGUMENT", "INVALID_PAYLOAD"],
    },
    ({ name, expression, queue, ...options }, context) => {
      const scheduler = engineOf(context).scheduler();
      return scheduleOf(scheduler.add(name, expression, { queue, ...given(options) }));
    },
  ),
  atomicMutation(
    {
      id: "schedules.pause",
      description: "Stops a schedule until it is resumed. `changed` is false where it did not run.",
      input: ByName,
      output: Changed,
      scope: "schedules:write",
    },
    ({ name }, context) => ({ changed: engineOf(context).scheduler().pause(name) }),
  ),
  atomicMutation(
    {
      id: "schedules.resume",
      description:
        "Lets a paused schedule go on with its next time; those of the pause are not made up. `changed` is false where it was not paused.",
      input: ByName,
      output: Changed,
      scope: "schedules:write",
    },
    ({ name }, context) => ({ changed: engineOf(context).scheduler().resume(name) }),
  ),
  atomicMutation(
    {
      id: "schedules.remove",
      description:
        "Removes a schedule; jobs that it made stay. `changed` is false where there is none.",
      input: ByName,
      output: Changed,
      scope: "schedules:write",
    },
    ({ name }, context) => ({ changed: engineOf(context).scheduler().remove(name) }),
  ),
  atomicMutation(
    {
      id: "schedules.trigger",
      description:
        "Makes the job of a schedule now, once, and returns its id; the times of the schedule stay as they are. Works for paused ones too.",
      input: ByName,
      output: closed({ jobId: Count }),
      scope: "schedules:write",
      errors: ["NOT_FOUND"],
    },
    ({ name }, context) => {
      const db = engineOf(context);
      const schedule = db.scheduler().get(name);
      if (schedule === null) {
        throw new CallError("NOT_FOUND", `there is no schedule "${name}"`, { details: { name } });
      }
      const { queue, payload, priority, maxAttempts, expiresSeconds } = schedule;
      const jobId = db
        .queue(queue)
        .enqueue(payload, { priority, maxAttempts, expires: expiresSeconds });
      return { jobId };
    },
  ),
];

function scheduleOf(info: ScheduleInfo): ScheduleView {
  return { ...info, nextFireAt: info.nextFireAt.toISOString() };
}
