import { type SchemaOptions, type TSchema, Type } from "@sinclair/typebox";
import {
  ANNOTATIONS,
  isJson,
  isPlainObject,
  type JsonSchema,
  type JsonType,
  KEYWORDS,
  pointer,
  schemaError,
} from "./json-schema.ts";

/** One schema inside the one that is parsed. */
export interface Place {
  readonly schema: Record<string, unknown>;
  readonly path: string;
  readonly depth: number;
  readonly options: SchemaOptions;
}

/** What a schema says to people. */
export function annotationsOf(schema: JsonSchema, path: string): SchemaOptions {
  const options: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (!ANNOTATIONS.has(keyword) || keyword === "$id" || keyword === "$schema") continue;
    if (!isJson(value)) throw schemaError(pointer(path, keyword), "is not JSON");
    options[keyword] = value;
  }
  return options;
}

/** A single value as a type. */
export function literal(value: unknown, path: string, options: SchemaOptions): TSchema {
  if (value === null) return Type.Null(options);
  const finite = typeof value === "number" && Number.isFinite(value);
  if (finite || typeof value === "string" || typeof value === "boolean") {
    return Type.Literal(value, options);
  }
  throw schemaError(path, "is not a text, number, boolean or null");
}

/** Any of the schemas; one alone stands for itself. */
export function union(schemas: TSchema[], options: SchemaOptions): TSchema {
  if (schemas.length === 0) return Type.Never(options);
  const [only] = schemas;
  return schemas.length === 1 && only !== undefined
    ? { ...only, ...options }
    : Type.Union(schemas, options);
}

/** The name of a JSON type. */
export function jsonType(value: unknown, path: string): JsonType {
  if (typeof value === "string" && Object.hasOwn(KEYWORDS, value)) return value as JsonType;
  throw schemaError(path, `is ${JSON.stringify(value)}, which is no JSON type`);
}

/** A list. */
export function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw schemaError(path, "is not a list");
  return value;
}

/** An object, or an empty one where there is none. */
export function named(value: unknown, path: string): Record<string, unknown> {
  if (value === undefined) return {};
  if (!isPlainObject(value)) throw schemaError(path, "is not an object");
  return value;
}

/** Refuses what is not a regular expression. */
export function regularExpression(value: unknown, path: string): void {
  if (typeof value !== "string") throw schemaError(path, "is not a text");
  try {
    new RegExp(value);
  } catch {
    throw schemaError(path, `is not a regular expression: ${JSON.stringify(value)}`);
  }
}

/** Limits that are whole numbers from 0, of those keywords that are there. */
export function counts(
  { schema, path }: Place,
  keywords: readonly string[],
): Record<string, number> {
  return limits({ schema, path, keywords }, (value) => Number.isSafeInteger(value) && value >= 0);
}

/** Limits that are any finite numbers. */
export function numbers(
  { schema, path }: Place,
  keywords: readonly string[],
): Record<string, number> {
  const values = limits({ schema, path, keywords }, Number.isFinite);
  const { multipleOf } = values;
  if (multipleOf !== undefined && multipleOf <= 0) {
    throw schemaError(pointer(path, "multipleOf"), "is not above 0");
  }
  return values;
}

function limits(
  { schema, path, keywords }: Omit<Place, "options" | "depth"> & { keywords: readonly string[] },
  fits: (value: number) => boolean,
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const keyword of keywords) {
    const value = schema[keyword];
    if (value === undefined) continue;
    if (typeof value !== "number" || !fits(value)) {
      throw schemaError(
        pointer(path, keyword),
        `is ${JSON.stringify(value)}, which is out of range`,
      );
    }
    values[keyword] = value;
  }
  return values;
}
