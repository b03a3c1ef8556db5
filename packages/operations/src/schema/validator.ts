import { Kind, type TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { Value } from "@sinclair/typebox/value";
import { ownValidator } from "./own-validator.ts";
import { MOST_ISSUES, type ValidationIssue, type Validator } from "./validation-issue.ts";

const known = new WeakMap<TSchema, Validator>();

/**
 * The validator of a TypeBox schema. It is compiled at the first check, once per schema; where code
 * generation is forbidden, the same checks are interpreted. A schema that brings its own is checked by that.
 */
export function validatorOf(schema: TSchema): Validator {
  const existing = known.get(schema);
  if (existing !== undefined) return existing;
  const own = ownValidator(schema);
  if (own !== undefined) return own;
  let compiled: ((value: unknown) => boolean) | undefined;
  const check = (value: unknown): boolean => {
    compiled ??= compile(schema);
    try {
      return compiled(value);
    } catch (error) {
      // nested tens of thousands of levels deep, against a recursive schema
      if (error instanceof RangeError) return false;
      throw error;
    }
  };
  const validator: Validator = {
    check,
    issues: (value) => (check(value) ? [] : issuesOf(schema, value)),
  };
  known.set(schema, validator);
  return validator;
}

/** Whether a value is a TypeBox schema; JSON Schema alone is not. */
export function isTypeBoxSchema(value: unknown): value is TSchema {
  return typeof value === "object" && value !== null && Kind in value;
}

/** Why a schema cannot be checked against, or `null`: a type that nobody registered, a missing reference. */
export function schemaProblem(schema: TSchema): string | null {
  try {
    // visits every type without generating a function from it
    TypeCompiler.Code(schema);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function compile(schema: TSchema): (value: unknown) => boolean {
  try {
    const compiled = TypeCompiler.Compile(schema);
    return (value) => compiled.Check(value);
  } catch (error) {
    // a policy that forbids code generation from text
    if (error instanceof EvalError) return (value) => Value.Check(schema, value);
    throw error;
  }
}

function issuesOf(schema: TSchema, value: unknown): readonly ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  const missing = new Set<string>();
  try {
    for (const error of Value.Errors(schema, value)) {
      // a missing property is also one of the wrong type; an intersection lists its parts
      if (missing.has(error.path) || error.type === ValueErrorType.Intersect) continue;
      if (error.type === ValueErrorType.ObjectRequiredProperty) missing.add(error.path);
      issues.push(...issuesAt(error));
      if (issues.length >= MOST_ISSUES) break;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    issues.push({ path: "", message: "Nested too deeply" });
  }
  return issues.length > 0 ? issues.slice(0, MOST_ISSUES) : [{ path: "", message: "Does not fit" }];
}

/** TypeBox knows of a schema with its own validator only that the value does not fit. */
function issuesAt(error: ValueError): readonly ValidationIssue[] {
  const own = error.type === ValueErrorType.Kind ? ownValidator(error.schema) : undefined;
  if (own === undefined) return [{ path: error.path, message: messageOf(error) }];
  return own
    .issues(error.value)
    .map(({ path, message }) => ({ path: `${error.path}${path}`, message }));
}

/** For unions of literals, what may stand there; TypeBox says only that nothing fits. */
function messageOf({ message, schema, type }: ValueError): string {
  if (type !== ValueErrorType.Union) return message;
  const alternatives = schema.anyOf as readonly TSchema[];
  const literals = alternatives.map((alternative): unknown =>
    alternative.type === "null" ? null : alternative.const,
  );
  if (literals.some((value) => value === undefined)) return message;
  return `Expected one of ${literals.map((value) => JSON.stringify(value)).join(", ")}`;
}
