import type { CallOutcome, Identity } from "@alkdev/operations";
import type { PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import { keyProblem } from "../graph-store/check-row.ts";
import type { JournaledCall } from "./journaled-call.ts";
import { withoutSecrets } from "./kept-outcome.ts";

/** An event of the stream `call-protocol`. */
export type JournalEvent = PayloadOf<typeof tenantCatalog.streams, "call-protocol">;

const LONGEST_MESSAGE = 4_096;

/** The event of a call's beginning. Input over `maxBytes` of JSON is left out, and named in `leftOut`. */
export function requestedEvent(call: JournaledCall, maxBytes: number): JournalEvent {
  const { requestId, operationId, parentRequestId, deadline, answers, identity } = call;
  const dependsOn = requestIds(call.metadata?.dependsOn);
  return {
    type: "call.requested",
    requestId,
    operationId,
    ...recorded("input", call.input, call.record === "names" ? 0 : maxBytes),
    ...(keyProblem(parentRequestId) === null ? { parentRequestId: parentRequestId as string } : {}),
    ...(isMoment(deadline) ? { deadline: Math.ceil(deadline) } : {}),
    ...(identity === undefined || identity === null ? {} : { identity: plainIdentity(identity) }),
    ...(dependsOn.length === 0 ? {} : { metadata: { dependsOn } }),
    ...(answers === undefined ? {} : { answers }),
  };
}

/** The event of an end, or of an answer of a subscription. */
export function outcomeEvent(
  call: JournaledCall,
  outcome: CallOutcome,
  { maxBytes, sequence }: { readonly maxBytes: number; readonly sequence?: number | undefined },
): JournalEvent {
  const { requestId, operationId, record } = call;
  const secret = record === "names";
  const place = sequence === undefined ? {} : { sequence };
  switch (outcome.type) {
    case "responded":
      return {
        type: "call.responded",
        requestId,
        ...recorded("output", outcome.output, secret ? 0 : maxBytes),
        ...place,
      };
    case "failed": {
      const { code, message } = secret
        ? (withoutSecrets(outcome, operationId) as typeof outcome)
        : outcome;
      return {
        type: "call.error",
        requestId,
        code: code === "" ? "UNKNOWN" : code,
        message: message.slice(0, LONGEST_MESSAGE),
        ...recorded("details", outcome.details, secret ? 0 : maxBytes),
        ...place,
      };
    }
    case "completed":
      return { type: "call.completed", requestId, ...place };
    case "aborted":
      return { type: "call.aborted", requestId };
  }
}

const MOST_DEPENDENCIES = 1_000;

function requestIds(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const ids = value.filter((id): id is string => keyProblem(id) === null);
  return ids.slice(0, MOST_DEPENDENCIES);
}

function isMoment(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

type Recorded<Name extends string> =
  | { readonly [Key in Name]?: unknown }
  | { readonly leftOut: Name[] };

/** A copy of a value as JSON has it, which whoever holds the value cannot change any more. */
function recorded<Name extends "input" | "output" | "details">(
  name: Name,
  value: unknown,
  maxBytes: number,
): Recorded<Name> {
  if (value === undefined) return {};
  if (maxBytes === 0) return { leftOut: [name] };
  const text = jsonOf(value);
  if (text === undefined || text.length > maxBytes || Buffer.byteLength(text) > maxBytes) {
    return { leftOut: [name] };
  }
  return { [name]: JSON.parse(text) } as Recorded<Name>;
}

/** Undefined for what JSON cannot hold: a function, a bigint, a cycle. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Nothing else that may be in the object: a token, for one. */
function plainIdentity({ id, scopes, resources }: Identity): {
  id: string;
  scopes: string[];
  resources?: Record<string, string[]>;
} {
  if (resources === undefined) return { id, scopes: [...scopes] };
  const copied: Record<string, string[]> = {};
  for (const [name, actions] of Object.entries(resources)) copied[name] = [...actions];
  return { id, scopes: [...scopes], resources: copied };
}
