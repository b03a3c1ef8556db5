/** Every `code` a {@link PubSubError} can carry. Branch on the code, never on the message. */
export type PubSubErrorCode =
  /** The pub/sub, the event target or the connection was closed before this call. */
  | "CLOSED"
  /** An event type starts with `__`, which is kept for control messages of the targets. */
  | "RESERVED_TYPE"
  /** An argument or option is out of its range. */
  | "INVALID_ARGUMENT"
  /** A payload is not JSON, or `validate` refused it. */
  | "INVALID_PAYLOAD"
  /** Something that is not an event envelope arrived on a topic somebody subscribes to. */
  | "INVALID_ENVELOPE"
  /** A consumer was too slow for its buffer, or a connection for its send buffer. */
  | "BUFFER_OVERFLOW"
  /** An event is larger than the transport takes. */
  | "PAYLOAD_TOO_LARGE"
  /** A frame of the other side could not be understood. */
  | "MALFORMED_FRAME"
  /** The transport failed: connection lost, command refused. */
  | "TRANSPORT"
  /** The other side refused a subscription or an event. */
  | "REFUSED"
  /** A durable event failed as often as it may and was put aside. */
  | "DEAD_LETTER"
  /** A consumer name would not be the same after a restart. */
  | "UNSTABLE_CONSUMER_NAME"
  /** A live subscriber already uses this consumer name. */
  | "CONSUMER_NAME_TAKEN";

/** What a {@link PubSubError} carries besides its message. */
export interface PubSubErrorOptions extends ErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code: topics, names, limits. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of every error this package throws or reports. */
export class PubSubError extends Error {
  override readonly name: string = "PubSubError";
  readonly code: PubSubErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: PubSubErrorCode, message: string, options: PubSubErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Refuses a number that is not a whole number of at least `min`. */
export function requireInteger(value: number, name: string, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new PubSubError(
    "INVALID_ARGUMENT",
    `${name} is ${String(value)}; it must be a whole number of at least ${min}`,
    { details: { name, value, min } },
  );
}
