import type { ConsumerInfo, StreamEvent, StreamFilter, StreamInfo } from "@alkdev/honker";
import { CallError } from "@alkdev/operations";
import { type TOptional, type TString, type TUnsafe, Type } from "@sinclair/typebox";
import { Count, closed, given, Json, Moment, nullable, textMap } from "./schemas.ts";

/** An event of a stream as it travels. */
export interface EventView
  extends Pick<StreamEvent, "offset" | "key" | "subject" | "headers" | "messageId" | "payload"> {
  /** ISO 8601. */
  readonly publishedAt: string;
}

/** {@link EventView} as a schema. */
export const EventSchema: TUnsafe<EventView> = Type.Unsafe<EventView>(
  closed({
    offset: Count,
    key: nullable(Type.String()),
    subject: nullable(Type.String()),
    headers: textMap(),
    messageId: nullable(Type.String()),
    payload: Json,
    publishedAt: Moment,
  }),
);

/** An event as it travels. */
export function eventOf(event: StreamEvent): EventView {
  const { offset, key, subject, headers, messageId, payload, timestamp } = event;
  const publishedAt = new Date(timestamp).toISOString();
  return { offset, key, subject, headers, messageId, payload, publishedAt };
}

/** A stream and what is kept of it; its times are ISO 8601. */
export interface StreamView extends Pick<StreamInfo, "count" | "firstOffset" | "lastOffset"> {
  readonly stream: string;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
}

/** {@link StreamView} as a schema. */
export const StreamSchema: TUnsafe<StreamView> = Type.Unsafe<StreamView>(
  closed({
    stream: Type.String(),
    count: Count,
    firstOffset: nullable(Count),
    lastOffset: nullable(Count),
    firstAt: nullable(Moment),
    lastAt: nullable(Moment),
  }),
);

/** A stream as it travels. */
export function streamOf(info: StreamInfo): StreamView {
  const { name, count, firstOffset, lastOffset, firstTimestamp, lastTimestamp } = info;
  const moment = (at: number | null): string | null =>
    at === null ? null : new Date(at).toISOString();
  const [firstAt, lastAt] = [moment(firstTimestamp), moment(lastTimestamp)];
  return { stream: name, count, firstOffset, lastOffset, firstAt, lastAt };
}

/** A consumer and how far it is. */
export const ConsumerSchema: TUnsafe<ConsumerInfo> = Type.Unsafe<ConsumerInfo>(
  closed({ consumer: Type.String(), offset: Count, lag: Count }),
);

/** Which events of a stream, as properties of an input. */
export const FILTER: {
  readonly key: TOptional<TString>;
  readonly subject: TOptional<TString>;
} = {
  key: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  subject: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
};

/** The filter that an input names. */
export function filterOf(input: { readonly key?: string; readonly subject?: string }): {
  readonly filter?: StreamFilter;
} {
  const { key, subject } = input;
  if (key === undefined && subject === undefined) return {};
  return { filter: given({ key, subject }) };
}

/** Streams that tell what happened; who could write them could make it up. */
const WRITTEN_BY_THE_HUB: ReadonlySet<string> = new Set(["call-protocol", "audit-events"]);

/** @throws CallError `READ_ONLY` for streams that the hub alone writes */
export function requireWritable(stream: string): void {
  if (!WRITTEN_BY_THE_HUB.has(stream)) return;
  throw new CallError("READ_ONLY", `the stream "${stream}" is written by the hub alone`, {
    details: { stream },
  });
}

/** @throws CallError `READ_ONLY` for the hub's own consumers */
export function requireOwnConsumer(consumer: string): void {
  if (!consumer.startsWith("hub:")) return;
  throw new CallError("READ_ONLY", `the consumer "${consumer}" is the hub's own`, {
    details: { consumer },
  });
}
