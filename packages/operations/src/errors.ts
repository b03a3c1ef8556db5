/**
 * Codes that every call can end with, whatever the operation. Operations add their own through
 * `errorSchemas`.
 */
export type CallErrorCode =
  /** No operation of that id, or one without a handler. */
  | "OPERATION_NOT_FOUND"
  /** A subscription was executed, or something else subscribed to. */
  | "WRONG_OPERATION_TYPE"
  /** The caller is not known, or may not do this. */
  | "ACCESS_DENIED"
  /** The input does not fit the input schema; `details.issues` lists every place. */
  | "VALIDATION_ERROR"
  /** The deadline of the call passed before the operation ended. */
  | "TIMEOUT"
  /** The caller took the call back. */
  | "ABORTED"
  /** The operation failed in a way it does not declare; `cause` has the reason in this process. */
  | "EXECUTION_ERROR"
  /** The operation threw something that is no error. */
  | "UNKNOWN_ERROR"
  /** The side that serves the call has too much to do, or the side that reads is too slow. Try again later. */
  | "OVERLOADED"
  /** The call could not be sent, or answers of a subscription were lost on the way. */
  | "TRANSPORT_ERROR";

/** The codes of {@link CallErrorCode}, which an operation cannot declare as its own. */
export const CALL_ERROR_CODES: ReadonlySet<string> = new Set<CallErrorCode>([
  "OPERATION_NOT_FOUND",
  "WRONG_OPERATION_TYPE",
  "ACCESS_DENIED",
  "VALIDATION_ERROR",
  "TIMEOUT",
  "ABORTED",
  "EXECUTION_ERROR",
  "UNKNOWN_ERROR",
  "OVERLOADED",
  "TRANSPORT_ERROR",
]);

/** What a {@link CallError} carries besides its message. */
export interface CallErrorOptions extends ErrorOptions {
  /** JSON that the caller gets, in the shape its code promises. */
  readonly details?: unknown;
}

/**
 * How a call fails: code, message and details travel to the caller, `cause` does not. Throw one in a
 * handler to choose what the caller sees.
 *
 * @example
 * ```ts
 * throw new CallError("GRAPH_ARCHIVED", `graph "${graphId}" is archived`, { details: { graphId } });
 * ```
 */
export class CallError extends Error {
  override readonly name: string = "CallError";
  /** A {@link CallErrorCode}, or a code that the operation declares. */
  readonly code: CallErrorCode | (string & {});
  readonly details: unknown;

  constructor(
    code: CallErrorCode | (string & {}),
    message: string,
    options: CallErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/** Every `code` an {@link OperationsError} can carry. */
export type OperationsErrorCode =
  /** A spec is malformed; `details.problems` lists everything. */
  | "INVALID_SPEC"
  /** A JSON Schema that cannot be checked against, or a type without one; `details.path` says where. */
  | "INVALID_SCHEMA"
  /** A handler is no function, or of the wrong kind for its operation. */
  | "INVALID_HANDLER"
  /** An operation of that id is registered; pass `replace: true` to replace it. */
  | "ALREADY_REGISTERED"
  /** A handler was given for an operation that has no spec. */
  | "UNKNOWN_OPERATION"
  /** An argument or option is out of its range. */
  | "INVALID_ARGUMENT"
  /** An event of the call protocol that arrived is malformed. */
  | "MALFORMED_EVENT"
  /** The object was closed. */
  | "CLOSED";

/** What an {@link OperationsError} carries besides its message. */
export interface OperationsErrorOptions extends ErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A mistake in how this package is used, as opposed to {@link CallError}: how a call ended. */
export class OperationsError extends Error {
  override readonly name: string = "OperationsError";
  readonly code: OperationsErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: OperationsErrorCode, message: string, options: OperationsErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
