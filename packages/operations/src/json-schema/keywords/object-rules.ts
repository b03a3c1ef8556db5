import type { JsonObject } from "../../schema/subschemas.ts";
import type { Rule } from "../check-run.ts";
import { type Compiling, namedNodes, ofObject } from "../compiling.ts";

/** What an object must have, and what its properties must be. */
export function objectRules(schema: JsonObject, compiling: Compiling): Rule[] {
  return [
    ...countRules(schema),
    ...requiredRules(schema),
    ...(PROPERTY_KEYWORDS.some((keyword) => schema[keyword] !== undefined)
      ? [propertiesRule(schema, compiling)]
      : []),
    ...(schema.propertyNames === undefined ? [] : [namesRule(schema, compiling)]),
  ];
}

const PROPERTY_KEYWORDS = ["properties", "patternProperties", "additionalProperties"];

function countRules({ minProperties, maxProperties }: JsonObject): Rule[] {
  if (minProperties === undefined && maxProperties === undefined) return [];
  const least = (minProperties as number | undefined) ?? 0;
  const most = (maxProperties as number | undefined) ?? Number.POSITIVE_INFINITY;
  const message = `Expected ${least} to ${most} properties`;
  return [
    ofObject((object, run) => {
      const count = Object.keys(object).length;
      run.spend(4 * count);
      return (count >= least && count <= most) || run.fail(message);
    }),
  ];
}

function requiredRules({ required, dependentRequired }: JsonObject): Rule[] {
  const always = (required ?? []) as readonly string[];
  const dependent = Object.entries((dependentRequired ?? {}) as Record<string, readonly string[]>);
  if (always.length === 0 && dependent.length === 0) return [];
  return [
    ofObject((object, run) => {
      run.spend(always.length + dependent.length);
      let fits = true;
      const require = (names: readonly string[]): void => {
        for (const name of names) {
          if (hasValue(object, name)) continue;
          fits = run.fail("Expected required property", name);
          if (!run.goesOn) return;
        }
      };
      require(always);
      for (const [name, names] of dependent) {
        if (!fits && !run.goesOn) return false;
        if (!hasValue(object, name)) continue;
        run.spend(names.length);
        require(names);
      }
      return fits;
    }),
  ];
}

function propertiesRule(schema: JsonObject, compiling: Compiling): Rule {
  const named = new Map(namedNodes(schema.properties, compiling));
  const patterns = namedNodes(schema.patternProperties, compiling).map(
    ([pattern, node]) => [compiling.regExps.of(pattern), node] as const,
  );
  const { additionalProperties } = schema;
  const further =
    additionalProperties === undefined ? undefined : compiling.nodeOf(additionalProperties);
  return ofObject((object, run, evaluated) => {
    let fits = true;
    for (const [key, value] of Object.entries(object)) {
      run.spend(4);
      const node = named.get(key);
      let isKnown = node !== undefined;
      if (node !== undefined && !run.inside(key, node, value)) fits = false;
      for (const [expression, patternNode] of patterns) {
        if (!expression.test(key, run)) continue;
        isKnown = true;
        if (!run.inside(key, patternNode, value)) fits = false;
      }
      if (!isKnown && additionalProperties === false) fits = run.fail("Unexpected property", key);
      else if (!isKnown && further !== undefined && !run.inside(key, further, value)) fits = false;
      if (!fits && !run.goesOn) return false;
      if (isKnown || further !== undefined) evaluated?.keys.add(key);
    }
    return fits;
  });
}

function namesRule({ propertyNames }: JsonObject, compiling: Compiling): Rule {
  const node = compiling.nodeOf(propertyNames);
  return ofObject((object, run) => {
    for (const key of Object.keys(object)) {
      if (!run.tries(node, key)) return run.fail("Unexpected property", key);
    }
    return true;
  });
}

/** JSON has no undefined. */
function hasValue(object: JsonObject, name: string): boolean {
  return Object.hasOwn(object, name) && object[name] !== undefined;
}
