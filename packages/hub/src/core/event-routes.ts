import type { Database } from "@alkdev/honker";
import {
  consumerName,
  createInProcessEventTarget,
  createRoutedEventTarget,
  type LocalEventTarget,
  type TypedEventTarget,
} from "@alkdev/pubsub";
import { createCompositeEventTarget } from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import { fitsEventPattern, isEventPattern } from "../protocol/event-pattern.ts";

/**
 * How far an event goes: `durable` is kept in the stream `events` for consumers that resume, `ephemeral`
 * reaches whoever listens now in any process, `local` stays in this process.
 */
export type EventReach = "durable" | "ephemeral" | "local";

/** Which events go how far. */
export interface EventRoute {
  /** An event type, `session.ended`, or the begin of several: `session.*`; `*` is all. */
  readonly type: string;
  readonly reach: EventReach;
}

/** Sessions are kept, everything else is for whoever listens now. */
export const DEFAULT_EVENT_ROUTES: readonly EventRoute[] = [
  { type: "session.*", reach: "durable" },
  { type: "*", reach: "ephemeral" },
];

/** The stream of durable events. */
export const EVENT_STREAM = "events";

/** Options of {@link createRealmEvents}. */
export interface RealmEventsOptions {
  readonly db: Database;
  readonly routes: readonly EventRoute[];
  /** Name of this hub; the same after a restart. */
  readonly hubName: string;
  readonly onError: (error: unknown, context: string) => void;
}

/** The events of one file, by configuration. */
export interface RealmEvents {
  readonly target: TypedEventTarget;
  /** How far the events of a topic go. */
  reachOf(topic: string): EventReach;
  close(): void;
}

/** One target over the file and this process, as the routes say. */
export function createRealmEvents(options: RealmEventsOptions): RealmEvents {
  const { db, routes, hubName, onError } = options;
  const reachOf = reachByTopic(routes);
  const made = new Map<EventReach, LocalEventTarget>();
  const make: Record<EventReach, () => LocalEventTarget> = {
    local: () => createInProcessEventTarget({ onError }),
    ephemeral: () => createCompositeEventTarget({ db, mode: "ephemeral", onError }),
    durable: () =>
      createCompositeEventTarget({
        db,
        mode: "durable",
        streamName: EVENT_STREAM,
        consumerName: consumerName({ role: "hub", instance: hubName, purpose: "events" }),
        onError,
      }),
  };
  const targetOf = (reach: EventReach): LocalEventTarget => {
    const known = made.get(reach);
    if (known !== undefined) return known;
    const target = make[reach]();
    made.set(reach, target);
    return target;
  };
  return {
    target: createRoutedEventTarget((topic) => targetOf(reachOf(topic))),
    reachOf,
    close: () => {
      for (const target of made.values()) target.close();
    },
  };
}

/** Checks routes. @throws HubError `INVALID_ARGUMENT` */
export function requireEventRoutes(routes: readonly EventRoute[]): void {
  for (const { type, reach } of routes) {
    if (!isEventPattern(type) || !["durable", "ephemeral", "local"].includes(reach)) {
      throw new HubError(
        "INVALID_ARGUMENT",
        `the event route ${JSON.stringify({ type, reach })} is not valid`,
        { hint: 'A route is { type: "session.*", reach: "durable" | "ephemeral" | "local" }' },
      );
    }
  }
}

/** The first route that fits counts; without one, events are for whoever listens now. */
function reachByTopic(routes: readonly EventRoute[]): (topic: string) => EventReach {
  return (topic) => routes.find(({ type }) => fitsEventPattern(type, topic))?.reach ?? "ephemeral";
}
