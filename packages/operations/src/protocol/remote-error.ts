import { CallError } from "../errors.ts";
import type { CallFailed, CallRequested } from "./call-events.ts";

/** The error that the other side sent. */
export function remoteError({ code, message, details }: CallFailed): CallError {
  return new CallError(code, message, details === undefined ? {} : { details });
}

/** The side that serves the call gave it up. */
export function givenUp({ requestId, operationId }: CallRequested): CallError {
  return new CallError("ABORTED", `${operationId} was given up by the side that served it`, {
    details: { requestId, operationId },
  });
}
