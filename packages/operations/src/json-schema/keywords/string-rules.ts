import type { JsonObject } from "../../schema/subschemas.ts";
import type { Rule } from "../check-run.ts";
import { type Compiling, ofText } from "../compiling.ts";

/** `minLength`, `maxLength`, `pattern`. Lengths are those of JavaScript, as TypeBox has them. */
export function stringRules(
  { minLength, maxLength, pattern }: JsonObject,
  { regExps }: Compiling,
): Rule[] {
  const rules: Rule[] = [];
  if (minLength !== undefined) {
    const least = minLength as number;
    const message = `Expected at least ${least} characters`;
    rules.push(ofText((text, run) => text.length >= least || run.fail(message)));
  }
  if (maxLength !== undefined) {
    const most = maxLength as number;
    const message = `Expected at most ${most} characters`;
    rules.push(ofText((text, run) => text.length <= most || run.fail(message)));
  }
  if (pattern !== undefined) {
    const expression = regExps.of(pattern as string);
    const message = `Expected to match ${pattern}`;
    rules.push(ofText((text, run) => expression.test(text, run) || run.fail(message)));
  }
  return rules;
}
