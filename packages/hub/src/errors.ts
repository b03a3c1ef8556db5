/** Every `code` a {@link HubError} can carry. */
export type HubErrorCode =
  /** An option or argument is out of its range. */
  | "INVALID_ARGUMENT"
  /** A configuration file or the folder of a hub cannot be used. */
  | "INVALID_CONFIG"
  /** The address is taken or may not be used. */
  | "CANNOT_LISTEN"
  /** The other side refused or could not be reached. */
  | "REFUSED"
  /** What is asked for is not there. */
  | "NOT_FOUND"
  /** It is there already. */
  | "ALREADY_EXISTS"
  /** The hub, the spoke or the client was closed. */
  | "CLOSED";

/** What a {@link HubError} carries besides its message. */
export interface HubErrorOptions extends ErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A mistake in how this package is used, or an outside that does not answer as it must. */
export class HubError extends Error {
  override readonly name: string = "HubError";
  readonly code: HubErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: HubErrorCode, message: string, options: HubErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
