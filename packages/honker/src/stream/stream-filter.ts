import { HonkerError } from "../errors.ts";
import type { SqlValue } from "../sqlite/connection.ts";

/** Which events to see. Both conditions must hold; within one, any of the given values. */
export interface StreamFilter {
  /**
   * Subject patterns. `*` stands for one token (`orders.*.created`), `>` at the end for one or more
   * (`orders.>`). An event without a subject matches none.
   */
  readonly subject?: string | readonly string[];
  /** Keys, compared exactly. */
  readonly key?: string | readonly string[];
}

/** A filter made ready: a condition that SQLite tests first, and the exact test of what it let through. */
export interface CompiledFilter {
  /** Starts with ` AND`. */
  readonly sql: string;
  readonly params: readonly string[];
  /** Tests columns `key` and `alk_subject` of a row. */
  matches(key: SqlValue | undefined, subject: SqlValue | undefined): boolean;
}

/**
 * Checks the subject of an event: tokens separated by dots, each without white space, `*` and `>`.
 *
 * @throws `INVALID_ARGUMENT`
 */
export function requireSubject(subject: unknown): asserts subject is string {
  if (typeof subject === "string" && SUBJECT.test(subject)) return;
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `subject must be tokens separated by dots, got ${describe(subject)}`,
    {
      hint: 'Use for example "orders.eu.created"; wildcards belong in filters',
      details: { subject },
    },
  );
}

/** @returns `undefined` when the filter lets everything through. @throws `INVALID_ARGUMENT` */
export function compileFilter(filter: StreamFilter | undefined): CompiledFilter | undefined {
  const subjects = listOf(filter?.subject, "subject").map(patternOf);
  const keys = listOf(filter?.key, "key");
  if (filter?.subject === undefined && filter?.key === undefined) return undefined;
  const conditions: string[] = [];
  if (filter.subject !== undefined) {
    conditions.push(subjects.map(() => "alk_subject GLOB ?").join(" OR ") || "0");
  }
  if (filter.key !== undefined) conditions.push(keys.map(() => "key = ?").join(" OR ") || "0");
  const keySet = new Set<unknown>(keys);
  return {
    sql: conditions.map((condition) => ` AND (${condition})`).join(""),
    params: [...subjects.map((pattern) => pattern.glob), ...keys],
    matches: (key, subject) =>
      (filter.key === undefined || keySet.has(key)) &&
      (filter.subject === undefined ||
        (typeof subject === "string" && subjects.some(({ exact }) => exact.test(subject)))),
  };
}

const SUBJECT = /^[^\s.*>]+(\.[^\s.*>]+)*$/;
const PATTERN = /^(\*|[^\s.*>]+)(\.(\*|[^\s.*>]+))*(\.>)?$|^>$/;

interface SubjectPattern {
  /** Lets through at least what matches: `*` of GLOB also spans dots. */
  readonly glob: string;
  readonly exact: RegExp;
}

function patternOf(pattern: string): SubjectPattern {
  if (!PATTERN.test(pattern)) {
    throw new HonkerError("INVALID_ARGUMENT", `${describe(pattern)} is not a subject pattern`, {
      hint: 'Use whole tokens: "orders.*.created" or "orders.>"',
      details: { pattern },
    });
  }
  const tokens = pattern.split(".");
  const wild = (token: string): boolean => token === "*" || token === ">";
  const glob = tokens.map((token) => (wild(token) ? "*" : token.replace(/[[?]/g, "[$&]")));
  const exact = tokens.map((token) => {
    if (token === "*") return "[^.]+";
    return token === ">" ? ".+" : token.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  return { glob: glob.join("."), exact: new RegExp(`^${exact.join("\\.")}$`, "s") };
}

function listOf(value: unknown, what: string): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  for (const item of list) {
    if (typeof item === "string") continue;
    throw new HonkerError(
      "INVALID_ARGUMENT",
      `filter.${what} must be a string or an array of strings, got ${describe(item)}`,
    );
  }
  return list as string[];
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value;
}
