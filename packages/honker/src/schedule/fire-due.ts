import { type Core, topics } from "../core/core.ts";
import { HonkerError } from "../errors.ts";
import { parseSchedule, parseStoredSchedule, type ScheduleExpression } from "./cron-expression.ts";
import { latestSlot, nextSlot } from "./fire-times.ts";
import type { MissedRuns } from "./schedule-options.ts";
import {
  advanceSchedule,
  readDue,
  type ScheduleScope,
  type StoredSchedule,
} from "./schedule-table.ts";
import { enqueueSlot } from "./slot-queue.ts";
import { type TimeZone, timeZone } from "./time-zone.ts";

/** One slot that was fired. */
export interface FiredSlot {
  /** Name of the schedule. */
  readonly name: string;
  readonly queue: string;
  /** The time it was due. */
  readonly fireAt: Date;
  readonly jobId: number;
}

/** What {@link fireDue} works on. */
interface FireOptions {
  /** Seconds since 1970. */
  readonly now: number;
  readonly scope: ScheduleScope;
  /** Called for a schedule that cannot be computed; the others fire. */
  readonly onBroken: (schedule: StoredSchedule, error: unknown) => void;
}

/** Most slots made up for one schedule in one go, as in Honker. */
const MAX_MADE_UP = 64;
/** With `missed: "skip"`, how late a slot may be: a new leader comes within 60 s. */
const MISSED_AFTER_SECONDS = 120;

/**
 * Fires every schedule whose time has come. The jobs and the step to the next slot are one transaction
 * that holds the write lock, so a slot fires once however many processes do this at the same time.
 */
export function fireDue(core: Core, options: FireOptions): FiredSlot[] {
  const { now, scope } = options;
  // a look first: nothing due costs no write lock
  if (readDue(core, now, scope).length === 0) return [];
  return core.transaction(() => {
    const fired: FiredSlot[] = [];
    for (const schedule of readDue(core, now, scope)) {
      try {
        // a savepoint: what one broken schedule began is undone, the others fire
        fired.push(...core.transaction(() => fireOne(core, schedule, now)));
      } catch (error) {
        if (!isBroken(error)) throw error;
        options.onBroken(schedule, error);
      }
    }
    return fired;
  });
}

/** The next slot of a stored schedule after `after`, in seconds. */
export function slotAfter(schedule: StoredSchedule, after: number): number {
  const { rule, zone } = ruleOf(schedule);
  return nextSlot(rule, after, zone);
}

function fireOne(core: Core, schedule: StoredSchedule, now: number): FiredSlot[] {
  const { name, queue } = schedule;
  const { slots, nextAt } = planSlots(schedule, now);
  advanceSchedule(core, name, nextAt);
  core.touch(topics.schedule);
  return slots.map((slot) => ({
    name,
    queue,
    fireAt: new Date(slot * 1_000),
    jobId: enqueueSlot(core, schedule, slot),
  }));
}

interface Plan {
  readonly slots: readonly number[];
  readonly nextAt: number;
}

function planSlots(schedule: StoredSchedule, now: number): Plan {
  const { rule, zone } = ruleOf(schedule);
  const first = schedule.nextAt;
  if (schedule.missed === "all") {
    const slots: number[] = [];
    let next = first;
    while (next <= now && slots.length < MAX_MADE_UP) {
      slots.push(next);
      next = nextSlot(rule, next, zone);
    }
    if (next > now) return { slots, nextAt: next };
    const newest = latestSlot(rule, next, { now, zone });
    return { slots, nextAt: nextSlot(rule, newest, zone) };
  }
  const newest = latestSlot(rule, first, { now, zone });
  const nextAt = Math.max(now + 1, nextSlot(rule, newest, zone));
  return { slots: isWanted(schedule.missed, now - newest) ? [newest] : [], nextAt };
}

function isWanted(missed: MissedRuns, lateSeconds: number): boolean {
  return missed !== "skip" || lateSeconds <= MISSED_AFTER_SECONDS;
}

function ruleOf(schedule: StoredSchedule): { rule: ScheduleExpression; zone: TimeZone } {
  const parse = schedule.foreign ? parseStoredSchedule : parseSchedule;
  return { rule: parse(schedule.expression), zone: timeZone(schedule.timeZone) };
}

/** Whether the row itself is wrong: an expression of raw SQL, a zone this runtime does not know. */
function isBroken(error: unknown): boolean {
  return error instanceof HonkerError && error.code === "INVALID_ARGUMENT";
}
