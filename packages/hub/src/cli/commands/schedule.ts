import type { Database, ScheduleInfo } from "@alkdev/honker";
import { HubError } from "../../errors.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

/** `alkdev schedule` */
export const defineSchedule: DefineCommand = (schedule, shell) => {
  withPlace(schedule.command("list"))
    .description("list schedules")
    .action(shell.action<PlaceOptions>(list));
  withPlace(schedule.command("pause <schedule>"))
    .description("stop a schedule until it is resumed")
    .action(shell.action<PlaceOptions, [string]>(pause));
  withPlace(schedule.command("resume <schedule>"))
    .description("go on with the next slot")
    .action(shell.action<PlaceOptions, [string]>(resume));
  withPlace(schedule.command("trigger <schedule>"))
    .description("enqueue its job now; its next run stays")
    .action(shell.action<PlaceOptions, [string]>(trigger));
  withPlace(schedule.command("remove <schedule>"))
    .description("remove a schedule; jobs it made stay")
    .action(shell.action<PlaceOptions, [string]>(remove));
};

function list({ data, out }: DataRun, options: PlaceOptions): void {
  using place = openPlace(data, options);
  const schedules = place.db.scheduler().list();
  out.result({ schedules }, () =>
    out.table(
      schedules,
      [
        { header: "schedule", value: ({ name }) => name, shrinks: true },
        { header: "when", value: ({ expression }) => expression, shrinks: true },
        { header: "zone", value: ({ timeZone }) => timeZone, shrinks: true },
        { header: "queue", value: ({ queue }) => queue, shrinks: true },
        { header: "next", value: ({ enabled, nextFireAt }) => (enabled ? nextFireAt : "paused") },
      ],
      `${place.name} has no schedules.`,
    ),
  );
}

function pause({ data, out }: DataRun, options: PlaceOptions, name: string): void {
  using place = openPlace(data, options);
  requireSchedule(place.db, name);
  const changed = place.db.scheduler().pause(name);
  out.result({ schedule: name, enabled: false, changed }, () =>
    changed ? `${name} is paused.` : `${name} was paused already.`,
  );
}

function resume({ data, out }: DataRun, options: PlaceOptions, name: string): void {
  using place = openPlace(data, options);
  requireSchedule(place.db, name);
  const changed = place.db.scheduler().resume(name);
  const { nextFireAt } = requireSchedule(place.db, name);
  out.result({ schedule: name, enabled: true, changed, nextFireAt }, () => {
    const next = nextFireAt.toISOString();
    return changed ? `${name} goes on at ${next}.` : `${name} was not paused; it runs at ${next}.`;
  });
}

function trigger({ data, out }: DataRun, options: PlaceOptions, name: string): void {
  using place = openPlace(data, options);
  const schedule = requireSchedule(place.db, name);
  const { queue, payload, priority, maxAttempts, expiresSeconds } = schedule;
  const id = place.db.queue(queue).enqueue(payload, {
    priority,
    maxAttempts,
    ...(expiresSeconds === null ? {} : { expiresSeconds }),
  });
  out.result({ schedule: name, queue, id }, () => `Job ${id} is in queue ${queue}.`);
}

async function remove(run: DataRun, options: PlaceOptions, name: string): Promise<void> {
  using place = openPlace(run.data, options);
  const { expression } = requireSchedule(place.db, name);
  await run.confirm({ what: `schedule ${name} (${expression}) is removed`, word: name });
  const removed = place.db.scheduler().remove(name);
  run.out.result({ schedule: name, removed }, () => `${name} is removed.`);
}

function requireSchedule(db: Database, name: string): ScheduleInfo {
  const schedule = db.scheduler().get(name);
  if (schedule !== null) return schedule;
  const known = db
    .scheduler()
    .list()
    .map((one) => one.name);
  throw new HubError("NOT_FOUND", `there is no schedule "${name}"`, {
    ...(known.length === 0 ? {} : { hint: `Known are ${known.join(", ")}` }),
    details: { schedule: name, known },
  });
}
