import { type EnvelopeEvent, type EventEnvelope, isEventEnvelope, topicOf } from "@alkdev/pubsub";

/** The event of an envelope; its type is the topic. */
export function eventOf(envelope: EventEnvelope): EnvelopeEvent {
  return new CustomEvent(topicOf(envelope.type, envelope.id), { detail: envelope });
}

/**
 * The event of a payload that came on `channel`. What is not an envelope, from programs that notify
 * without `@alkdev/pubsub`, is passed on as it is, under the name of its channel.
 */
export function eventOn(channel: string, payload: unknown): EnvelopeEvent {
  if (isEventEnvelope(payload)) return eventOf(payload);
  return new CustomEvent(channel, { detail: payload as EventEnvelope });
}
