import { Type } from "@sinclair/typebox";
import { OperationsError } from "../errors.ts";
import type { OperationSpec } from "../operation-spec.ts";
import { checkSpec } from "../registry/check-spec.ts";
import { mapSpecSchemas } from "../schema/map-spec-schemas.ts";
import { validatorOf } from "../schema/validator.ts";
import type { OperationSpecJson } from "../spec-to-json.ts";
import { jsonSchema } from "./json-schema.ts";

/** Four schemas of the longest kind. */
const LONGEST = 512 * 1024;

const Word = Type.String({ maxLength: 200 });
const Text = Type.String({ maxLength: 10_000 });
const Words = Type.Array(Word, { maxItems: 100 });

/** Unknown fields are left out, so that a newer side can talk to an older one, but none that restrict. */
const SpecJson = Type.Object({
  namespace: Word,
  name: Word,
  version: Word,
  type: Word,
  description: Text,
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  accessControl: Type.Object(
    {
      requiredScopes: Words,
      requiredScopesAny: Type.Optional(Words),
      resourceType: Type.Optional(Word),
      resourceAction: Type.Optional(Word),
      resourceIdFrom: Type.Optional(Word),
      public: Type.Optional(Type.Literal(true)),
    },
    { additionalProperties: false },
  ),
  title: Type.Optional(Text),
  tags: Type.Optional(Words),
  errorSchemas: Type.Optional(
    Type.Array(
      Type.Object({
        code: Word,
        description: Text,
        schema: Type.Optional(Type.Unknown()),
        httpStatus: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
      }),
      { maxItems: 100 },
    ),
  ),
  _meta: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
const FIELDS = Object.keys(SpecJson.properties);

/**
 * Reads a spec that came as JSON, from a spoke or from a file, and makes its schemas ones that values are
 * checked against in bounded time; see {@link jsonSchema}. Nothing of it is trusted, but who may register it,
 * under which namespace and with which access is for the caller to decide.
 *
 * @throws OperationsError `INVALID_SPEC` with every problem in `details.problems`; `INVALID_SCHEMA` with the
 * place in `details.path`
 */
export function specFromJson(json: unknown): OperationSpec {
  const spec = mapSpecSchemas(checked(json), (schema) => jsonSchema(schema)) as OperationSpec;
  checkSpec(spec);
  return spec;
}

/** A copy of the known fields, each of its type. */
function checked(json: unknown): OperationSpecJson {
  const text = toText(json);
  if (text.length > LONGEST) {
    throw invalid([`it is ${text.length} characters long; at most ${LONGEST} are taken`]);
  }
  const copy: unknown = JSON.parse(text);
  const validator = validatorOf(SpecJson);
  if (!validator.check(copy)) {
    throw invalid(validator.issues(copy).map(({ path, message }) => `"${path}": ${message}`));
  }
  const fields = Object.entries(copy as object).filter(([field]) => FIELDS.includes(field));
  return Object.fromEntries(fields) as unknown as OperationSpecJson;
}

function toText(json: unknown): string {
  try {
    return JSON.stringify(json) ?? "null";
  } catch (error) {
    throw invalid([`it is no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function invalid(problems: readonly string[]): OperationsError {
  return new OperationsError("INVALID_SPEC", `the operation spec: ${problems.join("; ")}`, {
    details: { problems },
  });
}
