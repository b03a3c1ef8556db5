/** Gets what fails in the background, and where. */
export type SpokeErrorHandler = (error: unknown, context: string) => void;

/** What happens to errors that nobody takes. */
export function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "HubWarning" });
}
