/** How a call by HTTP can fail, whatever the operation. */
export interface HttpFailure {
  readonly code: string;
  readonly status: number;
  /** When it happens, one sentence. */
  readonly description: string;
}

/** What every call by HTTP can end with; those of the registry and those of a server before it. */
export const HTTP_FAILURES: readonly HttpFailure[] = [
  failure(400, "VALIDATION_ERROR", "The input does not fit; `details.issues` lists every place."),
  failure(400, "MALFORMED_REQUEST", "The body is no JSON, or a header has no value it can have."),
  failure(401, "UNAUTHENTICATED", "There is no key, or none that is known."),
  failure(
    403,
    "ACCESS_DENIED",
    "The caller may not do this; `details.reason` says what is missing.",
  ),
  failure(403, "FORBIDDEN", "The caller may not act there."),
  failure(404, "OPERATION_NOT_FOUND", "There is no such operation, or nobody who serves it."),
  failure(413, "TOO_LARGE", "The body is too large."),
  failure(
    429,
    "RATE_LIMITED",
    "Too many calls; `Retry-After` says in how many seconds to come back.",
  ),
  failure(500, "EXECUTION_ERROR", "The operation failed in a way it does not declare."),
  failure(500, "UNKNOWN_ERROR", "The operation threw something that is no error."),
  failure(502, "TRANSPORT_ERROR", "Whoever serves the operation was lost on the way."),
  failure(503, "OVERLOADED", "There is too much to do. Try again later."),
  failure(503, "UNAVAILABLE", "The server is starting or closing. Try again later."),
  failure(504, "TIMEOUT", "The call did not end before its deadline."),
];

function failure(status: number, code: string, description: string): HttpFailure {
  return { code, status, description };
}
