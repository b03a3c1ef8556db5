import { HonkerError } from "../errors.ts";

/** The values a cron expression allows, each field sorted. Weekdays: 0 is Sunday. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

/** A parsed schedule expression: a calendar rule, or a distance between two runs. */
export type ScheduleExpression =
  | { readonly kind: "cron"; readonly fields: CronFields }
  | { readonly kind: "every"; readonly seconds: number };

interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const RULES: readonly FieldRule[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day of week", min: 0, max: 7, names: WEEKDAYS },
];

const ALIASES: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LONGEST_MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Longest `@every`: ten years. */
const MAX_EVERY_SECONDS = 315_360_000;

/**
 * Parses `minute hour day-of-month month day-of-week`, the same with seconds in front, `@hourly`,
 * `@daily` (`@midnight`), `@weekly`, `@monthly`, `@yearly` (`@annually`), or `@every 30s` (s, m, h, d).
 * Fields take `*`, values, names (`MON`, `jan`), ranges, lists and steps; 7 is Sunday too. All fields
 * must match, the days as well (`0 0 13 * FRI` is every Friday the 13th), as in Honker.
 *
 * @throws `INVALID_ARGUMENT`, naming the field that is wrong and its place
 */
export function parseSchedule(expression: string): ScheduleExpression {
  if (typeof expression !== "string" || expression.trim() === "") {
    throw refusal(String(expression), "it is empty", "Write five fields, as in 0 3 * * *");
  }
  const text = expression.trim();
  if (/^@every\b/i.test(text)) return { kind: "every", seconds: parseEvery(text) };
  const alias = ALIASES[text.toLowerCase()];
  if (text.startsWith("@") && alias === undefined) {
    const known = [...Object.keys(ALIASES), "@every 30s"].join(", ");
    throw refusal(text, `${text} is not known`, `Use one of ${known}`);
  }
  return { kind: "cron", fields: parseFields(text, (alias ?? text).split(/\s+/)) };
}

/**
 * As {@link parseSchedule}, for an expression that Honker stored: there `5/15` means 5 alone, which is
 * refused elsewhere because other crons read it as 5-59/15.
 */
export function parseStoredSchedule(expression: string): ScheduleExpression {
  return parseSchedule(expression.replace(/(^|[\s,])(\d+)\/\d+(?=$|[\s,])/g, "$1$2"));
}

/** The expression in numbers alone, which Honker's parser takes. */
export function canonicalExpression(schedule: ScheduleExpression): string {
  if (schedule.kind === "every") return `@every ${schedule.seconds}s`;
  const { seconds, minutes, hours, days, months, weekdays } = schedule.fields;
  const written = [minutes, hours, days, months, weekdays].map((values, i) =>
    fieldText(values, RULES[i + 1] as FieldRule),
  );
  const withSeconds = seconds.length === 1 && seconds[0] === 0;
  return (withSeconds ? written : [fieldText(seconds, RULES[0] as FieldRule), ...written]).join(
    " ",
  );
}

function fieldText(values: readonly number[], { min, name, max }: FieldRule): string {
  const size = name === "day of week" ? 7 : max - min + 1;
  return values.length === size ? "*" : values.join(",");
}

function parseEvery(text: string): number {
  const match = /^@every\s+(\d+)\s*([smhd])$/i.exec(text);
  const seconds =
    Number(match?.[1]) * (UNIT_SECONDS[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_EVERY_SECONDS) return seconds;
  throw refusal(
    text,
    "@every needs a whole number from 1 and a unit s, m, h or d, up to ten years",
    "Write for example @every 30s, @every 5m, @every 2h",
  );
}

function parseFields(expression: string, parts: readonly string[]): CronFields {
  if (parts.length !== 5 && parts.length !== 6) {
    throw refusal(
      expression,
      `it has ${parts.length} field${parts.length === 1 ? "" : "s"}, not 5 or 6`,
      "Write minute hour day-of-month month day-of-week, with seconds in front if you need them",
    );
  }
  const all = parts.length === 5 ? ["0", ...parts] : parts;
  const values = all.map((text, i) => {
    const rule = RULES[i] as FieldRule;
    const place = i + 1 - (6 - parts.length);
    return parseField(text, rule, (problem, hint) =>
      refusal(expression, `field ${place} (${rule.name}) "${text}": ${problem}`, hint),
    );
  });
  const [seconds, minutes, hours, days, months, rawWeekdays] = values as Required<typeof values>;
  const weekdays = sorted((rawWeekdays as number[]).map((day) => day % 7));
  const fields = { seconds, minutes, hours, days, months, weekdays } as CronFields;
  requirePossibleDate(expression, fields);
  return fields;
}

type Refuse = (problem: string, hint: string) => HonkerError;

function parseField(text: string, rule: FieldRule, refuse: Refuse): number[] {
  return sorted(text.split(",").flatMap((part) => parsePart(part, rule, refuse)));
}

function parsePart(part: string, rule: FieldRule, refuse: Refuse): number[] {
  const { min, name } = rule;
  const max = name === "day of week" ? 6 : rule.max;
  const [range = "", stepText, ...rest] = part.split("/");
  const step = stepText === undefined ? 1 : Number(stepText);
  if (rest.length > 0 || (stepText !== undefined && !/^\d+$/.test(stepText)) || step < 1) {
    throw refuse(`the step "${part}" is not a whole number from 1`, "Write for example */5");
  }
  if (range === "*") return steps(min, max, step);
  const [first = "", last, ...more] = range.split("-");
  if (more.length > 0) throw refuse(`"${range}" is not a range`, "Write for example 1-5");
  const from = parseValue(first, rule, refuse);
  if (last === undefined) {
    if (stepText === undefined) return [from];
    throw refuse(
      `"${part}" has a step but no range`,
      `Write ${from}-${max}/${step}, or ${from} alone`,
    );
  }
  let to = parseValue(last, rule, refuse);
  // FRI-SUN: a week may end with Sunday
  if (to === 0 && from > 0 && name === "day of week") to = 7;
  if (from > to) {
    throw refuse(`the range ${range} runs backwards`, `Write ${from}-${max},${min}-${to}`);
  }
  return steps(from, to, step);
}

function parseValue(text: string, rule: FieldRule, refuse: Refuse): number {
  const { min, max, names } = rule;
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + min;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const or = names === undefined ? "" : ` or ${names[0]}-${names.at(-1)}`;
  throw refuse(
    text === "" ? "a value is missing" : `"${text}" is not from ${min} to ${max}${or}`,
    "Each field takes *, values, ranges (1-5), lists (1,15) and steps (*/5)",
  );
}

/** Refuses a date that never comes, such as February 30. */
function requirePossibleDate(expression: string, { days, months }: CronFields): void {
  const first = days[0] as number;
  if (months.some((month) => (LONGEST_MONTH_DAYS[month - 1] as number) >= first)) return;
  const names = months.map((month) => MONTHS[month - 1]).join(", ");
  throw refusal(expression, `no day ${first} in ${names}`, "Choose a day that the month has");
}

function steps(from: number, to: number, step: number): number[] {
  const values: number[] = [];
  for (let value = from; value <= to; value += step) values.push(value);
  return values;
}

function sorted(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function refusal(expression: string, problem: string, hint: string): HonkerError {
  return new HonkerError("INVALID_ARGUMENT", `cannot read schedule "${expression}": ${problem}`, {
    hint,
    details: { expression },
  });
}
