import type { JsonObject } from "../../schema/subschemas.ts";
import type { Rule } from "../check-run.ts";
import { type Compiling, ofList, ofObject } from "../compiling.ts";

/** `unevaluatedProperties` and `unevaluatedItems`: what no other keyword looked at. To come last. */
export function unevaluatedRules(schema: JsonObject, compiling: Compiling): Rule[] {
  const { unevaluatedProperties, unevaluatedItems } = schema;
  const rules: Rule[] = [];
  if (unevaluatedProperties !== undefined || unevaluatedItems !== undefined) compiling.track();
  if (unevaluatedProperties !== undefined) {
    const node = compiling.nodeOf(unevaluatedProperties);
    rules.push(
      ofObject((object, run, evaluated) => {
        for (const [key, value] of Object.entries(object)) {
          run.spend(4);
          if (evaluated?.keys.has(key)) continue;
          evaluated?.keys.add(key);
          if (unevaluatedProperties === false) return run.fail("Unexpected property", key);
          if (!run.inside(key, node, value)) return false;
        }
        return true;
      }),
    );
  }
  if (unevaluatedItems === undefined) return rules;
  const node = compiling.nodeOf(unevaluatedItems);
  rules.push(
    ofList((items, run, evaluated) => {
      for (const [i, item] of items.entries()) {
        run.spend(4);
        if (evaluated?.items.has(i)) continue;
        evaluated?.items.add(i);
        if (!run.inside(i, node, item)) return false;
      }
      return true;
    }),
  );
  return rules;
}
