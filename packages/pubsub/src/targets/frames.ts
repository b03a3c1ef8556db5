import type { EventEnvelope } from "../envelope.ts";
import { isEventEnvelope, RESERVED_PREFIX, topicOf } from "../envelope.ts";
import { PubSubError } from "../errors.ts";
import { encodeJson } from "./json.ts";

/**
 * Control messages are envelopes too, with these types, an empty id and the parameters as payload.
 * - client to server: `__subscribe` {@link SubscribeRequest}, `__unsubscribe` `{ topic }`,
 *   `__ack` `{ topic, offset }`, `__ping` `{ nonce }`
 * - server to client: `__error` {@link ErrorNotice}, `__pong` `{ nonce }`
 * - both ways: `__event` {@link WrappedEvent}, for events that are no plain envelope
 */
export type ControlType =
  | "__subscribe"
  | "__unsubscribe"
  | "__ack"
  | "__ping"
  | "__pong"
  | "__error"
  | "__event";

/** Payload of `__subscribe`. `consumer`, `after` or `from` asks for a durable subscription. */
export interface SubscribeRequest {
  readonly topic: string;
  /** Name under which the server keeps the confirmed offset. */
  readonly consumer?: string;
  /** The last offset the client has; the server goes on behind it. */
  readonly after?: number;
  /** Where a consumer without offset starts. Default `start`. */
  readonly from?: "start" | "now";
  /** Tells a client that reconnects from another one with the same consumer name. */
  readonly session?: string;
}

/** Payload of `__error`: what was wrong with a frame or a subscription. */
export interface ErrorNotice {
  readonly code: string;
  readonly message: string;
  readonly topic?: string;
}

/** Payload of `__event`: a topic and its detail, with the offset if it comes from a durable source. */
export interface WrappedEvent {
  readonly topic: string;
  readonly detail: unknown;
  readonly offset?: number;
}

/** A frame, understood. */
export type Frame =
  | { readonly kind: "event"; readonly event: WrappedEvent }
  | { readonly kind: "control"; readonly type: string; readonly payload: ControlPayload };

/** Parameters of a control message before they are checked. */
export interface ControlPayload {
  readonly topic?: unknown;
  readonly consumer?: unknown;
  readonly after?: unknown;
  readonly from?: unknown;
  readonly session?: unknown;
  readonly offset?: unknown;
  readonly detail?: unknown;
  readonly nonce?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Longest topic a frame may name, in UTF-16 units. */
const MAX_TOPIC = 1_024;

/** Text of an event: the envelope itself, or wrapped when the detail is none or an offset goes along. */
export function encodeEvent(topic: string, detail: unknown, offset?: number): string {
  const plain =
    offset === undefined &&
    isEventEnvelope(detail) &&
    !detail.type.startsWith(RESERVED_PREFIX) &&
    topicOf(detail.type, detail.id) === topic;
  if (plain) return encodeJson(detail, topic);
  const payload: WrappedEvent =
    offset === undefined ? { topic, detail } : { topic, detail, offset };
  return encodeJson(control("__event", payload), topic);
}

/** Text of a control message. */
export function encodeControl(type: ControlType, payload: object): string {
  return JSON.stringify(control(type, payload));
}

/** @throws {@link PubSubError} `MALFORMED_FRAME` */
export function decodeFrame(text: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
  if (!isEventEnvelope(value)) throw malformed("it is not an envelope { type, id, payload }");
  if (!value.type.startsWith(RESERVED_PREFIX)) {
    const topic = requireTopic(topicOf(value.type, value.id));
    return { kind: "event", event: { topic, detail: value } };
  }
  const { payload } = value;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw malformed(`the payload of ${value.type} is not an object`);
  }
  const fields = payload as ControlPayload;
  if (value.type !== "__event") return { kind: "control", type: value.type, payload: fields };
  const { detail, offset } = fields;
  const event = { topic: requireTopic(fields.topic), detail: detail ?? null };
  if (offset === undefined) return { kind: "event", event };
  return { kind: "event", event: { ...event, offset: requireOffset(offset) } };
}

/**
 * Checks the payload of `__subscribe`.
 *
 * @throws {@link PubSubError} `MALFORMED_FRAME`
 */
export function decodeSubscribe(payload: ControlPayload): SubscribeRequest {
  const { consumer, after, from, session } = payload;
  if (from !== undefined && from !== "start" && from !== "now") {
    throw malformed('from must be "start" or "now"');
  }
  return {
    topic: requireTopic(payload.topic),
    ...(consumer !== undefined && { consumer: requireName(consumer, "consumer") }),
    ...(session !== undefined && { session: requireName(session, "session") }),
    ...(after !== undefined && { after: requireOffset(after) }),
    ...(from !== undefined && { from }),
  };
}

/** Whether a subscription asks for offsets. */
export function isDurable({ consumer, after, from }: SubscribeRequest): boolean {
  return consumer !== undefined || after !== undefined || from !== undefined;
}

/** @throws {@link PubSubError} `MALFORMED_FRAME` */
export function requireTopic(value: unknown): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_TOPIC) {
    throw malformed(`a topic must be a text of 1 to ${MAX_TOPIC} characters`);
  }
  if (value.startsWith(RESERVED_PREFIX)) throw malformed(`topic "${value}" is reserved`);
  return value;
}

function requireName(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "" && value.length <= MAX_TOPIC) return value;
  throw malformed(`a ${what} must be a text of 1 to ${MAX_TOPIC} characters`);
}

/** @throws {@link PubSubError} `MALFORMED_FRAME` */
export function requireOffset(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw malformed("an offset must be a whole number of at least 0");
}

/** An error that says a frame was not understood. */
export function malformed(reason: string, cause?: unknown): PubSubError {
  return new PubSubError("MALFORMED_FRAME", `a frame was not understood: ${reason}`, { cause });
}

function control(type: ControlType, payload: object): EventEnvelope {
  return { type, id: "", payload };
}
