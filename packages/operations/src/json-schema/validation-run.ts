import { pointerTo } from "../schema/json-pointer.ts";
import { MOST_ISSUES, type ValidationIssue } from "../schema/validator.ts";
import { Evaluated } from "./evaluated.ts";
import type { SchemaNode } from "./schema-node.ts";

/** Steps that a check may take. The worst schemas and values make them last about a second. */
const MOST_STEPS = 2_000_000;

/** Thrown where a check takes more steps than it may. */
export class TooMuchWork extends Error {}

/** Options of {@link ValidationRun}. */
export interface ValidationRunOptions {
  /** Whether to go on after the first thing that does not fit, and to keep all of them. */
  readonly lists: boolean;
  /** Whether anything asks which properties and items were looked at. */
  readonly tracks: boolean;
}

/**
 * One check of one value. Every step is counted: a schema applied to a value, a key or an item looked at,
 * four characters matched.
 */
export class ValidationRun {
  readonly issues: ValidationIssue[] = [];
  readonly #tracks: boolean;
  /** The way from the root to the value that is looked at. */
  readonly #path: (string | number)[] = [];
  #lists: boolean;
  #left = MOST_STEPS;

  constructor({ lists, tracks }: ValidationRunOptions) {
    this.#lists = lists;
    this.#tracks = tracks;
  }

  /** @throws TooMuchWork */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchWork();
  }

  /** Notes that the value, or what it holds below `key`, does not fit. */
  fail(message: string, key?: string): false {
    if (!this.#lists) return false;
    const way = key === undefined ? this.#path : [...this.#path, key];
    this.issues.push({ path: way.reduce<string>(pointerTo, ""), message });
    return false;
  }

  /** Whether there is something left to find out once the value does not fit. */
  get goesOn(): boolean {
    return this.#lists && this.issues.length < MOST_ISSUES;
  }

  /** Whether the value fits; what was looked at is added to `outer`, if it does. */
  apply(node: SchemaNode, value: unknown, outer?: Evaluated): boolean {
    this.spend(1 + node.rules.length);
    const evaluated = this.#tracks ? new Evaluated() : undefined;
    let fits = true;
    for (const rule of node.rules) {
      if (rule(value, this, evaluated)) continue;
      fits = false;
      if (!this.goesOn) return false;
    }
    if (fits && outer !== undefined && evaluated !== undefined) {
      this.spend(evaluated.size);
      outer.add(evaluated);
    }
    return fits;
  }

  /** Whether what the value holds at `key` fits. */
  inside(key: string | number, node: SchemaNode, value: unknown): boolean {
    if (!this.#lists) return this.apply(node, value);
    this.#path.push(key);
    const fits = this.apply(node, value);
    this.#path.pop();
    return fits;
  }

  /** As {@link apply}, where not to fit is no issue by itself. */
  tries(node: SchemaNode, value: unknown, outer?: Evaluated): boolean {
    const lists = this.#lists;
    this.#lists = false;
    const fits = this.apply(node, value, outer);
    this.#lists = lists;
    return fits;
  }
}
