import {
  Ajv2020,
  type AnySchema,
  type DefinedError,
  type ValidateFunction,
} from "ajv/dist/2020.js";
import { pointerTo } from "../schema/json-pointer.ts";
import type { JsonSchema } from "../schema/subschemas.ts";
import { MOST_ISSUES, type ValidationIssue, type Validator } from "../schema/validator.ts";
import { type BoundedRegExp, boundedRegExp } from "./bounded-regexp.ts";
import { COST, type Cost } from "./enforced-schema.ts";
import { spend, TooMuchWork, withBudget } from "./work-budget.ts";

/** Steps of one check. The worst schemas make 2 million of them last about a second. */
const CHECK_STEPS = 2_000_000;
/** Steps of listing what does not fit: each can add an issue. */
const ISSUE_STEPS = 200_000;

/** The validator of what `enforcedSchema` made, compiled at the first check. */
export function ajvValidator(enforced: JsonSchema): Validator {
  let check: ValidateFunction | undefined;
  let list: ValidateFunction | undefined;
  const fits = (value: unknown): boolean => {
    check ??= compile(enforced, { allErrors: false });
    return withBudget(CHECK_STEPS, () => (check as ValidateFunction)(value));
  };
  return {
    check: (value) => attempt(() => fits(value)) === true,
    issues: (value) => {
      const outcome = attempt(() => fits(value));
      if (outcome === true) return [];
      if (outcome !== false) return [outcome];
      const first = issuesOf(check?.errors);
      list ??= compile(enforced, { allErrors: true });
      const listed = attempt(() => withBudget(ISSUE_STEPS, () => list?.(value) === true));
      return listed === false ? issuesOf(list.errors) : first;
    },
  };
}

/** With an instance of its own: it keeps every schema and pattern it has ever seen. */
function compile(
  schema: JsonSchema,
  { allErrors }: { readonly allErrors: boolean },
): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors,
    // optimizing takes time that grows with the square of the schema: seconds for 100 KB
    code: { optimize: false, regExp: Object.assign(boundedPattern, { code: "boundedPattern" }) },
    inlineRefs: false,
    logger: false,
    meta: false,
    // "required" must not be met by what every object inherits
    ownProperties: true,
    strict: false,
    strictNumbers: true,
    // lengths as TypeBox counts them
    unicode: false,
    validateFormats: false,
    validateSchema: false,
  });
  ajv.removeKeyword("uniqueItems");
  ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    error: { message: "must not have items twice" },
    validate: (unique: boolean, items: readonly unknown[]) => !unique || areUnique(items),
  });
  ajv.addKeyword({
    keyword: COST,
    // before all that go deeper, or a schema that fails would cost nothing
    before: "$ref",
    validate: ({ steps, perKey }: Cost, value: unknown) => {
      const isObject = perKey && typeof value === "object" && value !== null;
      spend(isObject ? steps + Object.keys(value).length : steps);
      return true;
    },
  });
  return ajv.compile(schema as AnySchema);
}

/** Its value, or why it came to none. */
function attempt(check: () => boolean): boolean | ValidationIssue {
  try {
    return check();
  } catch (error) {
    if (error instanceof TooMuchWork) return { path: "", message: "Takes too long to check" };
    if (error instanceof RangeError) return { path: "", message: "Nested too deeply" };
    throw error;
  }
}

function boundedPattern(pattern: string): BoundedRegExp & { toString(): string } {
  const compiled = boundedRegExp(pattern);
  return {
    test: (text) => {
      spend(1 + Math.ceil(text.length / 4));
      return compiled.test(text);
    },
    // ajv tells patterns apart by it
    toString: () => pattern,
  };
}

/** In time linear in the size of the items, unlike comparing each with each. */
function areUnique(items: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonical(item);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Equal for equal values of JSON, whatever the order of their keys. */
function canonical(value: unknown): string {
  spend(1);
  if (typeof value !== "object" || value === null) {
    return value === 0 ? "0" : (JSON.stringify(value) ?? typeof value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}

function issuesOf(errors: ValidateFunction["errors"]): readonly ValidationIssue[] {
  const all = (errors ?? []) as unknown as readonly DefinedError[];
  const failed = all.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf");
  return all
    .filter(
      ({ schemaPath }) => !failed.some((union) => schemaPath.startsWith(`${union.schemaPath}/`)),
    )
    .slice(0, MOST_ISSUES)
    .map(issueOf);
}

/** As TypeBox says the same. */
function issueOf(error: DefinedError): ValidationIssue {
  const { instancePath: path, message = "does not fit" } = error;
  switch (error.keyword) {
    case "required":
      return {
        path: pointerTo(path, error.params.missingProperty),
        message: "Expected required property",
      };
    case "additionalProperties":
      return {
        path: pointerTo(path, error.params.additionalProperty),
        message: "Unexpected property",
      };
    case "enum": {
      const values = error.params.allowedValues.map((value: unknown) => JSON.stringify(value));
      return { path, message: `Expected one of ${values.join(", ")}` };
    }
    default:
      return { path, message: message.charAt(0).toUpperCase() + message.slice(1) };
  }
}
