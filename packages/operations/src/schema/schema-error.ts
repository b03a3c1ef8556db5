import { OperationsError } from "../errors.ts";

/** The error of a schema that cannot be checked against or sent, with its place as a JSON pointer. */
export function schemaError(path: string, problem: string, hint?: string): OperationsError {
  const where = path === "" ? "the schema" : `the schema at "${path}"`;
  return new OperationsError("INVALID_SCHEMA", `${where} ${problem}`, {
    details: { path, problem },
    ...(hint === undefined ? {} : { hint }),
  });
}
