import type { JsonObject } from "../tables/common.ts";
import type { OutcomeEvent, RequestedEvent } from "./call-event.ts";

/** A call's node while events are applied to it. */
export interface CallRecord {
  readonly attributes: JsonObject;
  /** The node's metadata: {@link CallNotes}. */
  readonly notes: CallNotes;
}

/** What a call's node knows beside its attributes. */
export interface CallNotes {
  /** `many`: a subscription, which runs on after an answer. */
  readonly answers: "one" | "many";
  /** Of the answer in `output`, where answers are numbered. */
  readonly sequence?: number;
  /** From request to end; absent while it has not ended. */
  readonly durationMs?: number;
  /** Attributes that were too large to keep. */
  readonly leftOut?: readonly string[];
}

/** The record of a call that was just requested. */
export function newCall(event: RequestedEvent, answers: CallNotes["answers"]): CallRecord {
  const { requestId, operationId, atMs, attributes, leftOut } = event;
  return {
    attributes: {
      requestId,
      operationId,
      status: "pending",
      ...attributes,
      startedAt: isoTime(atMs),
    },
    notes: withLeftOut({ answers }, leftOut),
  };
}

/**
 * The record after an event. The first end counts: what comes after it changes nothing, except that a
 * late answer fills in the output of a call that was reported completed without one. An event that comes
 * twice is the same as once; for answers of a subscription that holds where they are numbered.
 *
 * @returns the same record where nothing changes
 */
export function afterEvent(record: CallRecord, event: OutcomeEvent): CallRecord {
  const { status, output } = record.attributes;
  const many = record.notes.answers === "many";
  const ended = status !== "pending" && status !== "running";
  if (event.type === "call.responded") {
    if (ended) {
      const lateAnswer = status === "completed" && !many && output === undefined;
      return lateAnswer ? withOutput(record, event) : record;
    }
    const { sequence = 0 } = record.notes;
    if (many && event.sequence !== null && event.sequence <= sequence) return record;
    const answered = withOutput(record, event);
    return many ? withStatus(answered, "running") : end(answered, event, "completed");
  }
  return ended ? record : end(record, event, ENDS[event.type]);
}

const ENDS = {
  "call.completed": "completed",
  "call.aborted": "aborted",
  "call.error": "failed",
} as const;

function end(
  { attributes, notes }: CallRecord,
  { type, atMs, attributes: said, leftOut }: OutcomeEvent,
  status: "completed" | "failed" | "aborted",
): CallRecord {
  const { startedAt } = attributes;
  const startedMs = typeof startedAt === "string" ? Date.parse(startedAt) : Number.NaN;
  // an end that was published before its request, or by a clock that was set back
  const durationMs = Number.isNaN(startedMs) ? 0 : Math.max(0, atMs - startedMs);
  const error = type === "call.error" ? said : {};
  return {
    attributes: { ...attributes, ...error, status, completedAt: isoTime(atMs) },
    notes: withLeftOut({ ...notes, durationMs }, type === "call.error" ? leftOut : []),
  };
}

function withOutput({ attributes, notes }: CallRecord, event: OutcomeEvent): CallRecord {
  const { output: _, ...others } = attributes;
  return {
    attributes: { ...others, ...event.attributes },
    notes: withLeftOut(
      event.sequence === null ? notes : { ...notes, sequence: event.sequence },
      event.leftOut,
    ),
  };
}

function withStatus({ attributes, notes }: CallRecord, status: string): CallRecord {
  return { attributes: { ...attributes, status }, notes };
}

function withLeftOut(notes: CallNotes, names: readonly string[]): CallNotes {
  if (names.length === 0) return notes;
  return { ...notes, leftOut: [...new Set([...(notes.leftOut ?? []), ...names])] };
}

/** Times that no `Date` can hold, which only raw SQL could publish, become the last one it can. */
function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), LAST_MS)).toISOString();
}

/** 9999-12-31T23:59:59.999Z: years of five digits are written otherwise. */
const LAST_MS = 253_402_300_799_999;
