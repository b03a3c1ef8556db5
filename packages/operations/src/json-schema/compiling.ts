import type { JsonObject } from "../schema/subschemas.ts";
import type { BoundedRegExps } from "./bounded-regexp.ts";
import type { CheckRun, Rule, SchemaNode } from "./check-run.ts";
import type { Evaluated } from "./evaluated.ts";

/** What keywords need to become rules. */
export interface Compiling {
  readonly regExps: BoundedRegExps;
  /** The node of a schema inside. */
  nodeOf(schema: unknown): SchemaNode;
  /** The node that a reference means. */
  referred(ref: string): SchemaNode;
  /** Called where what other keywords looked at must be known. */
  track(): void;
}

/** The rules that keywords of one kind make. */
export type RulesOf = (schema: JsonObject, compiling: Compiling) => Rule[];

/** A rule for texts; everything else fits. */
export function ofText(rule: (text: string, run: CheckRun) => boolean): Rule {
  return (value, run) => typeof value !== "string" || rule(value, run);
}

/** A rule for numbers; everything else fits. */
export function ofNumber(rule: (value: number, run: CheckRun) => boolean): Rule {
  return (value, run) => typeof value !== "number" || rule(value, run);
}

/** A rule for lists; everything else fits. */
export function ofList(
  rule: (items: readonly unknown[], run: CheckRun, evaluated: Evaluated | undefined) => boolean,
): Rule {
  return (value, run, evaluated) => !Array.isArray(value) || rule(value, run, evaluated);
}

/** A rule for objects; everything else fits. */
export function ofObject(
  rule: (object: JsonObject, run: CheckRun, evaluated: Evaluated | undefined) => boolean,
): Rule {
  return (value, run, evaluated) =>
    typeof value !== "object" ||
    value === null ||
    Array.isArray(value) ||
    rule(value as JsonObject, run, evaluated);
}

/** Schemas below a keyword, by name. */
export function namedNodes(
  schemas: unknown,
  compiling: Compiling,
): readonly (readonly [string, SchemaNode])[] {
  return Object.entries((schemas ?? {}) as JsonObject).map(
    ([name, schema]) => [name, compiling.nodeOf(schema)] as const,
  );
}

/** Schemas of a keyword that holds a list. */
export function listedNodes(schemas: unknown, compiling: Compiling): readonly SchemaNode[] {
  return ((schemas ?? []) as readonly unknown[]).map((schema) => compiling.nodeOf(schema));
}
