import { encodePayload } from "../core/json.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { parseSchedule } from "./cron-expression.ts";
import { timeZone } from "./time-zone.ts";

/**
 * What happens to slots that passed while no scheduler ran. `"all"`: each one, oldest first, at most 64;
 * `"once"`: one job for the newest; `"skip"`: none, unless the newest is at most two minutes late.
 */
export type MissedRuns = "all" | "once" | "skip";

/** Options of `Scheduler.add`. */
export interface ScheduleOptions {
  /** The queue that gets a job at every slot. */
  readonly queue: string;
  /** Payload of the jobs, JSON, default `null`. */
  readonly payload?: unknown;
  /** Priority of the jobs, a whole number, default 0; larger runs first. */
  readonly priority?: number;
  /** Seconds after which a job that nobody claimed expires, default never. */
  readonly expiresSeconds?: number | null;
  /** How often a job is tried, default 3. */
  readonly maxAttempts?: number;
  /**
   * IANA zone in which the expression is read, default `"UTC"`. `"system"`: that of the process that
   * fires. Has no effect on `@every`.
   */
  readonly timeZone?: string;
  /** Default `"all"`, as Honker does. Choose `"once"` where a second run has nothing left to do. */
  readonly missed?: MissedRuns;
  /** Default true; false adds the schedule paused. A schedule that exists stays as it is. */
  readonly enabled?: boolean;
}

/** What `Scheduler.update` changes; what is left out stays. */
export interface ScheduleChanges extends Partial<ScheduleOptions> {
  /** A new expression; the next run is counted from now. */
  readonly expression?: string;
}

/** As Honker's Node binding spells it. */
export interface HonkerScheduleOptions extends ScheduleOptions {
  readonly name: string;
  readonly schedule?: string | null;
  readonly cron?: string | null;
  readonly expiresS?: number | null;
}

/** As Honker's Node binding spells it. */
export interface HonkerScheduleChanges extends ScheduleChanges {
  readonly schedule?: string | null;
  readonly cron?: string | null;
  readonly expiresS?: number | null;
}

/** A schedule's own settings, checked; what its row is written from. */
export interface ScheduleSettings {
  readonly expression: string;
  readonly queue: string;
  /** JSON text. */
  readonly payload: string;
  readonly priority: number;
  readonly expiresSeconds: number | null;
  readonly maxAttempts: number;
  readonly timeZone: string;
  readonly missed: MissedRuns;
}

const MISSED: readonly MissedRuns[] = ["all", "once", "skip"];

/** Checks the options of a new schedule. @throws `INVALID_ARGUMENT`, `INVALID_PAYLOAD` */
export function checkSchedule(
  name: string,
  expression: string,
  options: ScheduleOptions,
): ScheduleSettings {
  requireName(name, "name of a schedule");
  const settings = {
    expression,
    queue: options.queue,
    payload: encodePayload(options.payload ?? null, `payload of schedule "${name}"`),
    priority: options.priority ?? 0,
    expiresSeconds: options.expiresSeconds ?? null,
    maxAttempts: options.maxAttempts ?? 3,
    timeZone: options.timeZone ?? "UTC",
    missed: options.missed ?? "all",
  };
  checkSettings(name, settings);
  return settings;
}

/** Checks changes and puts them into the settings of a schedule. @throws as {@link checkSchedule} */
export function changeSchedule(
  name: string,
  settings: ScheduleSettings,
  changes: ScheduleChanges,
): ScheduleSettings {
  const changed = {
    expression: changes.expression ?? settings.expression,
    queue: changes.queue ?? settings.queue,
    payload:
      changes.payload === undefined
        ? settings.payload
        : encodePayload(changes.payload, `payload of schedule "${name}"`),
    priority: changes.priority ?? settings.priority,
    expiresSeconds:
      changes.expiresSeconds === undefined ? settings.expiresSeconds : changes.expiresSeconds,
    maxAttempts: changes.maxAttempts ?? settings.maxAttempts,
    timeZone: changes.timeZone ?? settings.timeZone,
    missed: changes.missed ?? settings.missed,
  };
  checkSettings(name, changed);
  return changed;
}

function checkSettings(name: string, settings: ScheduleSettings): void {
  const of = `of schedule "${name}"`;
  parseSchedule(settings.expression);
  timeZone(settings.timeZone);
  requireName(settings.queue, `queue ${of}`);
  const { MIN_SAFE_INTEGER: min } = Number;
  requireNumber(settings.priority, `priority ${of}`, { min, integer: true });
  requireNumber(settings.maxAttempts, `maxAttempts ${of}`, {
    min: 1,
    max: 2_147_483_647,
    integer: true,
  });
  if (settings.expiresSeconds !== null) {
    const max = 315_360_000;
    requireNumber(settings.expiresSeconds, `expiresSeconds ${of}`, { min: 1, max, integer: true });
  }
  if (MISSED.includes(settings.missed)) return;
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `missed ${of} must be "all", "once" or "skip", got ${JSON.stringify(settings.missed)}`,
  );
}
