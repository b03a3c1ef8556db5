import type { Identity } from "../access/identity.ts";
import { CallError, OperationsError } from "../errors.ts";
import type { CallRequested } from "./call-events.ts";
import type { CallerEvent, CallHandlerOptions } from "./call-handler-options.ts";
import { isPromise } from "./is-promise.ts";
import type { CallErrorReporter } from "./report-call-error.ts";

/** Who sent an event, now or soon. The promise rejects with the `CallError` that the caller is told. */
export type Sender = Promise<Identity | null> | Identity | null;

/** Says who sent an event about a request. Never throws. */
export type Identify = (request: CallRequested, event: CallerEvent) => Sender;

/**
 * The way a call handler finds out who sends.
 *
 * @throws OperationsError `INVALID_ARGUMENT`
 */
export function identifyBy(
  { identityOf, trustIdentity }: Pick<CallHandlerOptions, "identityOf" | "trustIdentity">,
  report: CallErrorReporter,
): Identify {
  if (identityOf === undefined) {
    return trustIdentity === true ? ({ identity }) => identity ?? null : () => null;
  }
  if (trustIdentity === true) {
    throw new OperationsError(
      "INVALID_ARGUMENT",
      "identityOf and trustIdentity contradict each other",
      { hint: "Give identityOf alone where callers are not all your own code" },
    );
  }
  const refusal = (error: unknown): CallError => {
    if (error instanceof CallError) return error;
    report(error, "identityOf");
    return new CallError("ACCESS_DENIED", "the caller could not be identified", {
      details: { reason: "unidentified" },
    });
  };
  return (_request, event) => {
    try {
      const identity = identityOf(event);
      if (!isPromise(identity)) return identity;
      return handled(
        Promise.resolve(identity).catch((error: unknown) => Promise.reject(refusal(error))),
      );
    } catch (error) {
      return handled(Promise.reject(refusal(error)));
    }
  };
}

/** Whether two are the same. Who cannot be identified is the same as nobody. */
export async function sameSender(one: Sender, other: Sender): Promise<boolean> {
  try {
    const [first, second] = await Promise.all([one, other]);
    return first?.id === second?.id;
  } catch {
    return false;
  }
}

/** Keeps a promise that may be looked at later, or never, from counting as an unhandled rejection. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
