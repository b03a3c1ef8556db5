import { StorageError } from "../../errors.ts";
import { kindOf } from "./check-row.ts";
import { escapeStep } from "./json-value.ts";

/**
 * Names an attribute: property names joined by dots, `size.width`, or a JSON pointer (RFC 6901),
 * `/size/width`, which also reaches names that hold dots. Items of arrays have no name.
 */
export type AttributePath = string;

const MOST_STEPS = 16;

/** The property names of a path. @throws StorageError `INVALID_ARGUMENT` */
export function attributeSteps(path: AttributePath): readonly string[] {
  if (typeof path !== "string" || path === "") throw refused(path, "is empty");
  const steps = path.startsWith("/") ? path.slice(1).split("/").map(unescapeStep) : path.split(".");
  if (steps.length > MOST_STEPS) throw refused(path, `has more than ${MOST_STEPS} names`);
  for (const step of steps) {
    if (step === "") throw refused(path, "has an empty name in it");
    if (step.includes("\0") || !step.isWellFormed()) {
      throw refused(path, "holds a NUL or half a surrogate pair");
    }
  }
  return steps;
}

/** The path as a JSON pointer, its one spelling. */
export function attributePointer(path: AttributePath): string {
  return attributeSteps(path)
    .map((step) => `/${escapeStep(step)}`)
    .join("");
}

function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

/**
 * The path as a SQL literal of SQLite's JSON path, each name quoted as JSON, so that no name can be
 * anything but a name (https://www.sqlite.org/json1.html#path_arguments).
 */
export function jsonPathLiteral(path: AttributePath): string {
  const steps = attributeSteps(path).map((step) => `.${JSON.stringify(step)}`);
  return sqlText(`$${steps.join("")}`);
}

/** The pointer of a JSON path that {@link jsonPathLiteral} made. */
export function pointerOfJsonPath(path: string): string {
  const steps = path.match(/\.("(?:[^"\\]|\\.)*")/g) ?? [];
  return steps.map((step) => `/${escapeStep(JSON.parse(step.slice(1)))}`).join("");
}

/** A SQL text literal. */
export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function refused(path: unknown, why: string): StorageError {
  const shown = typeof path === "string" ? `"${path}"` : kindOf(path);
  return new StorageError("INVALID_ARGUMENT", `attribute ${shown} ${why}`, {
    hint: 'Name it as "size.width", or as "/size/width" where a name holds dots',
  });
}
