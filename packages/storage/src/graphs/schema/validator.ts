import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import { Value } from "@sinclair/typebox/value";
import { LruMap } from "../lru-map.ts";
import { type JsonSchema, schemaError } from "./json-schema.ts";
import { type ParsedSchema, parseSchema } from "./parse-schema.ts";

/** One way in which a value does not fit its schema. It never holds the value itself. */
export interface ValidationIssue {
  /** Where, as a JSON pointer (RFC 6901): `/tags/0`; empty for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Checks values against one schema. */
export interface SchemaValidator {
  /** True where the value fits. */
  check(value: unknown): boolean;
  /** Everything that does not fit, by path; empty where {@link check} is true. The first 1,000. */
  errors(value: unknown): readonly ValidationIssue[];
}

/** A wrong array of a million items would list a million issues. */
const MOST_ISSUES = 1_000;
/** Compiled schemas that are kept: a thousand types of a few KiB each. */
const MOST_COMPILED = 1_000;

const byObject = new WeakMap<JsonSchema, SchemaValidator>();
const byText = new LruMap<string, SchemaValidator>(MOST_COMPILED);

/**
 * A validator for a JSON Schema as the database holds it. It is compiled to JavaScript once per schema,
 * however often the schema is read from the database; where code generation is not allowed, the same
 * checks are interpreted.
 *
 * @throws StorageError `INVALID_SCHEMA` naming the place; see {@link parseSchema} for what is refused.
 *
 * @example
 * ```ts
 * const validator = schemaValidator(row.schema);
 * if (!validator.check(attributes)) console.log(validator.errors(attributes));
 * ```
 */
export function schemaValidator(schema: JsonSchema): SchemaValidator {
  if (typeof schema !== "object" || schema === null) throw schemaError("", "is not an object");
  const known = byObject.get(schema);
  if (known !== undefined) return known;
  const text = stringify(schema);
  const validator = byText.get(text) ?? compile(parseSchema(schema));
  byText.set(text, validator);
  byObject.set(schema, validator);
  return validator;
}

function stringify(schema: JsonSchema): string {
  try {
    return JSON.stringify(schema);
  } catch (cause) {
    throw schemaError("", `is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function compile({ root, references }: ParsedSchema): SchemaValidator {
  const check = checker(root, references);
  const fits = (value: unknown): boolean => {
    try {
      return check(value);
    } catch (error) {
      // a value nested tens of thousands of levels deep, against a recursive schema
      if (error instanceof RangeError) return false;
      throw error;
    }
  };
  return {
    check: fits,
    errors: (value) => (fits(value) ? [] : issuesOf(root, references, value)),
  };
}

function checker(root: TSchema, references: TSchema[]): (value: unknown) => boolean {
  try {
    const compiled = TypeCompiler.Compile(root, references);
    return (value) => compiled.Check(value);
  } catch (error) {
    // a policy that forbids code generation from text
    if (error instanceof EvalError) return (value) => Value.Check(root, references, value);
    throw error;
  }
}

function issuesOf(
  root: TSchema,
  references: TSchema[],
  value: unknown,
): readonly ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  const missing = new Set<string>();
  try {
    for (const error of Value.Errors(root, references, value)) {
      // of an intersection the issues of its parts follow
      if (missing.has(error.path) || error.type === ValueErrorType.Intersect) continue;
      if (error.type === ValueErrorType.ObjectRequiredProperty) missing.add(error.path);
      issues.push({ path: error.path, message: messageOf(error) });
      if (issues.length === MOST_ISSUES) break;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    issues.push({ path: "", message: "Nested too deeply" });
  }
  return issues.length > 0 ? issues : [{ path: "", message: "Does not fit" }];
}

/** For unions, what the alternatives are; TypeBox says only that none fits. */
function messageOf({ message, schema, type }: ValueError): string {
  if (type !== ValueErrorType.Union) return message;
  const alternatives = schema.anyOf as readonly TSchema[];
  const literals = alternatives.map((alternative): unknown =>
    alternative.type === "null" ? null : alternative.const,
  );
  if (literals.some((value) => value === undefined)) return message;
  return `Expected one of ${literals.map((value) => JSON.stringify(value)).join(", ")}`;
}
