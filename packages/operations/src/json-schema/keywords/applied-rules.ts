import type { JsonObject } from "../../schema/subschemas.ts";
import type { Rule, SchemaNode } from "../check-run.ts";
import { type Compiling, listedNodes, namedNodes, ofObject } from "../compiling.ts";

/** Schemas applied to the value itself: references, combinations, conditions. */
export function appliedRules(schema: JsonObject, compiling: Compiling): Rule[] {
  const rules: Rule[] = [];
  if (schema.$ref !== undefined) rules.push(applies(compiling.referred(schema.$ref as string)));
  rules.push(...listedNodes(schema.allOf, compiling).map(applies));
  if (schema.anyOf !== undefined) rules.push(anyRule(listedNodes(schema.anyOf, compiling)));
  if (schema.oneOf !== undefined) rules.push(oneRule(listedNodes(schema.oneOf, compiling)));
  if (schema.not !== undefined) {
    const not = compiling.nodeOf(schema.not);
    rules.push((value, run) => !run.tries(not, value) || run.fail("Must not fit"));
  }
  if (schema.if !== undefined) rules.push(ifRule(schema, compiling));
  if (schema.dependentSchemas !== undefined) rules.push(dependentRule(schema, compiling));
  return rules;
}

function applies(node: SchemaNode): Rule {
  return (value, run, evaluated) => run.apply(node, value, evaluated);
}

function anyRule(nodes: readonly SchemaNode[]): Rule {
  return (value, run, evaluated) => {
    let fits = false;
    for (const node of nodes) {
      if (run.tries(node, value, evaluated)) fits = true;
      // the others may look at more of the value
      if (fits && evaluated === undefined) return true;
    }
    return fits || run.fail("Expected union value");
  };
}

function oneRule(nodes: readonly SchemaNode[]): Rule {
  return (value, run, evaluated) => {
    let found: SchemaNode | undefined;
    for (const node of nodes) {
      if (!run.tries(node, value)) continue;
      if (found !== undefined) return run.fail('Fits more than one schema of "oneOf"');
      found = node;
    }
    if (found === undefined) return run.fail("Expected union value");
    return evaluated === undefined || run.tries(found, value, evaluated);
  };
}

function ifRule(schema: JsonObject, compiling: Compiling): Rule {
  const condition = compiling.nodeOf(schema.if);
  const yes = compiling.nodeOf(schema.then ?? true);
  const no = compiling.nodeOf(schema.else ?? true);
  return (value, run, evaluated) =>
    run.apply(run.tries(condition, value, evaluated) ? yes : no, value, evaluated);
}

function dependentRule(schema: JsonObject, compiling: Compiling): Rule {
  const nodes = namedNodes(schema.dependentSchemas, compiling);
  return ofObject((object, run, evaluated) => {
    run.spend(nodes.length);
    let fits = true;
    for (const [name, node] of nodes) {
      if (!Object.hasOwn(object, name) || object[name] === undefined) continue;
      if (!run.apply(node, object, evaluated)) fits = false;
      if (!fits && !run.goesOn) return false;
    }
    return fits;
  });
}
