import { RE2JS } from "re2js";

/** Larger automata take more memory and time than the few letters that ask for them. */
const LARGEST_PROGRAM = 2_000;

/** A regular expression whose time is linear in the text, whatever it is. */
export interface BoundedRegExp {
  test(text: string): boolean;
}

/**
 * Compiles a regular expression of a schema (ECMAScript, matched anywhere). Look-around and
 * back-references are not known: they cannot be matched in linear time.
 *
 * @throws Error with the reason
 */
export function boundedRegExp(pattern: string): BoundedRegExp {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  if (compiled.programSize() > LARGEST_PROGRAM) throw new Error("it repeats too much");
  return { test: (text) => compiled.test(text) };
}
