/** What happens to errors that nobody takes. */
export function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? reasonOf(error) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "HubWarning" });
}

/** Errors with a code say what happened in a sentence; of others one wants to know where. */
function reasonOf(error: Error & { readonly code?: unknown }): string {
  return typeof error.code === "string" ? error.message : (error.stack ?? error.message);
}
