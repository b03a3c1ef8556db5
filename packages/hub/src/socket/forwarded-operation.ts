import {
  type AnyOperation,
  CallError,
  type OperationContext,
  type OperationSpec,
  operationId,
  type RemoteCallOptions,
  type ResponseEnvelope,
} from "@alkdev/operations";
import { pause } from "../protocol/pause.ts";
import type { SpokeLink } from "./spoke-link.ts";

/** How a call ends that the spoke may answer when it comes again: it remembers what it has run. */
const AGAIN: ReadonlySet<string> = new Set(["ABORTED", "CALL_RUNNING"]);
/** Milliseconds between two tries over one connection. */
const AGAIN_MS = 200;

/** An operation of a spoke as the hub serves it: passes calls on, again where the connection breaks. */
export function forwardedOperation(spec: OperationSpec, link: SpokeLink): AnyOperation {
  const id = operationId(spec);
  const handler =
    spec.type === "subscription"
      ? (input: unknown, context: OperationContext) => subscribeTo(link, { id, input, context })
      : (input: unknown, context: OperationContext) => callOn(link, { id, input, context });
  return { ...spec, handler: handler as AnyOperation["handler"] };
}

interface Forwarded {
  readonly id: string;
  readonly input: unknown;
  readonly context: OperationContext;
}

async function callOn(
  link: SpokeLink,
  { id, input, context }: Forwarded,
): Promise<ResponseEnvelope> {
  const { requestId, identity, signal } = context;
  const key = JSON.stringify([requestId, identity?.id ?? null, id]);
  for (;;) {
    const caller = await link.ready(signal);
    try {
      return await link.once(key, () => caller.call(id, input, remoteOptions(context)));
    } catch (error) {
      if (signal.aborted || !(error instanceof CallError) || !AGAIN.has(error.code)) throw error;
    }
    if (link.caller === caller) await pause(AGAIN_MS, signal);
  }
}

async function* subscribeTo(link: SpokeLink, call: Forwarded): AsyncGenerator<unknown> {
  const { id, input, context } = call;
  const caller = await link.ready(context.signal);
  try {
    yield* caller.subscribe(id, input, remoteOptions(context));
  } catch (error) {
    if (link.caller === caller || context.signal.aborted) throw error;
    throw new CallError("TRANSPORT_ERROR", `the spoke went away while it answered ${id}`);
  }
}

function remoteOptions(context: OperationContext): RemoteCallOptions {
  const { requestId, parentRequestId, identity, signal, deadline } = context;
  return {
    requestId,
    signal,
    ...(parentRequestId === undefined ? {} : { parentRequestId }),
    ...(identity === undefined ? {} : { identity }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}
