import type { ResponseEnvelope } from "../envelope/response-envelope.ts";

/** A call as a log knows it. The same request id from another caller, or for another operation, is another call. */
export interface LoggedCall {
  readonly requestId: string;
  readonly operationId: string;
  /** Id of the identity that calls, `null` for strangers. */
  readonly callerId: string | null;
}

/** How a call ended: plain JSON. */
export type CallOutcome =
  | { readonly type: "responded"; readonly output: ResponseEnvelope }
  /** Of a subscription; its answers are not kept. */
  | { readonly type: "completed" }
  | {
      readonly type: "failed";
      readonly code: string;
      readonly message: string;
      readonly details?: unknown;
    }
  | { readonly type: "aborted" };

/** Whether a call is to be run: it is new, it runs, or it ended so. */
export type CallClaim = "new" | "running" | CallOutcome;

/**
 * Remembers calls by their request id, so that a request that arrives twice is run once. A log in a database
 * makes that hold across restarts and between processes that serve the same route; its claims must expire,
 * since a process that dies never finishes them.
 */
export interface CallLog {
  /** Takes a call, in one step: of two that ask at the same time one gets `new`. */
  claim(call: LoggedCall): CallClaim | Promise<CallClaim>;
  /** Keeps how a claimed call ended. */
  finish(call: LoggedCall, outcome: CallOutcome): void | Promise<void>;
}

/** Options of {@link createMemoryCallLog}. */
export interface MemoryCallLogOptions {
  /** Ended calls that are remembered; the oldest is forgotten first. Default 10,000. */
  readonly maxRemembered?: number;
  /** Milliseconds an ended call is remembered. Default 600,000. */
  readonly rememberMs?: number;
}
