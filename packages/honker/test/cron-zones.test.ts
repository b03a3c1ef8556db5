import { nextFireTime } from "@alkdev/honker";
import { Cron } from "croner";
import { describe, expect, it } from "vitest";

/** `ALKDEV_CRON_SWEEP=1`: every zone and every change from 2000 to 2040, a quarter of an hour. */
const sweep = process.env.ALKDEV_CRON_SWEEP === "1";
const ZONES = sweep
  ? Intl.supportedValuesOf("timeZone")
  : [
      "Europe/Berlin",
      "America/New_York",
      "America/Sao_Paulo", // skipped midnights until 2018
      "America/Havana", // skips and repeats midnight
      "Australia/Lord_Howe", // changes by half an hour
      "Africa/Casablanca", // negative daylight saving around Ramadan
      "Asia/Gaza", // rules that change every year
      "Pacific/Apia", // a whole day missing in 2011
      "Asia/Kathmandu", // 5:45, no changes
      "America/St_Johns", // changes at 00:01 until 2011
      "Antarctica/Troll", // changes by two hours
    ];
const [FIRST_YEAR, LAST_YEAR] = sweep ? [2000, 2040] : [2010, 2011];

const MINUTE = 60;
const DAY = 86_400;
const EXPRESSIONS = [
  "30 2 * * *",
  "0 0 * * *",
  "59 23 * * *",
  "15,45 1-3 * * *",
  "30 * * * *",
  "*/20 * * * *",
  "0 */2 * * *",
  "30 0 1 * *",
  "10 2 * * SUN",
  "30 * * * SAT", // ends with an hour that Brazil repeats
];

/** Local date and time of a zone as the runtime prints it: minutes since 1970 of the local calendar. */
class Wall {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  }

  minuteAt(second: number): number {
    const text = this.#format.format(second * 1_000); // 2026-03-29 03:00
    const number = (from: number, to: number): number => Number(text.slice(from, to));
    const day = Date.UTC(number(0, 4), number(5, 7) - 1, number(8, 10)) / 60_000;
    return day + number(11, 13) * 60 + number(14, 16);
  }
}

const changesByZone = new Map<string, readonly number[]>();

/** All changes of local time against UTC, by looking every six hours and then at every minute. */
function changesOf(zone: string): readonly number[] {
  const known = changesByZone.get(zone);
  if (known !== undefined) return known;
  const wall = new Wall(zone);
  const changes: number[] = [];
  changesByZone.set(zone, changes);
  const offset = (second: number): number => wall.minuteAt(second) * MINUTE - second;
  const step = sweep ? DAY / 4 : DAY;
  const end = Date.UTC(LAST_YEAR as number, 11, 31) / 1_000;
  let before = offset(Date.UTC(FIRST_YEAR as number, 0, 1) / 1_000);
  for (let at = Date.UTC(FIRST_YEAR as number, 0, 1) / 1_000; at < end; at += step) {
    const after = offset(at + step);
    if (after === before) continue;
    let minute = at;
    while (offset(minute) === before) minute += MINUTE;
    changes.push(minute);
    before = after;
  }
  return changes;
}

/** One zone of each set that shows the same local time throughout: croner is slow. */
function distinct(zones: readonly string[]): string[] {
  const byHistory = new Map<string, string>();
  for (const zone of zones) {
    const wall = new Wall(zone);
    const offsets = changesOf(zone).map((at) => `${at}:${wall.minuteAt(at) - at / MINUTE}`);
    if (offsets.length > 0) byHistory.set(offsets.join(), zone);
  }
  return [...byHistory.values()];
}

