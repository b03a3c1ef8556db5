import { isJsonObject } from "../schema/subschemas.ts";
import type { ValidationIssue, Validator } from "../schema/validation-issue.ts";
import type { BoundedRegExps } from "./bounded-regexp.ts";
import type { Rule, SchemaNode } from "./check-run.ts";
import type { Compiling, RulesOf } from "./compiling.ts";
import type { EnforcedSchema } from "./enforced-schema.ts";
import { appliedRules } from "./keywords/applied-rules.ts";
import { arrayRules } from "./keywords/array-rules.ts";
import { numberRules } from "./keywords/number-rules.ts";
import { objectRules } from "./keywords/object-rules.ts";
import { stringRules } from "./keywords/string-rules.ts";
import { unevaluatedRules } from "./keywords/unevaluated-rules.ts";
import { valueRules } from "./keywords/value-rules.ts";
import { TooMuchWork, ValidationRun } from "./validation-run.ts";

/** In the order in which values are looked at: what is cheap and says most comes first. */
const KEYWORDS: readonly RulesOf[] = [
  valueRules,
  numberRules,
  stringRules,
  arrayRules,
  objectRules,
  appliedRules,
  unevaluatedRules,
];

/** A schema as a tree of functions, made at the first check; no code is generated from it. */
export class CompiledSchema implements Validator, Compiling {
  readonly regExps: BoundedRegExps;
  readonly #schema: EnforcedSchema;
  readonly #definitions = new Map<string, { rules: readonly Rule[] }>();
  #root: SchemaNode | undefined;
  #tracks = false;

  constructor(schema: EnforcedSchema, regExps: BoundedRegExps) {
    this.#schema = schema;
    this.regExps = regExps;
  }

  check(value: unknown): boolean {
    return this.#run(value, false).fits;
  }

  issues(value: unknown): readonly ValidationIssue[] {
    return this.#run(value, true).issues;
  }

  nodeOf(schema: unknown): SchemaNode {
    if (schema === true) return ANYTHING;
    if (!isJsonObject(schema)) return NOTHING;
    return { rules: KEYWORDS.flatMap((rulesOf) => rulesOf(schema, this)) };
  }

  referred(name: string): SchemaNode {
    const known = this.#definitions.get(name);
    if (known !== undefined) return known;
    // it may refer to itself
    const node: { rules: readonly Rule[] } = { rules: [] };
    this.#definitions.set(name, node);
    node.rules = this.nodeOf(this.#schema.definitions[name]).rules;
    return node;
  }

  track(): void {
    this.#tracks = true;
  }

  #run(value: unknown, lists: boolean): { fits: boolean; issues: readonly ValidationIssue[] } {
    this.#root ??= this.nodeOf(this.#schema.root);
    const run = new ValidationRun({ lists, tracks: this.#tracks });
    try {
      return { fits: run.apply(this.#root, value), issues: run.issues };
    } catch (error) {
      const message =
        error instanceof TooMuchWork
          ? "Takes too long to check"
          : error instanceof RangeError
            ? "Nested too deeply"
            : undefined;
      if (message === undefined) throw error;
      return { fits: false, issues: [...run.issues, { path: "", message }] };
    }
  }
}

const ANYTHING: SchemaNode = { rules: [] };
const NOTHING: SchemaNode = { rules: [(_value, run) => run.fail("Nothing fits")] };
