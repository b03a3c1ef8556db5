import { Kind, type TSchema, Type } from "@sinclair/typebox";
import type { OperationSpec } from "./operation-spec.ts";
import { mapSpecSchemas, type SpecWith } from "./schema/map-spec-schemas.ts";
import { toJsonSchema } from "./schema/to-json-schema.ts";

/** An {@link OperationSpec} as JSON: its schemas are plain JSON Schema 2020-12. */
export type OperationSpecJson = SpecWith<unknown>;

/**
 * A spec as JSON, to be stored or sent; `specFromJson` of `@alkdev/operations/json-schema` reads it. A
 * handler beside it is left out. An output of nothing becomes `null`, as it does on the way.
 *
 * @throws OperationsError `INVALID_SCHEMA` for types that JSON has no form for; `details.path` starts with the
 * field: `/inputSchema/properties/at`
 */
export function specToJson(spec: OperationSpec): OperationSpecJson {
  const { handler: _, ...plain } = spec as OperationSpec & { readonly handler?: unknown };
  const json = mapSpecSchemas(
    { ...plain, outputSchema: answerSchema(plain.outputSchema) },
    toJsonSchema,
  );
  return JSON.parse(JSON.stringify(json));
}

/** JSON has no undefined: an answer without data travels as `null`. */
function answerSchema(schema: TSchema): TSchema {
  return schema[Kind] === "Undefined" || schema[Kind] === "Void" ? Type.Null() : schema;
}
