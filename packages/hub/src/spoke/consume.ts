import {
  type EnvelopeEvent,
  type EventEnvelope,
  type TypedEventTarget,
  topicOf,
} from "@alkdev/pubsub";
import type { TenantDatabase } from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import type { SpokeEvents } from "./spoke-events.ts";

/** What {@link consume} works with. */
export interface ConsumeParts {
  readonly db: TenantDatabase;
  readonly events: SpokeEvents;
  /** The target over the connection to the hub. */
  readonly hub: TypedEventTarget;
}

/** Writes what an event says to the spoke's file, synchronously. */
export type ApplyEvent<Event extends EventEnvelope = EventEnvelope> = (
  event: Event,
  offset: number,
) => void;

/** Which topic, and what to do with its events. */
export interface Consumption {
  readonly type: string;
  readonly id: string;
  readonly apply: ApplyEvent;
}

/**
 * Applies the events of a durable topic, each exactly once: what `apply` writes and how far the topic was
 * dealt with are one commit. Returns a function that ends it.
 *
 * @throws HubError `INVALID_ARGUMENT` for a topic that is not `hub-durable`
 */
export function consume(
  { db, events, hub }: ConsumeParts,
  { type, id, apply }: Consumption,
): () => void {
  const topic = topicOf(type, id);
  if (events.viaOf(topic) !== "hub-durable") {
    throw new HubError("INVALID_ARGUMENT", `events on "${topic}" are not durable`, {
      hint: 'Give their type a route with via: "hub-durable"',
      details: { topic, via: events.viaOf(topic) },
    });
  }
  const progress = events.follow(topic);
  const listener = (event: EnvelopeEvent): void => {
    const { offset } = event as EnvelopeEvent & { readonly offset: number };
    db.transaction(() => {
      if (offset <= progress.offset()) return;
      refusePromise(apply(event.detail, offset), topic);
      progress.moveTo(offset);
    });
  };
  hub.addEventListener(topic, listener);
  return () => hub.removeEventListener(topic, listener);
}

function refusePromise(result: unknown, topic: string): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => undefined);
  throw new HubError("INVALID_ARGUMENT", `what consumes "${topic}" returned a promise`, {
    hint: "Write in one go; for what takes its time, subscribe to spoke.events",
  });
}
