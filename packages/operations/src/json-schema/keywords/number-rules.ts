import type { JsonObject } from "../../schema/subschemas.ts";
import type { Rule } from "../check-run.ts";
import { ofNumber } from "../compiling.ts";

type Comparison = (value: number, bound: number) => boolean;

const COMPARISONS: readonly (readonly [keyword: string, expected: string, Comparison])[] = [
  ["minimum", "at least", (value, bound) => value >= bound],
  ["exclusiveMinimum", "more than", (value, bound) => value > bound],
  ["maximum", "at most", (value, bound) => value <= bound],
  ["exclusiveMaximum", "less than", (value, bound) => value < bound],
  ["multipleOf", "a multiple of", (value, bound) => Number.isInteger(value / bound)],
];

/** `minimum`, `maximum`, their exclusive forms, `multipleOf`. */
export function numberRules(schema: JsonObject): Rule[] {
  return COMPARISONS.filter(([keyword]) => schema[keyword] !== undefined).map(
    ([keyword, expected, fits]) => {
      const bound = schema[keyword] as number;
      const message = `Expected ${expected} ${bound}`;
      return ofNumber((value, run) => fits(value, bound) || run.fail(message));
    },
  );
}
