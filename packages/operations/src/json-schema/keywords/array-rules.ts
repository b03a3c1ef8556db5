import type { JsonObject } from "../../schema/subschemas.ts";
import { canonical } from "../canonical.ts";
import type { CheckRun, Rule } from "../check-run.ts";
import { type Compiling, listedNodes, ofList } from "../compiling.ts";

/** `minItems`, `maxItems`, `uniqueItems`, `prefixItems`, `items`, `contains`. */
export function arrayRules(schema: JsonObject, compiling: Compiling): Rule[] {
  const rules: Rule[] = [];
  if (schema.minItems !== undefined) {
    const least = schema.minItems as number;
    const message = `Expected at least ${least} items`;
    rules.push(ofList((items, run) => items.length >= least || run.fail(message)));
  }
  if (schema.maxItems !== undefined) {
    const most = schema.maxItems as number;
    const message = `Expected at most ${most} items`;
    rules.push(ofList((items, run) => items.length <= most || run.fail(message)));
  }
  if (schema.uniqueItems === true) {
    rules.push(ofList((items, run) => areUnique(items, run) || run.fail("Expected no item twice")));
  }
  if (schema.prefixItems !== undefined || schema.items !== undefined) {
    rules.push(itemsRule(schema, compiling));
  }
  if (schema.contains !== undefined) rules.push(containsRule(schema, compiling));
  return rules;
}

function itemsRule(schema: JsonObject, compiling: Compiling): Rule {
  const prefix = listedNodes(schema.prefixItems, compiling);
  const rest = schema.items === undefined ? undefined : compiling.nodeOf(schema.items);
  return ofList((items, run, evaluated) => {
    const end = rest === undefined ? Math.min(prefix.length, items.length) : items.length;
    let fit = true;
    for (let i = 0; i < end; i += 1) {
      const node = prefix[i] ?? rest;
      if (node !== undefined && !run.inside(i, node, items[i])) fit = false;
      if (!fit && !run.goesOn) return false;
      evaluated?.items.add(i);
    }
    return fit;
  });
}

function containsRule(schema: JsonObject, compiling: Compiling): Rule {
  const node = compiling.nodeOf(schema.contains);
  const least = (schema.minContains as number | undefined) ?? 1;
  const most = (schema.maxContains as number | undefined) ?? Number.POSITIVE_INFINITY;
  const message = 'Expected another number of items that fit "contains"';
  return ofList((items, run, evaluated) => {
    let found = 0;
    for (const [i, item] of items.entries()) {
      if (!run.tries(node, item)) continue;
      found += 1;
      evaluated?.items.add(i);
    }
    return (found >= least && found <= most) || run.fail(message);
  });
}

/** In time linear in the size of the items, unlike comparing each with each. */
function areUnique(items: readonly unknown[], run: CheckRun): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonical(item, run);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}
