import type { JsonObject } from "../../schema/subschemas.ts";
import { canonical } from "../canonical.ts";
import type { Rule } from "../check-run.ts";

/** `type`, `enum`, `const`. */
export function valueRules(schema: JsonObject): Rule[] {
  const rules: Rule[] = [];
  if (schema.type !== undefined) rules.push(typeRule(schema.type));
  if (schema.enum !== undefined) rules.push(equalRule(schema.enum as readonly unknown[]));
  if (schema.const !== undefined) rules.push(equalRule([schema.const]));
  return rules;
}

function typeRule(type: unknown): Rule {
  const types = (Array.isArray(type) ? type : [type]) as readonly string[];
  const message = `Expected ${types.join(" or ")}`;
  return (value, run) => types.some((name) => isOf(name, value)) || run.fail(message);
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    case "number":
      return Number.isFinite(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function equalRule(values: readonly unknown[]): Rule {
  const simple = new Set(values.filter((value) => !isComposite(value)));
  const composite = new Set(values.filter(isComposite).map((value) => canonical(value)));
  const texts = values.map((value) => JSON.stringify(value)).join(", ");
  const message = `Expected ${values.length === 1 ? "" : "one of "}${texts}`;
  return (value, run) => {
    const equals = isComposite(value)
      ? composite.size > 0 && composite.has(canonical(value, run))
      : simple.has(value);
    return equals || run.fail(message);
  };
}

function isComposite(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}
