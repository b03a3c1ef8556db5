import { appendFileSync } from "node:fs";

/** Appends a line of figures to the file that ALKDEV_RELIABILITY_REPORT names, when it names one. */
export function report(suite: string, figures: Readonly<Record<string, unknown>>): void {
  const { ALKDEV_RELIABILITY_REPORT: file } = process.env;
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ suite, ...figures })}\n`);
}

/** A number from the environment, so that one suite has a short and a long form. */
export function rounds(variable: string, short: number): number {
  const value = Number(process.env[variable] ?? short);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${variable} must be a whole number from 1`);
  return value;
}
