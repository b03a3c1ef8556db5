import type { Field } from "../postgres/copy-text.ts";
import { RowRefusal } from "./row-refusal.ts";

/** What a row's JSON holds that JavaScript does not read as it is written. */
export interface JsonNotes {
  /** Numbers that JavaScript rounds. They are kept digit for digit. */
  impreciseNumbers: number;
  /** Escaped null characters in texts. */
  nullCharacters: number;
}

/** Seconds that a JavaScript Date can hold. */
const LAST_SECOND = 8_640_000_000_000;

/** A moment in seconds. @throws RowRefusal `TIME_OUT_OF_RANGE` */
export function seconds(field: Field, column: string): number | null {
  if (field === null) return null;
  const value = Number(field);
  if (Number.isSafeInteger(value) && Math.abs(value) <= LAST_SECOND) return value;
  throw new RowRefusal("TIME_OUT_OF_RANGE", `${column} is ${field}, which no Date can hold`);
}

/** A column that must have a value. @throws RowRefusal `MISSING_VALUE` */
export function required<T>(value: T | null, column: string): T {
  if (value !== null) return value;
  throw new RowRefusal("MISSING_VALUE", `${column} is null`);
}

/** A boolean as SQLite stores it. */
export function bit(field: Field, otherwise: 0 | 1): 0 | 1 {
  if (field === null) return otherwise;
  return field === "t" || field === "true" || field === "1" ? 1 : 0;
}

/** Cheap, and true for every text that needs a closer look. */
const SUSPECT = /[0-9]{16}|[0-9][eE]|[0-9]\.[0-9]{14}|\\u0000/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/gs;
const NULL_CHARACTER = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * JSON as it is kept: the source's own text, so that no digit is lost.
 *
 * @throws RowRefusal `NUMBER_OUT_OF_RANGE`
 */
export function jsonText(text: string, column: string, notes: JsonNotes): string {
  if (!SUSPECT.test(text)) return text;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token.startsWith('"')) {
      if (NULL_CHARACTER.test(token)) notes.nullCharacters += 1;
    } else if (!isExact(token, column)) notes.impreciseNumbers += 1;
  }
  return text;
}

function isExact(token: string, column: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) {
    const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token;
    throw new RowRefusal(
      "NUMBER_OUT_OF_RANGE",
      `${column} has the number ${shown} (${token.length} characters), which JavaScript reads as infinite`,
    );
  }
  const digits = significant(token);
  if (digits.length <= 15) return true;
  return significant(String(value)) === digits;
}

/** The digits that count, without sign, point, exponent and zeros at either end. */
function significant(token: string): string {
  return token
    .replace(/[eE].*$/, "")
    .replaceAll(/[-.]/g, "")
    .replace(/^0+/, "")
    .replace(/0+$/, "");
}

/** The text of a JSON object with one more member in front. */
export function withMember(object: string, name: string, json: string): string {
  const rest = object.trimStart().slice(1).trimStart();
  const comma = rest.startsWith("}") ? "" : ",";
  return `{${JSON.stringify(name)}:${json}${comma}${rest}`;
}

/** Whether the text of a JSON value is that of an object. */
export function isObjectText(text: string): boolean {
  return text.trimStart().startsWith("{");
}
