import type { TUnsafe } from "@sinclair/typebox";
import { withValidator } from "../schema/own-validator.ts";
import { schemaError } from "../schema/schema-error.ts";
import { isJsonObject } from "../schema/subschemas.ts";
import { BoundedRegExps } from "./bounded-regexp.ts";
import { CompiledSchema } from "./compiled-schema.ts";
import { enforcedSchema } from "./enforced-schema.ts";

/** A schema of this many characters is read in some tens of milliseconds. */
const LONGEST = 128 * 1024;

/**
 * Makes a TypeBox schema of a JSON Schema, draft 7 to 2020-12, wherever it came from. It can stand wherever
 * TypeBox schemas do, and checks values in bounded time: `format` is not checked, as the standard
 * has it; regular expressions run in linear time, and those that cannot are refused; references lead only
 * inside the schema; a check that takes too long fails.
 *
 * @throws OperationsError `INVALID_SCHEMA`, also above 128 Ki characters or 64 levels
 *
 * @example
 * ```ts
 * const inputSchema = jsonSchema<{ name: string }>({
 *   type: "object",
 *   properties: { name: { type: "string" } },
 *   required: ["name"],
 * });
 * ```
 */
export function jsonSchema<Value = unknown>(schema: unknown): TUnsafe<Value> {
  const copy = copyOf(schema);
  const regExps = new BoundedRegExps();
  const validator = new CompiledSchema(enforcedSchema(copy, regExps), regExps);
  if (!isJsonObject(copy)) {
    return withValidator(copy === true ? {} : { not: {} }, validator) as TUnsafe<Value>;
  }
  // TypeBox would take it for the name of a type
  const { $id: _, ...shown } = copy;
  return withValidator(shown, validator) as TUnsafe<Value>;
}

/** What was checked is what is enforced, so nobody else may hold it. */
function copyOf(schema: unknown): unknown {
  const text = toText(schema);
  if (text === undefined) throw schemaError("", "is no schema: an object or a boolean");
  if (text.length > LONGEST) {
    throw schemaError("", `is ${text.length} characters long; at most ${LONGEST} are taken`);
  }
  return JSON.parse(text);
}

function toText(schema: unknown): string | undefined {
  try {
    return JSON.stringify(schema);
  } catch (error) {
    throw schemaError("", `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
