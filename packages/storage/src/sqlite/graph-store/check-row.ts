import type { JsonObject } from "../tables/common.ts";
import type { NodeTypeRules } from "./graph-type-cache.ts";
import { findNonJson, isPlain } from "./json-value.ts";
import type { RowIssues } from "./row-issues.ts";

const LONGEST_KEY = 512;

/** What is wrong with a key, or null. */
export function keyProblem(key: unknown): string | null {
  if (typeof key !== "string") return `is ${kindOf(key)}, not a text`;
  if (key === "") return "is empty";
  if (key.length > LONGEST_KEY) return `has ${key.length} characters; ${LONGEST_KEY} are allowed`;
  // SQLite would store another text than the one given
  if (key.includes("\0") || !key.isWellFormed()) return "holds a NUL or half a surrogate pair";
  return null;
}

/** The types of one kind by name. */
export interface TypesOfKind<Rules extends NodeTypeRules> {
  readonly kind: "node" | "edge";
  readonly types: ReadonlyMap<string, Rules>;
}

/** What nodes and edges have in common when written. */
interface RowInput {
  readonly type: string;
  readonly attributes?: JsonObject;
  readonly metadata?: JsonObject;
}

/** The rules of a row's type; checks its attributes and metadata. Undefined for an unknown type. */
export function checkRow<Rules extends NodeTypeRules>(
  { kind, types }: TypesOfKind<Rules>,
  input: RowInput,
  report: (path: string, message: string) => void,
): Rules | undefined {
  const rules = types.get(input.type);
  if (rules === undefined) {
    const known = types.size === 0 ? "there are none" : `there are ${[...types.keys()].join(", ")}`;
    report("/type", `no ${kind} type "${String(input.type)}"; ${known}`);
  } else {
    checkAttributes(rules, input.attributes ?? {}, report);
  }
  checkMetadata(input.metadata, report);
  return rules;
}

/** Checks that attributes are JSON and fit their type. */
export function checkAttributes(
  { validator }: NodeTypeRules,
  attributes: unknown,
  report: (path: string, message: string) => void,
): void {
  if (!isPlain(attributes)) {
    report("/attributes", `is ${kindOf(attributes)}, not an object`);
    return;
  }
  const problem = findNonJson(attributes);
  if (problem !== null) report(`/attributes${problem.path}`, problem.message);
  else if (!validator.check(attributes)) {
    for (const { path, message } of validator.errors(attributes)) {
      report(`/attributes${path}`, message);
    }
  }
}

/** Checks that metadata is JSON and leaves the store's part alone. */
export function checkMetadata(
  metadata: unknown,
  report: (path: string, message: string) => void,
): void {
  if (metadata === undefined) return;
  if (!isPlain(metadata)) {
    report("/metadata", `is ${kindOf(metadata)}, not an object`);
    return;
  }
  if (Object.hasOwn(metadata, "_metagraph")) {
    report("/metadata/_metagraph", "is kept by the store");
  }
  const problem = findNonJson(metadata);
  if (problem !== null) report(`/metadata${problem.path}`, problem.message);
}

/** A value's kind, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object of another kind" : `a ${typeof value}`;
}

/** Reports keys that a call gives twice. */
export class KeysOnce {
  readonly #seen = new Set<string>();

  check(key: string, issues: RowIssues, subject: string): void {
    const before = this.#seen.size;
    if (this.#seen.add(key).size === before) issues.add(subject, "/key", "is given twice");
  }
}
