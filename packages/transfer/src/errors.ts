/** Every `code` a {@link TransferError} can carry. Branch on the code, never on the message. */
export type TransferErrorCode =
  /** An argument or option is missing or out of its range. */
  | "INVALID_ARGUMENT"
  /** The server cannot be reached or refused the connection. */
  | "SOURCE_UNAVAILABLE"
  /** The source does not have the tables, or the columns, that are needed. */
  | "SOURCE_SHAPE"
  /** The source is not the one that the interrupted run read, or its options were others. */
  | "SOURCE_MISMATCH"
  /** Where the data shall go there is some already, which no import of this kind put there. */
  | "OUT_IN_USE"
  /** Another import writes there at this moment. */
  | "BUSY";

/** What a {@link TransferError} carries besides its message. */
export interface TransferErrorOptions extends ErrorOptions {
  /** What an operator can do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code. Never a password. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of every error this package throws. */
export class TransferError extends Error {
  override readonly name: string = "TransferError";
  readonly code: TransferErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: TransferErrorCode, message: string, options: TransferErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
