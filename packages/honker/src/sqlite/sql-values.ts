import { HonkerError } from "../errors.ts";
import type { Column, SqlInput, SqlValue } from "./connection.ts";

/**
 * Checks parameters and turns booleans into 1 and 0. Everything else that SQLite would store with a
 * loss, or not at all, is refused: NaN (SQLite stores NULL), Date (seconds or milliseconds?),
 * undefined, objects.
 *
 * @throws {@link HonkerError} `INVALID_PARAMETER`, naming the position and the value's type.
 */
export function bindable(params: readonly SqlInput[], sql: string): readonly SqlValue[] {
  for (let i = 0; i < params.length; i++) {
    const value = params[i];
    switch (typeof value) {
      case "string":
      case "bigint":
        continue;
      case "number":
        if (!Number.isNaN(value)) continue;
        break;
      case "boolean":
        return converted(params, sql);
      case "object":
        if (value === null || value instanceof Uint8Array) continue;
        break;
    }
    throw refusal(value, i, sql);
  }
  return params as readonly SqlValue[];
}

function converted(params: readonly SqlInput[], sql: string): readonly SqlValue[] {
  const values = params.map((value) => (typeof value === "boolean" ? Number(value) : value));
  return bindable(values, sql);
}

function refusal(value: unknown, index: number, sql: string): HonkerError {
  const kind = kindOf(value);
  return new HonkerError(
    "INVALID_PARAMETER",
    `parameter ${index + 1} is ${kind}, which SQLite cannot store without loss`,
    { hint: hintFor(kind), details: { index, kind, sql } },
  );
}

function kindOf(value: unknown): string {
  if (value instanceof Date) return "a Date";
  if (Number.isNaN(value)) return "NaN";
  if (value === undefined) return "undefined";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `a ${typeof value}`;
}

function hintFor(kind: string): string {
  switch (kind) {
    case "a Date":
      return "Pass date.getTime() for milliseconds or Math.floor(date.getTime() / 1000) for seconds";
    case "NaN":
    case "undefined":
      return "Pass null to store NULL";
    case "an array":
    case "an object":
      return "Pass JSON.stringify(value), or spread an array into separate parameters";
    default:
      return "Pass a string, number, bigint, boolean, null or Uint8Array";
  }
}

/**
 * Whether a number read from SQLite may be an integer that lost digits on its way into JavaScript.
 * Beyond the 64-bit range only a REAL is possible, and REALs are not rounded.
 */
export function mayBeRounded(value: unknown): value is number {
  return (
    typeof value === "number" &&
    (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) &&
    Math.abs(value) <= 2 ** 63 &&
    Number.isInteger(value)
  );
}

/**
 * Refuses an integer that was rounded. A REAL that large is let through where the column is declared
 * REAL; an expression has no declared type, so there the caller decides by asking for bigint.
 *
 * @throws {@link HonkerError} `UNSAFE_INTEGER`, naming the column.
 */
export function refuseRounded(value: number, column: Column | undefined): void {
  if (/REAL|FLOA|DOUB/i.test(column?.type ?? "")) return;
  throw new HonkerError(
    "UNSAFE_INTEGER",
    `column "${column?.name}" holds about ${value}, which a JavaScript number cannot hold exactly`,
    {
      hint: 'Ask for exact integers with { integers: "bigint" }',
      details: { column: column?.name, approximately: value },
    },
  );
}
