import type { CallOutcome } from "@alkdev/operations";
import type { JournaledCall } from "./journaled-call.ts";

/** Bytes of JSON: larger outcomes are not repeated. */
const MOST_BYTES = 1_048_576;
/** Characters, where the details are left out. */
const LONGEST_MESSAGE = 65_536;

/** The call was turned away, or its file could not take it: there is nothing to be remembered. */
const NOT_RUN: ReadonlySet<string> = new Set([
  "OPERATION_NOT_FOUND",
  "WRONG_OPERATION_TYPE",
  "ACCESS_DENIED",
  "VALIDATION_ERROR",
  "OVERLOADED",
  "BUSY",
  "STORAGE_FULL",
]);
/** Nobody knows how far the call came. */
const UNKNOWN_END: ReadonlySet<string> = new Set(["TIMEOUT", "ABORTED", "TRANSPORT_ERROR"]);
/** The handler broke: it may be mended the next time. */
const BROKEN: ReadonlySet<string> = new Set(["EXECUTION_ERROR", "UNKNOWN_ERROR"]);

type Failure = Extract<CallOutcome, { type: "failed" }>;

/** Whether the outcome says that the call did nothing, so that it may be sent again. */
export function didNotRun(outcome: CallOutcome): boolean {
  return outcome.type === "failed" && NOT_RUN.has(outcome.code);
}

/** Whether the outcome leaves open what the call did. */
export function hasUnknownEnd(outcome: CallOutcome): boolean {
  return outcome.type === "aborted" || (outcome.type === "failed" && UNKNOWN_END.has(outcome.code));
}

/** Whether a failure is the operation's own answer, rather than what kept it from giving one. */
export function isAnswer({ code }: Failure): boolean {
  return !NOT_RUN.has(code) && !UNKNOWN_END.has(code) && !BROKEN.has(code);
}

/**
 * JSON of what is remembered of an outcome: all of it, or a failure with the code `OUTCOME_NOT_KEPT`
 * where it is secret or too large.
 *
 * @throws TypeError for an output that JSON cannot hold: a bigint, a cycle
 */
export function keptOutcome({ operationId, record }: JournaledCall, outcome: CallOutcome): string {
  const kept = record === "names" ? withoutSecrets(outcome, operationId) : outcome;
  const text = JSON.stringify(kept);
  if (text.length * 3 <= MOST_BYTES || Buffer.byteLength(text) <= MOST_BYTES) return text;
  if (outcome.type === "failed") return withoutDetails(outcome);
  return JSON.stringify(notKept(operationId, "too large"));
}

/** As {@link keptOutcome}; an output or details that JSON cannot hold are not kept. */
export function keptAsFarAsPossible(call: JournaledCall, outcome: CallOutcome): string {
  try {
    return keptOutcome(call, outcome);
  } catch {
    if (outcome.type === "failed") return withoutDetails(outcome);
    return JSON.stringify(notKept(call.operationId, "not JSON"));
  }
}

/** Of a failure the code is kept: messages quote what they complain of. */
export function withoutSecrets(outcome: CallOutcome, operationId: string): CallOutcome {
  if (outcome.type === "responded") return notKept(operationId, "secret");
  if (outcome.type !== "failed") return outcome;
  const { type, code } = outcome;
  return { type, code, message: `${operationId} failed; why is not kept, as it may be secret` };
}

function withoutDetails({ type, code, message }: Failure): string {
  return JSON.stringify({ type, code, message: message.slice(0, LONGEST_MESSAGE) });
}

function notKept(operationId: string, why: "secret" | "too large" | "not JSON"): Failure {
  return {
    type: "failed",
    code: "OUTCOME_NOT_KEPT",
    message: `${operationId} succeeded; its answer is ${why}, so it is not kept and cannot be given again`,
    details: { operationId, reason: why },
  };
}
