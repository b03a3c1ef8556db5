import { Value } from "@sinclair/typebox/value";
import { Scope } from "../../graphs/modules/shared-types.ts";
import { keyProblem } from "../graph-store/check-row.ts";
import { findNonJson, isPlain } from "../graph-store/json-value.ts";
import type { JsonObject } from "../tables/common.ts";

/** An event of the stream `call-protocol` as the projection reads it. */
export type CallEvent = RequestedEvent | OutcomeEvent;

/** Where an event stands in the stream. */
interface Placed {
  readonly requestId: string;
  readonly offset: number;
  /** Milliseconds since 1970 at which it was published. */
  readonly atMs: number;
  /** Its row, kept where the call is not known yet. */
  readonly row: CallEventRow;
}

/** A call begins. */
export interface RequestedEvent extends Placed {
  readonly type: "call.requested";
  readonly operationId: string;
  /** What goes into the node as it is: input, identity, parentRequestId. */
  readonly attributes: JsonObject;
  /** Names of what was too large to keep. */
  readonly leftOut: readonly string[];
  readonly parent: string | null;
  readonly dependsOn: readonly string[];
  /** Whether the request itself says that it expects a sequence of answers; null: it does not say. */
  readonly many: boolean | null;
}

/** What became of a call. */
export interface OutcomeEvent extends Placed {
  readonly type: "call.responded" | "call.completed" | "call.aborted" | "call.error";
  /** What goes into the node as it is: output, error. */
  readonly attributes: JsonObject;
  readonly leftOut: readonly string[];
  /** Place among the answers of a subscription, from 1; null where the event does not say. */
  readonly sequence: number | null;
}

/** A row of the stream. */
export interface CallEventRow {
  readonly offset: number;
  readonly atMs: number;
  readonly text: string;
  /** Whether the row's payload was over the limit, so that `text` lacks what made it large. */
  readonly trimmed: boolean;
}

/** What of a payload can be large, and is left out where it is; as in `READ` of `call-stream.ts`. */
const LARGE = ["input", "output", "details"] as const;
const OUTCOMES: readonly string[] = [
  "call.responded",
  "call.completed",
  "call.aborted",
  "call.error",
];
const LONGEST_MESSAGE = 4_096;
const MOST_DEPENDENCIES = 1_000;
const MOST_SCOPES = 1_000;

/**
 * Reads an event. Properties that are not known are passed over, so that what a newer protocol adds does
 * not stop an older projection; of those that are known only what fits the node's schema is taken.
 *
 * @returns null for a kind of event that says nothing about the graph, a text with the reason for one
 * that cannot be read
 */
export function readCallEvent(row: CallEventRow): CallEvent | string | null {
  const payload = parsed(row.text);
  if (!isPlain(payload)) return "is not a JSON object";
  const { type, requestId } = payload;
  if (typeof type !== "string") return "has no type";
  if (type !== "call.requested" && !OUTCOMES.includes(type)) return null;
  const problem = keyProblem(requestId);
  if (problem !== null) return `: requestId ${problem}`;
  const { offset, atMs } = row;
  const placed = { requestId: requestId as string, offset, atMs, row };
  const kept = keptValues(payload);
  const leftOut = LARGE.filter(
    (name) => MAY_HAVE[type] === name && (row.trimmed || kept.leftOut.includes(name)),
  );
  if (type === "call.requested") return requested(payload, { ...placed, kept, leftOut });
  const sequence = Number.isSafeInteger(payload.sequence) ? (payload.sequence as number) : null;
  const outcome = { ...placed, type: type as OutcomeEvent["type"], leftOut, sequence };
  if (type === "call.responded") {
    return {
      ...outcome,
      attributes: "output" in kept.values ? { output: kept.values.output } : {},
    };
  }
  if (type !== "call.error") return { ...outcome, attributes: {}, leftOut: [] };
  const { code, message } = payload;
  const error = {
    code: typeof code === "string" && code !== "" ? code : "UNKNOWN",
    message: typeof message === "string" ? message.slice(0, LONGEST_MESSAGE) : "",
    ...("details" in kept.values ? { details: kept.values.details } : {}),
  };
  return { ...outcome, attributes: { error } };
}

const MAY_HAVE: Readonly<Record<string, (typeof LARGE)[number]>> = {
  "call.requested": "input",
  "call.responded": "output",
  "call.error": "details",
};

interface Kept {
  readonly values: JsonObject;
  readonly leftOut: readonly string[];
}

function requested(
  payload: JsonObject,
  {
    kept,
    leftOut,
    ...placed
  }: Placed & { readonly kept: Kept; readonly leftOut: readonly string[] },
): RequestedEvent | string {
  const { requestId } = placed;
  const { operationId, parentRequestId, metadata, answers } = payload;
  if (typeof operationId !== "string" || operationId === "") return ": operationId is not a text";
  const isOther = (key: unknown): key is string => keyProblem(key) === null && key !== requestId;
  const parent = isOther(parentRequestId) ? parentRequestId : null;
  const named: unknown = isPlain(metadata) ? metadata.dependsOn : undefined;
  const dependsOn = Array.isArray(named) ? [...new Set(named.filter(isOther))] : [];
  const identity = safeIdentity(payload.identity);
  return {
    ...placed,
    type: "call.requested",
    operationId,
    parent,
    dependsOn: dependsOn.slice(0, MOST_DEPENDENCIES),
    many: answers === "many" ? true : answers === "one" ? false : null,
    leftOut,
    attributes: {
      ...(parent === null ? {} : { parentRequestId: parent }),
      ...("input" in kept.values ? { input: kept.values.input } : {}),
      ...(identity === null ? {} : { identity }),
    },
  };
}

/** The values that may be large, without those that are nested deeper than a node may be. */
function keptValues(payload: JsonObject): Kept {
  const values: Record<string, unknown> = {};
  // what whoever published the event left out already
  const leftOut = [...texts(payload.leftOut)];
  for (const name of LARGE) {
    if (!Object.hasOwn(payload, name)) continue;
    if (findNonJson(payload[name], "", 2) === null) values[name] = payload[name];
    else leftOut.push(name);
  }
  return { values, leftOut };
}

/** Id, scopes and resources; whatever else a caller put there, a token for one, is not kept. */
function safeIdentity(value: unknown): JsonObject | null {
  if (!isPlain(value) || typeof value.id !== "string" || value.id === "") return null;
  const scopes = texts(value.scopes).filter((scope) => Value.Check(Scope, scope));
  if (!isPlain(value.resources)) return { id: value.id, scopes };
  const entries = Object.entries(value.resources).slice(0, MOST_SCOPES);
  const resources = Object.fromEntries(
    entries.map(([name, actions]) => [name, texts(actions).filter((action) => action !== "")]),
  );
  return { id: value.id, scopes, resources };
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_SCOPES).filter((item) => typeof item === "string");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
