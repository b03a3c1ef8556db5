import { CallError } from "../errors.ts";
import { pointerTo } from "../schema/json-pointer.ts";
import type { JsonObject } from "../schema/subschemas.ts";

/** A parameter of an HTTP operation, and the property of the input that it comes from. */
export interface ApiParameter {
  readonly property: string;
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: JsonObject;
  readonly style: string;
  readonly explode: boolean;
  /** Whether its value is sent as JSON. */
  readonly isJson: boolean;
}

/**
 * A value as a step of a path.
 *
 * @throws CallError `VALIDATION_ERROR` for values that would lead elsewhere: nothing, `.` and `..`
 */
export function pathStep(value: unknown, parameter: ApiParameter): string {
  const text = simpleText(value, parameter);
  if (text === "" || text === "." || text === "..") throw refused(parameter, "in a path");
  return encodeURIComponent(text);
}

/**
 * A value as that of a header.
 *
 * @throws CallError `VALIDATION_ERROR` for characters that cannot be in one
 */
export function headerText(value: unknown, parameter: ApiParameter): string {
  const text = simpleText(value, parameter);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw refused(parameter, "in a header");
  return text;
}

/** A value as pairs of a query. */
export function queryPairs(value: unknown, parameter: ApiParameter): readonly [string, string][] {
  const { name, style, explode, isJson } = parameter;
  if (isJson) return [[name, JSON.stringify(value)]];
  if (Array.isArray(value)) {
    if (explode) return value.map((item) => [name, textOf(item)]);
    return [[name, value.map(textOf).join(SEPARATORS.get(style) ?? ",")]];
  }
  if (typeof value !== "object" || value === null) return [[name, textOf(value)]];
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  if (style === "deepObject")
    return entries.map(([key, item]) => [`${name}[${key}]`, textOf(item)]);
  if (explode) return entries.map(([key, item]) => [key, textOf(item)]);
  return [[name, entries.map(([key, item]) => `${key},${textOf(item)}`).join(",")]];
}

const SEPARATORS: ReadonlyMap<string, string> = new Map([
  ["spaceDelimited", " "],
  ["pipeDelimited", "|"],
]);

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** A value as one text, as `style: simple` has it. */
function simpleText(value: unknown, { isJson, explode }: ApiParameter): string {
  if (isJson) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(textOf).join(",");
  if (typeof value !== "object" || value === null) return textOf(value);
  return Object.entries(value)
    .map(([key, item]) => (explode ? `${key}=${textOf(item)}` : `${key},${textOf(item)}`))
    .join(",");
}

function refused({ property }: ApiParameter, where: string): CallError {
  return new CallError("VALIDATION_ERROR", `"${property}" has a value that cannot stand ${where}`, {
    details: { issues: [{ path: pointerTo("", property), message: `Cannot stand ${where}` }] },
  });
}
