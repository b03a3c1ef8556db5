import { OperationsError } from "../errors.ts";
import { type OperationSpec, operationId } from "../operation-spec.ts";

/** A spec in a form in which schemas are something else. */
export type SpecWith<Schema> = Omit<
  OperationSpec,
  "inputSchema" | "outputSchema" | "errorSchemas"
> & {
  readonly inputSchema: Schema;
  readonly outputSchema: Schema;
  readonly errorSchemas?: readonly ErrorWith<Schema>[];
};

/** An error definition of {@link SpecWith}. */
export interface ErrorWith<Schema> {
  readonly code: string;
  readonly description: string;
  readonly schema?: Schema;
  readonly httpStatus?: number;
}

/**
 * A copy of a spec, each of its schemas converted.
 *
 * @throws OperationsError `INVALID_SCHEMA` with the field at the start of `details.path`
 */
export function mapSpecSchemas<From, To>(
  spec: SpecWith<From>,
  convert: (schema: From) => To,
): SpecWith<To> {
  const id = operationId(spec);
  const inField = (field: string, schema: From): To => {
    try {
      return convert(schema);
    } catch (error) {
      throw error instanceof OperationsError ? named(error, id, field) : error;
    }
  };
  const { inputSchema, outputSchema, errorSchemas, ...rest } = spec;
  return {
    ...rest,
    inputSchema: inField("/inputSchema", inputSchema),
    outputSchema: inField("/outputSchema", outputSchema),
    ...(errorSchemas === undefined
      ? {}
      : {
          errorSchemas: errorSchemas.map(({ schema, ...definition }, i) => ({
            ...definition,
            ...(schema === undefined
              ? {}
              : { schema: inField(`/errorSchemas/${i}/schema`, schema) }),
          })),
        }),
  };
}

function named(error: OperationsError, id: string, field: string): OperationsError {
  const { path, problem } = error.details as { readonly path: string; readonly problem: string };
  return new OperationsError(
    error.code,
    `operation "${id}": the schema at "${field}${path}" ${problem}`,
    {
      cause: error,
      details: { operationId: id, path: `${field}${path}`, problem },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
  );
}
