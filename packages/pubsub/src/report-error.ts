import { PubSubError } from "./errors.ts";
import type { PubSubErrorHandler } from "./event-target.ts";

/**
 * What happens with an error nobody waits for and nobody asked for. Bad data and lost connections
 * come from outside, so they warn; anything else was thrown by a listener and becomes an uncaught
 * error, as with the platform's own `EventTarget`: silence would hide it.
 */
function report(error: unknown): void {
  if (error instanceof PubSubError && typeof globalThis.process?.emitWarning === "function") {
    globalThis.process.emitWarning(error);
    return;
  }
  const platform = (globalThis as { reportError?: (error: unknown) => void }).reportError;
  if (typeof platform === "function") platform(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The handler to use for `onError`: one that never throws into its caller. */
export function errorReporter(onError: PubSubErrorHandler | undefined): PubSubErrorHandler {
  if (onError === undefined) return report;
  return (error, context) => {
    try {
      onError(error, context);
    } catch (thrown) {
      report(thrown);
    }
  };
}
