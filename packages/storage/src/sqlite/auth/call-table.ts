import type { InputOf, OperationSpec, OutputOf } from "@alkdev/operations";
import type { TSchema } from "@sinclair/typebox";
import { type PayloadSchema, payloadSchema } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import type { TableOperations } from "../operations/table-operations.ts";

type SpecOf<Specs extends readonly OperationSpec[], Name> = Extract<
  Specs[number],
  { readonly name: Name }
>;

/** Operations of a table on a database. */
export interface SystemTable<Specs extends readonly OperationSpec[]> {
  readonly system: SystemDatabase;
  readonly operations: TableOperations<Specs, SystemDatabase>;
}

const schemas = new WeakMap<TSchema, PayloadSchema<unknown>>();

/**
 * Calls an operation of a table from code: with its checks, its events and its errors, in the open
 * transaction if there is one. Nobody's scopes are asked for.
 *
 * @throws StorageError `INVALID_ARGUMENT`, and what the operation declares
 */
export function callTable<
  const Specs extends readonly OperationSpec[],
  Name extends Specs[number]["name"],
>(
  { system, operations }: SystemTable<Specs>,
  name: Name,
  input: InputOf<SpecOf<Specs, Name>>,
): OutputOf<SpecOf<Specs, Name>> {
  const spec = operations.specs.find((one) => one.name === name) as OperationSpec;
  let schema = schemas.get(spec.inputSchema);
  if (schema === undefined) {
    schema = payloadSchema(spec.inputSchema);
    schemas.set(spec.inputSchema, schema);
  }
  const { issues } = schema["~standard"].validate(input);
  if (issues !== undefined) throw invalid(`${operations.name}.${name}`, issues);
  const handler = operations.handlers(system)[name] as (input: unknown, context: object) => unknown;
  return handler(input, {}) as OutputOf<SpecOf<Specs, Name>>;
}

function invalid(
  operation: string,
  issues: readonly { readonly message: string; readonly path: readonly string[] }[],
): StorageError {
  const [first] = issues;
  const at = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.join(".")}`;
  return new StorageError("INVALID_ARGUMENT", `input of ${operation}${at}: ${first?.message}`, {
    details: { operation, issues },
  });
}
