import { HonkerError } from "@alkdev/honker";
import { CallError, OperationsError } from "@alkdev/operations";
import { StorageError } from "@alkdev/storage";
import { HubError } from "../errors.ts";

/** An error as the command line shows it, and as `--json` writes it. */
export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  /** Whether it is a mistake of this program rather than an answer of it. */
  readonly unexpected: boolean;
}

/** What to say about anything that was thrown. */
export function describeError(error: unknown): ErrorDescription {
  if (isKnown(error)) {
    const { code, message, details } = error;
    const hasDetails =
      typeof details === "object" && details !== null && Object.keys(details).length > 0;
    return { code, message, ...(hasDetails ? { details } : {}), unexpected: false };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { readonly code?: unknown } | null)?.code;
  return { code: typeof code === "string" ? code : "UNEXPECTED", message, unexpected: true };
}

type KnownError = HubError | StorageError | HonkerError | OperationsError | CallError;

function isKnown(error: unknown): error is KnownError {
  return [HubError, StorageError, HonkerError, OperationsError, CallError].some(
    (known) => error instanceof known,
  );
}
