import { CallError } from "./errors.ts";
import type { ErrorDefinition } from "./operation-spec.ts";
import { validatorOf } from "./schema/validator.ts";

/** Which operation failed. */
export interface FailedOperation {
  readonly operationId: string;
  /** Errors the operation declares. */
  readonly errorSchemas?: readonly ErrorDefinition[] | undefined;
  /** Gets what the caller is not told. */
  readonly report: (error: unknown) => void;
}

/**
 * What the caller gets for something a handler threw: a {@link CallError} as it is; an error whose `code`
 * the operation declares with that code, its message, and its `details` where they fit the declared
 * schema; anything else as `EXECUTION_ERROR` or, if it is no error, `UNKNOWN_ERROR`, without its message,
 * which may speak of files, SQL or secrets. The thrown value is kept as `cause`, which never travels.
 */
export function mapError(thrown: unknown, failed: FailedOperation): CallError {
  const { operationId, report } = failed;
  if (thrown instanceof CallError) return thrown;
  if (!(thrown instanceof Error)) {
    report(thrown);
    return new CallError("UNKNOWN_ERROR", `${operationId} threw something that is no error`, {
      cause: thrown,
      details: { operationId },
    });
  }
  const { code, details } = thrown as { code?: unknown; details?: unknown };
  const declared = failed.errorSchemas?.find((definition) => definition.code === code);
  if (declared === undefined) {
    report(thrown);
    return new CallError("EXECUTION_ERROR", `${operationId} failed`, {
      cause: thrown,
      details: { operationId },
    });
  }
  const fits = declared.schema !== undefined && validatorOf(declared.schema).check(details);
  return new CallError(declared.code, thrown.message, {
    cause: thrown,
    ...(fits ? { details } : {}),
  });
}
