import { InvalidArgumentError } from "commander";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** Seconds of `90`, `30s`, `15m`, `12h`, `7d` or `2w`. @throws InvalidArgumentError */
export function durationSeconds(text: string): number {
  const [, digits, unit = "s"] = /^(\d{1,12})([smhdw]?)$/.exec(text) ?? [];
  const factor = SECONDS[unit === "" ? "s" : unit];
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw new InvalidArgumentError(
    "A duration is a number of seconds, or like 30s, 15m, 12h, 7d, 2w.",
  );
}

/** A moment: an ISO date, or a duration from now. @throws InvalidArgumentError */
export function futureDate(text: string): Date {
  if (/^\d+[smhdw]$/.test(text)) return new Date(Date.now() + durationSeconds(text) * 1_000);
  const date = isoDate(text);
  if (date !== null) return date;
  throw new InvalidArgumentError(
    "A moment is a date such as 2030-01-31, or a duration such as 90d.",
  );
}

/** The date of an ISO text; null where it is none. */
export function isoDate(text: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date;
}
