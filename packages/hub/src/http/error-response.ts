import { CallError, type OperationSpec } from "@alkdev/operations";
import { httpStatusOf } from "./http-status.ts";

/** What {@link errorResponse} can add. */
export interface ErrorResponseOptions {
  readonly requestId?: string;
  /** Of the operation, for errors that it declares. */
  readonly spec?: OperationSpec | null;
  /** Default: as the code says. */
  readonly status?: number;
}

/** The body of every answer that is no success. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details?: unknown;
    readonly requestId?: string;
  };
}

/** Errors as the call protocol knows them; anything else is a bug and says nothing of itself. */
export function callErrorOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  return new CallError("EXECUTION_ERROR", "the hub failed", { cause: error });
}

/** The HTTP answer to a call that failed. */
export function errorResponse(thrown: unknown, options: ErrorResponseOptions = {}): Response {
  const error = callErrorOf(thrown);
  const status = options.status ?? httpStatusOf(error, options.spec ?? null);
  const { headers, body } = errorAnswer(error, { ...options, status });
  return new Response(body, { status, headers });
}

/** Headers and text of the answer to a call that failed. */
export function errorAnswer(
  error: CallError,
  { status, requestId }: Pick<ErrorResponseOptions, "requestId"> & { readonly status: number },
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (status === 401) headers["www-authenticate"] = "Bearer";
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== null) headers["retry-after"] = String(retryAfter);
  return { headers, body: JSON.stringify(errorBody(error, requestId)) };
}

/** The body of an answer that failed. */
export function errorBody({ code, message, details }: CallError, requestId?: string): ErrorBody {
  return {
    error: {
      code,
      message,
      ...(details === undefined ? {} : { details }),
      ...(requestId === undefined ? {} : { requestId }),
    },
  };
}

function retryAfterSeconds({ code, details }: CallError): number | null {
  if (code === "OVERLOADED" || code === "UNAVAILABLE") return 1;
  const seconds = (details as { readonly retryAfterSeconds?: unknown } | undefined)
    ?.retryAfterSeconds;
  return code === "RATE_LIMITED" && typeof seconds === "number" ? seconds : null;
}
