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
  if (isOurs(error)) {
    const { code, message, details } = error;
    const hasDetails =
      typeof details === "object" && details !== null && Object.keys(details).length > 0;
    return { code, message, ...(hasDetails ? { details } : {}), unexpected: false };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { readonly code?: unknown } | null)?.code;
  return { code: typeof code === "string" ? code : "UNEXPECTED", message, unexpected: true };
}

/** What the errors of all packages have in common; one of them need not be installed. */
interface OurError extends Error {
  readonly code: string;
  readonly details: unknown;
}

function isOurs(error: unknown): error is OurError {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return false;
  return typeof error.code === "string" && /^[A-Z][A-Z_]*$/.test(error.code);
}
