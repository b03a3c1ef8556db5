import type { CheckRun } from "./check-run.ts";

/** A text that is equal for equal values of JSON, whatever the order of their keys. */
export function canonical(value: unknown, run?: CheckRun): string {
  run?.spend(1);
  if (typeof value === "string") {
    run?.spend(Math.ceil(value.length / 64));
    return JSON.stringify(value);
  }
  // -0 is 0
  if (typeof value !== "object" || value === null) return value === 0 ? "0" : String(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, run)).join()}]`;
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, run)}`);
  return `{${entries.join()}}`;
}
