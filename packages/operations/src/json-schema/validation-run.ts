import { pointerTo } from "../schema/json-pointer.ts";
import { MOST_ISSUES, type ValidationIssue } from "../schema/validation-issue.ts";
import type { CheckRun, SchemaNode } from "./check-run.ts";
import { Evaluated } from "./evaluated.ts";

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

/** A check that keeps what does not fit, with its place. */
export class ValidationRun implements CheckRun {
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

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchWork();
  }

  fail(message: string, key?: string): false {
    if (!this.#lists) return false;
    const way = key === undefined ? this.#path : [...this.#path, key];
    this.issues.push({ path: way.reduce<string>(pointerTo, ""), message });
    return false;
  }

  get goesOn(): boolean {
    return this.#lists && this.issues.length < MOST_ISSUES;
  }

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
      this.spend(4 * evaluated.size);
      outer.add(evaluated);
    }
    return fits;
  }

  inside(key: string | number, node: SchemaNode, value: unknown): boolean {
    if (!this.#lists) return this.apply(node, value);
    this.#path.push(key);
    const fits = this.apply(node, value);
    this.#path.pop();
    return fits;
  }

  tries(node: SchemaNode, value: unknown, outer?: Evaluated): boolean {
    const lists = this.#lists;
    this.#lists = false;
    const fits = this.apply(node, value, outer);
    this.#lists = lists;
    return fits;
  }
}
