import type { Evaluated } from "./evaluated.ts";

/** One thing that a schema asks of a value. */
export type Rule = (value: unknown, run: CheckRun, evaluated: Evaluated | undefined) => boolean;

/** A schema that can be applied. */
export interface SchemaNode {
  readonly rules: readonly Rule[];
}

/**
 * One check of one value, as rules see it. Work is counted in steps of some 20 to 500 ns: one for a schema and
 * each of its rules, four for a key of an object, one for four characters that are matched.
 */
export interface CheckRun {
  /** Whether there is something left to find out once the value does not fit. */
  readonly goesOn: boolean;
  /** @throws TooMuchWork */
  spend(steps: number): void;
  /** Notes that the value, or what it holds below `key`, does not fit. */
  fail(message: string, key?: string): false;
  /** Whether the value fits; what was looked at is added to `outer`, if it does. */
  apply(node: SchemaNode, value: unknown, outer?: Evaluated): boolean;
  /** Whether what the value holds at `key` fits. */
  inside(key: string | number, node: SchemaNode, value: unknown): boolean;
  /** As {@link apply}, where not to fit is no issue by itself. */
  tries(node: SchemaNode, value: unknown, outer?: Evaluated): boolean;
}
