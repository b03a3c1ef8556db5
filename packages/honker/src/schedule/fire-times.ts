import { requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { type CronFields, parseSchedule, type ScheduleExpression } from "./cron-expression.ts";
import { type TimeZone, timeZone, type ZoneSegment } from "./time-zone.ts";

const DAY = 86_400;
/** Local times that a change repeats or skips lie within this many seconds of it. */
const NEAR_SECONDS = 26 * 3_600;
/** February 29 on a given weekday, across a century without one: 40 years apart at most. */
const MAX_DAYS_AHEAD = 41 * 366;

/**
 * The first time after `from` at which a schedule fires, in `zone` (IANA, default `"UTC"`).
 *
 * Local times that daylight saving skips fire once, at the moment the clock jumps; local times it
 * repeats fire the first time only. An expression that names every hour (`*` in the hour field) follows
 * elapsed time instead: it fires in both passes of a repeated hour and not for a skipped one.
 *
 * @param from a Date, or milliseconds since 1970
 * @throws `INVALID_ARGUMENT` for an expression that cannot be read or an unknown zone
 * @example
 * ```ts
 * nextFireTime("0 3 * * *", new Date("2026-03-28T12:00:00Z"), "Europe/Berlin"); // 2026-03-29T01:00Z
 * ```
 */
export function nextFireTime(expression: string, from: Date | number, zone = "UTC"): Date {
  const fromMs = typeof from === "number" ? from : from.getTime();
  requireNumber(fromMs, "from", { min: -8.64e15, max: 8.64e15 });
  const second = nextSlot(parseSchedule(expression), Math.floor(fromMs / 1_000), timeZone(zone));
  const at = new Date(second * 1_000);
  if (Number.isNaN(at.getTime())) throw neverFires();
  return at;
}

/** First slot after `from`, both in seconds since 1970; for `@every`, one distance after `from`. */
export function nextSlot(schedule: ScheduleExpression, from: number, zone: TimeZone): number {
  return schedule.kind === "every"
    ? from + schedule.seconds
    : nextCronSlot(schedule.fields, from, zone);
}

/**
 * Newest slot at or before `now`, given that `first` is one. Found by doubling and halving, so that a
 * year of missed seconds costs some dozens of steps.
 */
export function latestSlot(
  schedule: ScheduleExpression,
  first: number,
  { now, zone }: { readonly now: number; readonly zone: TimeZone },
): number {
  if (schedule.kind === "every") {
    return first + Math.floor((now - first) / schedule.seconds) * schedule.seconds;
  }
  const { fields } = schedule;
  let back = 1;
  while (now - back >= first && nextCronSlot(fields, now - back, zone) > now) back *= 2;
  // the newest slot is the one after the newest second that has a slot between it and now
  let low = Math.max(first - 1, now - back);
  let high = now;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (nextCronSlot(fields, middle, zone) <= now) low = middle;
    else high = middle;
  }
  const newest = nextCronSlot(fields, low, zone);
  // a stored time need not be a slot of the expression: Honker may have computed it in another zone
  return newest <= now ? newest : first;
}

function nextCronSlot(fields: CronFields, after: number, zone: TimeZone): number {
  const everyHour = fields.hours.length === 24;
  let from = after;
  for (;;) {
    const segment = zone.segmentAt(from + 1);
    const slot = slotInSegment(fields, from, { segment, everyHour });
    if (slot.found) return slot.second;
    // local times near a change may come back after it; otherwise go straight to the next match
    from =
      segment.end <= from + NEAR_SECONDS
        ? segment.end - 1
        : Math.max(segment.end - 1, slot.nextLocal - NEAR_SECONDS);
  }
}

type SlotSearch =
  | { readonly found: true; readonly second: number }
  | { readonly found: false; readonly nextLocal: number };

function slotInSegment(
  fields: CronFields,
  from: number,
  { segment, everyHour }: { readonly segment: ZoneSegment; readonly everyHour: boolean },
): SlotSearch {
  const { start, end, offset, offsetBefore } = segment;
  if (start > from && !everyHour && offset > offsetBefore) {
    const skipped = nextLocalMatch(fields, start + offsetBefore);
    if (skipped < start + offset) return { found: true, second: start };
  }
  let local = from + 1 + offset;
  // before this local time, everything was already seen once under the earlier offset
  if (!everyHour) local = Math.max(local, start + offsetBefore);
  const match = nextLocalMatch(fields, local);
  if (match < end + offset) return { found: true, second: match - offset };
  return { found: false, nextLocal: match };
}

/** First local time from `local` on that matches; local times are counted as if they were UTC. */
function nextLocalMatch(fields: CronFields, local: number): number {
  let day = Math.floor(local / DAY);
  const lastDay = day + MAX_DAYS_AHEAD;
  if (dayMatches(fields, day)) {
    const time = nextTimeOfDay(fields, local - day * DAY);
    if (time !== undefined) return day * DAY + time;
  }
  const firstTime = timeOfDay(fields.hours[0], fields.minutes[0], fields.seconds[0]);
  for (day += 1; day <= lastDay; day++) {
    const date = new Date(day * DAY * 1_000);
    if (!fields.months.includes(date.getUTCMonth() + 1)) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / (DAY * 1_000) - 1;
      continue;
    }
    if (dayMatches(fields, day)) return day * DAY + firstTime;
  }
  throw neverFires();
}

/** Date ends in the year 275760. */
function neverFires(): HonkerError {
  return new HonkerError("INVALID_ARGUMENT", "the schedule does not fire before the end of time");
}

function dayMatches({ days, months, weekdays }: CronFields, day: number): boolean {
  const date = new Date(day * DAY * 1_000);
  return (
    months.includes(date.getUTCMonth() + 1) &&
    days.includes(date.getUTCDate()) &&
    weekdays.includes(date.getUTCDay())
  );
}

/** First matching second of a day from `from` on. */
function nextTimeOfDay({ hours, minutes, seconds }: CronFields, from: number): number | undefined {
  const hour = Math.floor(from / 3_600);
  const minute = Math.floor(from / 60) % 60;
  if (hours.includes(hour)) {
    if (minutes.includes(minute)) {
      const second = seconds.find((value) => value >= from % 60);
      if (second !== undefined) return timeOfDay(hour, minute, second);
    }
    const nextMinute = minutes.find((value) => value > minute);
    if (nextMinute !== undefined) return timeOfDay(hour, nextMinute, seconds[0]);
  }
  const nextHour = hours.find((value) => value > hour);
  return nextHour === undefined ? undefined : timeOfDay(nextHour, minutes[0], seconds[0]);
}

function timeOfDay(hour = 0, minute = 0, second = 0): number {
  return hour * 3_600 + minute * 60 + second;
}
