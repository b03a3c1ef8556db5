import type { CallError, OperationSpec } from "@alkdev/operations";

/** The status of answers that fail in a way every call can; see `CallErrorCode` and `HubCore.signIn`. */
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  ACCESS_DENIED: 403,
  OPERATION_NOT_FOUND: 404,
  WRONG_OPERATION_TYPE: 405,
  VALIDATION_ERROR: 400,
  MALFORMED_REQUEST: 400,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  ABORTED: 499,
  EXECUTION_ERROR: 500,
  UNKNOWN_ERROR: 500,
  TRANSPORT_ERROR: 502,
  OVERLOADED: 503,
  SPOKE_AWAY: 503,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
};

/** Errors that an operation declares without a status. */
const DECLARED = 422;

/** The HTTP status of how a call failed. */
export function httpStatusOf({ code }: CallError, spec: OperationSpec | null): number {
  const declared = spec?.errorSchemas?.find((one) => one.code === code);
  if (declared !== undefined) return declared.httpStatus ?? DECLARED;
  return STATUS[code] ?? DECLARED;
}
