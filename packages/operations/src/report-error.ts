/** Where something went wrong that its caller is told little about. */
export interface ErrorPlace {
  readonly operationId: string;
  readonly requestId: string;
}

/** Called with what a handler threw or returned wrongly, before the caller gets the general answer. */
export type OperationErrorHandler = (error: unknown, place: ErrorPlace) => void;

/** The handler to use for `onError`: one that never throws into the call. Default: a process warning. */
export function errorReporter(onError: OperationErrorHandler | undefined): OperationErrorHandler {
  return (error, place) => {
    try {
      if (onError === undefined) warn(error, place);
      else onError(error, place);
    } catch (thrown) {
      warn(thrown, place);
    }
  };
}

function warn(error: unknown, { operationId, requestId }: ErrorPlace): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  globalThis.process.emitWarning(`${operationId} (request ${requestId}): ${what}`, {
    type: "OperationWarning",
  });
}