/** Whether a local minute matches, written without the parser under test. */
function matcher(expression: string): {
  matches: (wallMinute: number) => boolean;
  hourly: boolean;
} {
  const [minute, hour, day, , weekday] = expression.split(" ") as [
    string,
    string,
    string,
    string,
    string,
  ];
  const values = (field: string, size: number): Set<number> => {
    const all = Array.from({ length: size }, (_, value) => value);
    const fits = (value: number): boolean =>
      field.split(",").some((part) => {
        const [range, step = "1"] = part.split("/") as [string, string?];
        if (range === "*") return value % Number(step) === 0;
        const [low, high = low] = range.split("-") as [string, string?];
        return value >= Number(low) && value <= Number(high);
      });
    return new Set(all.filter(fits));
  };
  const minutes = values(minute, 60);
  const hours = values(hour, 24);
  return {
    hourly: hour === "*",
    matches: (wallMinute) => {
      if (!minutes.has(wallMinute % 60) || !hours.has(Math.floor(wallMinute / 60) % 24))
        return false;
      const date = new Date(wallMinute * 60_000);
      return (
        (day === "*" || date.getUTCDate() === Number(day)) &&
        (weekday === "*" ||
          date.getUTCDay() === ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"].indexOf(weekday))
      );
    },
  };
}

/**
 * The stated rule, minute by minute: an hourly expression fires whenever the wall clock matches. Any
 * other fires the first time the wall clock shows a matching time; one that the wall clock jumps over
 * fires at the jump.
 */
function bruteForce(wall: readonly number[], from: number, expression: string): number[] {
  const { matches, hourly } = matcher(expression);
  const slots: number[] = [];
  const shown = new Set<number>();
  wall.forEach((minute, i) => {
    const previous = wall[i - 1];
    let fires = matches(minute) && (hourly || !shown.has(minute));
    if (!hourly && previous !== undefined) {
      for (let skipped = previous + 1; skipped < minute; skipped++) {
        if (matches(skipped) && !shown.has(skipped)) fires = true;
      }
    }
    shown.add(minute);
    if (fires) slots.push(from + i * MINUTE);
  });
  return slots;
}

function slotsOf(
  next: (after: Date) => Date | null,
  { from, to }: { from: number; to: number },
): number[] {
  const slots: number[] = [];
  for (let at = next(new Date((from - 1) * 1_000)); at !== null; at = next(at)) {
    const second = at.getTime() / 1_000;
    if (second >= to) break;
    slots.push(second);
  }
  return slots;
}

describe(`M9: time zones, ${ZONES.length} of them, ${FIRST_YEAR} to ${LAST_YEAR}`, () => {
  it.each(ZONES)("%s: fires as the rule says around every change", { timeout: 120_000 }, (zone) => {
    const clock = new Wall(zone);
    for (const change of changesOf(zone)) {
      // from well before, so that what the change repeats has been shown
      const start = change - 1.5 * DAY;
      const wall: number[] = [];
      for (let at = start; at < change + DAY; at += MINUTE) wall.push(clock.minuteAt(at));
      const window = { from: change - DAY / 2, to: change + DAY };
      for (const expression of EXPRESSIONS) {
        const expected = bruteForce(wall, start, expression).filter(
          (slot) => slot >= window.from && slot < window.to,
        );
        const got = slotsOf((after) => nextFireTime(expression, after, zone), window);
        expect(got, `${expression} around ${new Date(change * 1_000).toISOString()}`).toEqual(
          expected,
        );
      }
    }
  });

  it.each(distinct(sweep ? ZONES : ZONES.slice(0, 5)))(
    "%s: agrees with croner but for what the rule states",
    { timeout: 240_000 },
    (zone) => {
      const clock = new Wall(zone);
      const changes = changesOf(zone);
      for (const expression of EXPRESSIONS) {
        const croner = new Cron(expression, { timezone: zone, domAndDow: true, paused: true });
        for (const change of changes) {
          const window = { from: change - DAY, to: change + DAY };
          const theirs = slotsOf((after) => croner.nextRun(after), window);
          const ours = slotsOf((after) => nextFireTime(expression, after, zone), window);
          const at = `${expression} around ${new Date(change * 1_000).toISOString()}`;
          // croner repeats what a list or range names; here only "every hour" is repeated
          const dropped = theirs.filter((slot) => !ours.includes(slot));
          for (const slot of dropped) {
            const wall = clock.minuteAt(slot);
            const earlier = ours.some((other) => other < slot && clock.minuteAt(other) === wall);
            expect(earlier, `${at}: croner's ${new Date(slot * 1_000).toISOString()}`).toBe(true);
          }
          // croner drops what a list or range names and the clock jumps over; here it fires at the jump
          const added = ours.filter((slot) => !theirs.includes(slot));
          for (const slot of added) {
            const jump = clock.minuteAt(slot) - clock.minuteAt(slot - MINUTE);
            expect(jump, `${at}: our ${new Date(slot * 1_000).toISOString()}`).toBeGreaterThan(1);
          }
        }
      }
    },
  );

  it.each(ZONES)("%s: fires once a month at the same local time", { timeout: 60_000 }, (zone) => {
    const wall = new Wall(zone);
    let at = new Date(Date.UTC(FIRST_YEAR as number, 0, 1));
    const end = Date.UTC(LAST_YEAR as number, 11, 1);
    let month: number | undefined;
    while (at.getTime() < end) {
      at = nextFireTime("15 12 17 * *", at, zone);
      const local = new Date(wall.minuteAt(at.getTime() / 1_000) * 60_000);
      expect(local.toISOString().slice(8, 16)).toBe("17T12:15");
      const now = local.getUTCFullYear() * 12 + local.getUTCMonth();
      if (month !== undefined) expect(now).toBe(month + 1);
      month = now;
    }
  });
});

describe("M9: the rule for daylight saving, by example", () => {
  const berlin = (expression: string, from: string, count: number): string[] => {
    const times: string[] = [];
    let at = new Date(from);
    for (let i = 0; i < count; i++) {
      at = nextFireTime(expression, at, "Europe/Berlin");
      times.push(at.toISOString().slice(8, 16));
    }
    return times;
  };

  it("runs a skipped time once, at the jump", () => {
    expect(berlin("30 2 * * *", "2026-03-28T12:00:00Z", 2)).toEqual(["29T01:00", "30T00:30"]);
    expect(berlin("0,15,30 2 * * *", "2026-03-28T12:00:00Z", 2)).toEqual(["29T01:00", "30T00:00"]);
  });

  it("runs a repeated time once, the first time", () => {
    expect(berlin("30 2 * * *", "2026-10-24T12:00:00Z", 2)).toEqual(["25T00:30", "26T01:30"]);
  });

  it("lets an hourly expression follow elapsed time", () => {
    expect(berlin("30 * * * *", "2026-03-29T00:00:00Z", 3)).toEqual([
      "29T00:30",
      "29T01:30",
      "29T02:30",
    ]);
    expect(berlin("30 * * * *", "2026-10-25T00:00:00Z", 3)).toEqual([
      "25T00:30",
      "25T01:30",
      "25T02:30",
    ]);
  });

  it("knows the zone of the process by the name system", () => {
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    const from = new Date("2026-05-01T00:00:00Z");
    expect(nextFireTime("0 3 * * *", from, "system")).toEqual(
      nextFireTime("0 3 * * *", from, zone),
    );
  });
});
