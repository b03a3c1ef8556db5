import {
  type AnyOperation,
  CallError,
  type CallOutcome,
  isResponseEnvelope,
  localEnvelope,
  mapError,
  type OperationContext,
  type OperationSpec,
  operationId,
  type ResponseEnvelope,
} from "@alkdev/operations";
import type { CallJournal, JournaledCall } from "@alkdev/storage/sqlite";
import { answered } from "./answered.ts";
import type { HubOperation } from "./hub-operation.ts";

type Handler = (input: unknown, context: OperationContext) => unknown;

/** Options of {@link journaled}. */
export interface JournaledOptions {
  /** The journal of the file that a call runs in. */
  readonly journalOf: (context: OperationContext) => CallJournal;
  /**
   * `elsewhere`: the operation is another's, who knows the calls it has run, so a call that comes again
   * goes there again. Default `here`.
   */
  readonly remembered?: "here" | "elsewhere";
}

/** A call that is about to run. */
interface Run {
  readonly journal: CallJournal;
  readonly call: JournaledCall;
  readonly work: () => unknown;
}

/** The operation, its calls written to the journal of the file it is called in. */
export function journaled(one: HubOperation, options: JournaledOptions): AnyOperation {
  const { operation, atomic, repeatable } = one;
  const { journalOf, remembered = "here" } = options;
  const handler = operation.handler as Handler;
  const run = (input: unknown, context: OperationContext): Run => ({
    journal: journalOf(context),
    call: journaledCall(context, { spec: operation, input, record: one.record ?? "full" }),
    work: () => handler(input, context),
  });
  const wrapped: Handler = (input, context) => {
    const started = run(input, context);
    switch (operation.type) {
      case "query":
        return noteOne(started);
      case "subscription":
        return noteMany(started);
      case "mutation":
        if (remembered === "elsewhere") return noteOne(started);
        return answered<unknown>(() =>
          atomic === true
            ? started.journal.runAtomic(started.call, started.work)
            : runOnce(started, repeatable === true),
        );
    }
  };
  return { ...operation, handler: wrapped as AnyOperation["handler"] };
}

/** What the journal is told of a call. */
export function journaledCall(
  context: Pick<
    OperationContext,
    "requestId" | "identity" | "parentRequestId" | "deadline" | "metadata"
  >,
  of: { readonly spec: OperationSpec; readonly input: unknown; readonly record: "full" | "names" },
): JournaledCall {
  const { requestId, identity, parentRequestId, deadline, metadata } = context;
  const { spec, input, record } = of;
  return {
    requestId,
    operationId: operationId(spec),
    input,
    metadata,
    record,
    ...(identity === undefined ? {} : { identity }),
    ...(parentRequestId === undefined ? {} : { parentRequestId }),
    ...(deadline === undefined ? {} : { deadline }),
    ...(spec.type === "subscription" ? { answers: "many" as const } : {}),
    ...(spec.errorSchemas === undefined ? {} : { errorSchemas: spec.errorSchemas }),
  };
}

/** Written down when it is over. */
function noteOne({ journal, call, work }: Run): unknown {
  journal.note(call, "requested");
  const succeeded = (output: unknown): ResponseEnvelope => {
    const envelope = envelopeOf(call, output);
    journal.note(call, { type: "responded", output: envelope });
    return envelope;
  };
  const failed = (error: unknown): never => {
    journal.note(call, failureOf(call, error));
    throw error;
  };
  try {
    const output = work();
    return output instanceof Promise ? output.then(succeeded, failed) : succeeded(output);
  } catch (error) {
    return failed(error);
  }
}

/** At most once for a request id; `repeatable`: again where nobody knows how far it came. */
async function runOnce({ journal, call, work }: Run, repeatable: boolean): Promise<unknown> {
  const claim = journal.begin(call);
  const isNew = claim === "new" || (repeatable && claim !== "running" && journal.takeOver(call));
  if (!isNew) return outcomeOf(call, claim as Exclude<typeof claim, "new">);
  try {
    const output = envelopeOf(call, await work());
    journal.finish(call, { type: "responded", output });
    return output;
  } catch (error) {
    journal.finish(call, failureOf(call, error));
    throw error;
  }
}

async function* noteMany({ journal, call, work }: Run): AsyncGenerator<unknown> {
  journal.note(call, "requested");
  let end: CallOutcome = { type: "aborted" };
  try {
    for await (const output of work() as AsyncIterable<unknown>) {
      const envelope = envelopeOf(call, output);
      journal.note(call, { type: "responded", output: envelope });
      yield envelope;
    }
    end = { type: "completed" };
  } catch (error) {
    end = failureOf(call, error);
    throw error;
  } finally {
    journal.note(call, end);
  }
}

/** How a call that is not run again ended. @throws CallError */
function outcomeOf(
  { requestId, operationId: id }: JournaledCall,
  claim: "running" | { readonly interrupted: true } | CallOutcome,
): ResponseEnvelope {
  if (claim === "running") {
    throw new CallError("CALL_RUNNING", `call ${requestId} of ${id} runs already`, {
      details: { requestId },
    });
  }
  if ("interrupted" in claim || claim.type === "aborted" || claim.type === "completed") {
    throw new CallError(
      "CALL_INTERRUPTED",
      `call ${requestId} of ${id} was interrupted; nobody knows how far it came, so it is not run again`,
      { details: { requestId } },
    );
  }
  if (claim.type === "responded") return claim.output;
  throw new CallError(claim.code, claim.message, { details: claim.details });
}

function envelopeOf({ operationId: id }: JournaledCall, output: unknown): ResponseEnvelope {
  if (isResponseEnvelope(output)) return output;
  return localEnvelope(output === undefined ? null : output, id, Date.now());
}

/** The failure as the caller gets it; the registry reports what is no answer. */
function failureOf({ operationId: id, errorSchemas }: JournaledCall, error: unknown): CallOutcome {
  const { code, message, details } = mapError(error, {
    operationId: id,
    errorSchemas,
    report: () => undefined,
  });
  return { type: "failed", code, message, ...(details === undefined ? {} : { details }) };
}
