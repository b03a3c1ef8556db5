import { HonkerError } from "@alkdev/honker";
import { DrizzleError, entityKind } from "drizzle-orm";

/** Every `code` of a {@link DrizzleHonkerError} that is not one of the engine's. */
export type DrizzleHonkerErrorCode =
  /** A transaction callback returned a query that was not run. */
  | "QUERY_NOT_RUN"
  /** The engine refused the statement; `code` is then the engine's, `cause` its error. */
  | HonkerError["code"]
  /** The statement failed for a reason the engine does not know. */
  | "QUERY_FAILED"
  /** A migration folder is missing, incomplete, or differs from what was applied. */
  | "MIGRATION_FOLDER"
  /** A migration would have lost rows, or left foreign keys without a parent; nothing was changed. */
  | "MIGRATION_UNSAFE"
  /** A migration's SQL failed; nothing was changed. */
  | "MIGRATION_FAILED";

/** What a {@link DrizzleHonkerError} carries besides its message. */
export interface DrizzleHonkerErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Base of every error of this package. Errors of a query of the builder are the engine's own. */
export class DrizzleHonkerError extends DrizzleError {
  static override readonly [entityKind]: string = "DrizzleHonkerError";
  readonly code: DrizzleHonkerErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: DrizzleHonkerErrorCode,
    message: string,
    options: DrizzleHonkerErrorOptions = {},
  ) {
    const { hint, details, cause } = options;
    super({ message: hint === undefined ? message : `${message}. ${hint}`, cause });
    this.name = "DrizzleHonkerError";
    this.code = code;
    this.hint = hint;
    this.details = details ?? {};
  }

  /** A failed raw statement, as Drizzle reports it: its own error with the engine's as `cause`. */
  static ofQuery(sql: string, cause: unknown): DrizzleHonkerError {
    if (cause instanceof DrizzleHonkerError) return cause;
    const engine = cause instanceof HonkerError ? cause : undefined;
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    return new DrizzleHonkerError(
      engine?.code ?? "QUERY_FAILED",
      `Failed to run the query '${sql}'${reason}`,
      { cause, ...(engine === undefined ? {} : { details: engine.details }) },
    );
  }
}
