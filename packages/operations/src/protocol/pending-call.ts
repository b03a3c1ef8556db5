import type { ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";
import type { CallRequested } from "./call-events.ts";
import type { CallEnvelope } from "./call-wire.ts";
import { OpenRequest, type RequestHost } from "./open-request.ts";
import { givenUp, remoteError } from "./remote-error.ts";

/** Sends a request and waits for its one answer. */
export function pendingCall(
  request: CallRequested,
  signal: AbortSignal | undefined,
  host: RequestHost,
): Promise<ResponseEnvelope> {
  return new Promise((resolve, reject) => {
    const fail = (error: CallError): void => {
      if (open.settle()) reject(error);
    };
    const receive = (envelope: CallEnvelope): void => {
      switch (envelope.type) {
        case "call.responded":
          if (open.settle()) resolve(envelope.payload.output);
          return;
        case "call.error":
          fail(remoteError(envelope.payload));
          return;
        case "call.aborted":
          fail(givenUp(request));
          return;
        case "call.completed":
          fail(
            new CallError("ABORTED", `${request.operationId} ended without an answer`, {
              details: { requestId: request.requestId, operationId: request.operationId },
            }),
          );
          return;
        case "call.heartbeat":
          open.touch();
      }
    };
    const open = new OpenRequest({ request, signal, sink: { receive, end: reject } }, host);
    open.send();
  });
}
