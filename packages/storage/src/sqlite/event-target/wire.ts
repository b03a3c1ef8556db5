import { type EnvelopeEvent, type EventEnvelope, isEventEnvelope, topicOf } from "@alkdev/pubsub";

/** The event of an envelope; its type is the topic. */
function eventOf(envelope: EventEnvelope): EnvelopeEvent {
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

/** A detail that is no envelope, with the topic that it cannot tell itself. */
interface BareDetail {
  readonly topic: string;
  readonly detail: unknown;
}

/** What an event that nobody could deal with is kept as: its envelope, or its detail and topic. */
export type FailedEvent = EventEnvelope | BareDetail;

/** An event as a {@link FailedEvent}. */
export function failedEvent({ type, detail }: EnvelopeEvent): FailedEvent {
  return isEventEnvelope(detail) ? detail : { topic: type, detail };
}

/** The event that was kept. */
export function keptEvent(failed: FailedEvent): EnvelopeEvent {
  return "topic" in failed ? eventOn(failed.topic, failed.detail) : eventOf(failed);
}
