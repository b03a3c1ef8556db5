import { HonkerError } from "@alkdev/honker";
import {
  CallError,
  type CallOutcome,
  isResponseEnvelope,
  localEnvelope,
  mapError,
  type ResponseEnvelope,
} from "@alkdev/operations";
import { StorageError } from "../../errors.ts";
import type { LoggedRow } from "./call-log-table.ts";
import { claimOf } from "./claimed-calls.ts";
import { type JournalContext, publishEvent, requireOutside } from "./journal-context.ts";
import { outcomeEvent, requestedEvent } from "./journal-event.ts";
import { type CallKey, callKey, type JournaledCall } from "./journaled-call.ts";
import { didNotRun, isAnswer, keptAsFarAsPossible, keptOutcome } from "./kept-outcome.ts";

/** Failures of the file: what could be written of them would fail as well. */
const OF_THE_FILE: readonly string[] = ["BUSY", "DISK_FULL", "IO_ERROR", "READ_ONLY", "CLOSED"];

/** Runs a call, unless it was run before; see `CallJournal.runAtomic`. */
export function runAtomic(
  context: JournalContext,
  call: JournaledCall,
  work: () => unknown,
): ResponseEnvelope {
  const { client, log, lease, settings } = context;
  const { maxRecordedBytes: maxBytes, now } = settings;
  const key = callKey(call);
  requireOutside(context, "run a call");
  // a look first: a call that is known takes no write lock
  const before = log.find(key);
  if (before !== null) return knownAnswer(context, call, before);
  let thrown: { readonly error: unknown } | undefined;
  try {
    return client.transaction((): ResponseEnvelope => {
      // claimed first: whether the row is still there says whether what the handler wrote is
      if (!log.claim(key, lease.owner, now())) {
        return knownAnswer(context, call, log.find(key) as LoggedRow);
      }
      publishEvent(context, requestedEvent(call, maxBytes));
      let outcome: Extract<CallOutcome, { type: "responded" }>;
      try {
        outcome = { type: "responded", output: envelopeOf(work(), call, now()) };
        const kept = keptOutcome(call, outcome);
        if (!log.answer(key, lease.owner, kept)) throw rolledBack(call);
      } catch (error) {
        thrown = { error };
        throw error;
      }
      publishEvent(context, outcomeEvent(call, outcome, { maxBytes }));
      return outcome.output;
    });
  } catch (error) {
    if (thrown !== undefined) recordFailure(context, { call, key, error: thrown.error });
    throw error;
  }
}

/** @throws CallError as the call failed, or why its answer cannot be given */
function knownAnswer(
  context: JournalContext,
  { operationId, requestId }: JournaledCall,
  known: LoggedRow,
): ResponseEnvelope {
  const claim = claimOf(context, known);
  const details = { operationId, requestId };
  if (claim === "running") {
    throw new CallError("CALL_RUNNING", `${operationId} of this request runs already`, { details });
  }
  if ("interrupted" in claim) {
    const message = `${operationId} of this request was interrupted: nobody knows how far it came`;
    throw new CallError("CALL_INTERRUPTED", message, { details });
  }
  if (claim.type === "responded") return claim.output;
  if (claim.type === "failed") {
    const { code, message, details: why } = claim;
    throw new CallError(code, message, { details: why });
  }
  throw new CallError("ABORTED", `${operationId} of this request was given up`, { details });
}

/** SQLite rolls back by itself when the disk is full, and a handler could say `ROLLBACK`. */
function rolledBack({ operationId }: JournaledCall): StorageError {
  return new StorageError(
    "TRANSACTION_STATE",
    `the transaction of "${operationId}" was rolled back while its handler went on`,
    { hint: "Let failures of the database reach the journal", details: { operationId } },
  );
}

function envelopeOf(
  output: unknown,
  { operationId }: JournaledCall,
  now: number,
): ResponseEnvelope {
  if (isThenable(output)) {
    // its rejection has nobody left to tell: what the handler wrote so far is rolled back
    output.then(undefined, () => undefined);
    throw new StorageError(
      "TRANSACTION_STATE",
      `the handler of "${operationId}" returned a promise; what it wrote was rolled back`,
      { hint: "Use begin and finish for calls that wait", details: { operationId } },
    );
  }
  if (isResponseEnvelope(output)) return output;
  // as the registry does: JSON has no undefined
  return localEnvelope(output === undefined ? null : output, operationId, now);
}

/** What the call wrote is rolled back; its events and, if it is one, its answer are written now. */
function recordFailure(
  context: JournalContext,
  { call, key, error }: { call: JournaledCall; key: CallKey; error: unknown },
): void {
  if (error instanceof HonkerError && OF_THE_FILE.includes(error.code)) return;
  const { client, log, settings } = context;
  const { maxRecordedBytes: maxBytes, now, onError } = settings;
  const { operationId, errorSchemas } = call;
  const mapped = mapError(error, { operationId, errorSchemas, report: () => undefined });
  const { code, message, details } = mapped;
  const outcome = { type: "failed", code, message, details } as const;
  if (didNotRun(outcome) && mapped.cause instanceof HonkerError) return;
  try {
    client.transaction(() => {
      // another process may have run it in between
      if (isAnswer(outcome) && !log.insertEnded(key, keptAsFarAsPossible(call, outcome), now()))
        return;
      publishEvent(context, requestedEvent(call, maxBytes));
      publishEvent(context, outcomeEvent(call, outcome, { maxBytes }));
    });
  } catch (failure) {
    onError(failure, `writing down the failure of request "${call.requestId}"`);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
