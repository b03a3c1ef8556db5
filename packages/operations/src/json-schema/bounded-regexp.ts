import { RE2JS } from "re2js";
import type { CheckRun } from "./check-run.ts";

/** States of all automata of a schema; more take long to build. */
const MOST_STATES = 5_000;

/** Patterns kept for the next schema: those of dates and ids are everywhere, and take a millisecond each. */
const MOST_RECENT = 200;
const LONGEST_RECENT = 200;
const recent = new Map<string, RE2JS>();

/** A regular expression whose time is linear in the text, whatever it is. */
export interface BoundedRegExp {
  test(text: string, run: CheckRun): boolean;
}

/**
 * The regular expressions of one schema (ECMAScript, matched anywhere), each compiled once. Look-around and
 * back-references are not known: they cannot be matched in linear time.
 */
export class BoundedRegExps {
  readonly #known = new Map<string, BoundedRegExp>();
  #states = 0;

  /** @throws Error with the reason */
  of(pattern: string): BoundedRegExp {
    const known = this.#known.get(pattern);
    if (known !== undefined) return known;
    const compiled = compile(pattern);
    const states = compiled.programSize();
    this.#states += states;
    if (this.#states > MOST_STATES) throw new Error("it repeats too much");
    const made: BoundedRegExp = {
      test: (text, run) => {
        run.spend(1 + Math.ceil((text.length / 4) * (1 + states / 64)));
        return compiled.test(text);
      },
    };
    this.#known.set(pattern, made);
    return made;
  }
}

function compile(pattern: string): RE2JS {
  const compiled = recent.get(pattern) ?? RE2JS.compile(RE2JS.translateRegExp(pattern));
  if (pattern.length > LONGEST_RECENT) return compiled;
  // the last in the order is the one used last
  recent.delete(pattern);
  recent.set(pattern, compiled);
  const [oldest] = recent.keys();
  if (recent.size > MOST_RECENT && oldest !== undefined) recent.delete(oldest);
  return compiled;
}
