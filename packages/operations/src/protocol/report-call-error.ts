/** Called with what went wrong outside of any call's result, and where. */
export type CallErrorHandler = (error: unknown, context: string) => void;

/** A {@link CallErrorHandler} that never throws. */
export type CallErrorReporter = (error: unknown, context: string) => void;

/** The handler to use for `onError`: one that never throws into the loop. Default: a process warning. */
export function callErrorReporter(onError: CallErrorHandler | undefined): CallErrorReporter {
  return (error, context) => {
    try {
      if (onError === undefined) warn(error, context);
      else onError(error, context);
    } catch (thrown) {
      warn(thrown, context);
    }
  };
}

function warn(error: unknown, context: string): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // a caller may live in a browser, which has no process
  globalThis.process?.emitWarning(`${context}: ${what}`, { type: "CallProtocolWarning" });
}
