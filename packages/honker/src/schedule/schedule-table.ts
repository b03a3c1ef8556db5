import { type Core, topics } from "../core/core.ts";
import { canonicalExpression, parseSchedule } from "./cron-expression.ts";
import { nextSlot } from "./fire-times.ts";
import type { MissedRuns, ScheduleSettings } from "./schedule-options.ts";
import { PARKED_AT } from "./schedule-schema.ts";
import { systemTimeZone, timeZone } from "./time-zone.ts";

/** A schedule as it is stored. */
export interface StoredSchedule extends ScheduleSettings {
  readonly name: string;
  readonly enabled: boolean;
  /** Seconds since 1970. */
  readonly nextAt: number;
  /** Whether Honker's own scheduler fires it too. */
  readonly shared: boolean;
  /** Whether it was added through Honker. */
  readonly foreign: boolean;
}

/** Which schedules are meant: all, or those that Honker's own scheduler leaves alone. */
export type ScheduleScope = "all" | "unshared";

const COLUMNS = `name, queue, cron_expr, payload, priority, expires_s, enabled, max_attempts,
  coalesce(alk_next_at, next_fire_at), alk_next_at IS NULL, alk_expression, alk_time_zone, alk_missed`;
const NEXT_AT = "coalesce(alk_next_at, next_fire_at)";
const ALL = `SELECT ${COLUMNS} FROM _honker_scheduler_tasks ORDER BY name`;
const ONE = `SELECT ${COLUMNS} FROM _honker_scheduler_tasks WHERE name = ?`;
const DUE = `SELECT ${COLUMNS} FROM _honker_scheduler_tasks
  WHERE enabled = 1 AND ${NEXT_AT} <= ? AND (alk_next_at IS NOT NULL OR ?) ORDER BY ${NEXT_AT}, name`;
const SOONEST = `SELECT min(${NEXT_AT}) FROM _honker_scheduler_tasks
  WHERE enabled = 1 AND ${NEXT_AT} > ? AND (alk_next_at IS NOT NULL OR ?)`;
const WRITE = `INSERT INTO _honker_scheduler_tasks (name, queue, cron_expr, payload, priority,
  expires_s, max_attempts, enabled, alk_expression, alk_time_zone, alk_missed, next_fire_at, alk_next_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
  queue = excluded.queue, cron_expr = excluded.cron_expr, payload = excluded.payload,
  priority = excluded.priority, expires_s = excluded.expires_s, max_attempts = excluded.max_attempts,
  enabled = excluded.enabled, alk_expression = excluded.alk_expression,
  alk_time_zone = excluded.alk_time_zone, alk_missed = excluded.alk_missed,
  next_fire_at = excluded.next_fire_at, alk_next_at = excluded.alk_next_at`;
const ADVANCE = `UPDATE _honker_scheduler_tasks SET
  alk_next_at = iif(alk_next_at IS NULL, NULL, ?),
  next_fire_at = iif(alk_next_at IS NULL, ?, next_fire_at) WHERE name = ?`;
const ENABLE = "UPDATE _honker_scheduler_tasks SET enabled = ? WHERE name = ? AND enabled <> ?";
const REMOVE = "DELETE FROM _honker_scheduler_tasks WHERE name = ?";

/** All schedules, by name. */
export function readSchedules(core: Core): StoredSchedule[] {
  return core.prepare(ALL).rows([]).map(storedSchedule);
}

/** One schedule; `undefined` when there is none of that name. */
export function readSchedule(core: Core, name: string): StoredSchedule | undefined {
  const row = core.prepare(ONE).row([name]);
  return row === undefined ? undefined : storedSchedule(row);
}

/** Enabled schedules whose time has come, oldest first. */
export function readDue(core: Core, now: number, scope: ScheduleScope): StoredSchedule[] {
  return core
    .prepare(DUE)
    .rows([now, scope === "all"])
    .map(storedSchedule);
}

/** The next time after `now` at which a schedule is due; `undefined` when there is none. */
export function soonestAfter(core: Core, now: number, scope: ScheduleScope): number | undefined {
  const soonest = core.prepare(SOONEST).row([now, scope === "all"])?.[0] ?? undefined;
  return soonest === undefined ? undefined : Number(soonest);
}

/** Writes a schedule of ours. `nextAt` absent: the first slot after now. */
export function writeSchedule(
  core: Core,
  settings: ScheduleSettings,
  row: { readonly name: string; readonly enabled: boolean; readonly nextAt?: number | undefined },
): void {
  const { expression, queue, payload, priority, expiresSeconds, maxAttempts, missed } = settings;
  const schedule = parseSchedule(expression);
  const zone = timeZone(settings.timeZone);
  const nextAt = row.nextAt ?? nextSlot(schedule, core.nowSeconds(), zone);
  const sameInHonker =
    schedule.kind === "every" || (zone.isUtc && timeZone(systemTimeZone()).isUtc);
  const shared = missed === "all" && sameInHonker;
  core
    .prepare(WRITE)
    .run([
      row.name,
      queue,
      canonicalExpression(schedule),
      payload,
      priority,
      expiresSeconds,
      maxAttempts,
      row.enabled,
      expression,
      settings.timeZone,
      missed,
      shared ? nextAt : PARKED_AT,
      shared ? null : nextAt,
    ]);
  core.touch(topics.schedule);
}

/** Moves a schedule to its next time. */
export function advanceSchedule(core: Core, name: string, nextAt: number): void {
  core.prepare(ADVANCE).run([nextAt, nextAt, name]);
}

/** Pauses or resumes; false when there is no such schedule or it was so already. */
export function enableSchedule(core: Core, name: string, enabled: boolean): boolean {
  const { changes } = core.prepare(ENABLE).run([enabled, name, enabled]);
  if (changes > 0) core.touch(topics.schedule);
  return changes > 0;
}

/** Removes; false when there is no such schedule. */
export function removeSchedule(core: Core, name: string): boolean {
  const { changes } = core.prepare(REMOVE).run([name]);
  if (changes > 0) core.touch(topics.schedule);
  return changes > 0;
}

function storedSchedule(row: readonly unknown[]): StoredSchedule {
  const [name, queue, cron, payload, priority, expires, enabled, attempts, nextAt, shared] = row;
  const [expression, zone, missed] = row.slice(10);
  const foreign = expression === null;
  return {
    name: String(name),
    queue: String(queue),
    expression: String(foreign ? cron : expression),
    payload: String(payload),
    priority: Number(priority),
    expiresSeconds: expires === null ? null : Number(expires),
    enabled: enabled === 1,
    maxAttempts: Number(attempts),
    nextAt: Number(nextAt),
    shared: shared === 1,
    foreign,
    // Honker reads its schedules in the zone of its process and makes up for missed runs
    timeZone: foreign ? "system" : String(zone),
    missed: foreign ? "all" : (String(missed) as MissedRuns),
  };
}
