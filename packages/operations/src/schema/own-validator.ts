import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";
import type { Validator } from "./validation-issue.ts";

/** Kind of TypeBox schemas that bring their validator along. */
const KIND = "JsonSchema";
/** A property that copies of the schema keep and that JSON does not show; shared by copies of this package. */
const VALIDATOR = Symbol.for("@alkdev/operations/validator");

/**
 * A TypeBox schema that shows the keywords of `shown` and is checked by `validator`, wherever it stands:
 * at the root or inside other types.
 */
export function withValidator(
  shown: Readonly<Record<string, unknown>>,
  validator: Validator,
): TSchema {
  TypeRegistry.Set<TSchema>(KIND, (schema, value) => ownValidator(schema)?.check(value) === true);
  return { ...shown, [Kind]: KIND, [VALIDATOR]: validator } as unknown as TSchema;
}

/** The validator that a schema brings along, if it does. */
export function ownValidator(schema: TSchema): Validator | undefined {
  return (schema as { readonly [VALIDATOR]?: Validator })[VALIDATOR];
}
