import {
  consumerName,
  createInProcessEventTarget,
  createRoutedEventTarget,
  type LocalEventTarget,
  type TypedEventTarget,
} from "@alkdev/pubsub";
import type { DurableClientOptions, DurableEvent } from "@alkdev/pubsub/websocket-client";
import {
  createCompositeEventTarget,
  createKeptValues,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { HubError } from "../errors.ts";
import { fitsEventPattern, isEventPattern } from "../protocol/event-pattern.ts";

/**
 * Where events go and come from: `hub` to whoever listens at the hub now; `hub-durable` the same, and what the
 * hub keeps is resumed without a gap; `file` to processes that have the spoke's file open; `process` to this
 * one alone.
 */
export type SpokeEventReach = "hub" | "hub-durable" | "file" | "process";

/** Which events go where. */
export interface SpokeEventRoute {
  /** An event type, `session.ended`, or the begin of several: `session.*`; `*` is all. */
  readonly type: string;
  readonly via: SpokeEventReach;
}

/** Everything over the hub, and sessions, which a hub keeps by default, without a gap. */
export const DEFAULT_SPOKE_EVENT_ROUTES: readonly SpokeEventRoute[] = [
  { type: "session.*", via: "hub-durable" },
  { type: "*", via: "hub" },
];

/** Options of the events of a spoke. */
export interface SpokeEventsOptions
  extends Pick<DurableClientOptions, "from" | "maxDeliveries" | "retry"> {
  /** The first that fits counts. Default {@link DEFAULT_SPOKE_EVENT_ROUTES}. */
  readonly routes?: readonly SpokeEventRoute[];
}

/** How far the file of a spoke has dealt with a topic. */
export interface TopicProgress {
  /** The last offset; 0: none. */
  offset(): number;
  /** Moves it, in the open transaction. */
  moveTo(offset: number): void;
}

/** The events of a spoke, by configuration. */
export interface SpokeEvents {
  readonly viaOf: (topic: string) => SpokeEventReach;
  /** How durable topics are resumed. */
  readonly durable: DurableClientOptions;
  /** Says from now on how far the file has dealt with a topic. */
  readonly follow: (topic: string) => TopicProgress;
  /** One target over the hub, the file and this process. */
  targetOver(hub: TypedEventTarget): TypedEventTarget;
  close(): void;
}

/** @throws HubError `INVALID_ARGUMENT`; PubSubError `UNSTABLE_CONSUMER_NAME` for a name made at run time */
export function createSpokeEvents(
  { $client: db }: TenantDatabase,
  options: SpokeEventsOptions & { readonly name: string; readonly onError: ErrorHandler },
): SpokeEvents {
  const { routes = DEFAULT_SPOKE_EVENT_ROUTES, name, onError, ...redelivery } = options;
  requireRoutes(routes);
  const viaOf = (topic: string): SpokeEventReach =>
    routes.find(({ type }) => fitsEventPattern(type, topic))?.via ?? "hub";
  const consumer = consumerName({ role: "spoke", instance: name, purpose: "events" });
  const offsets = createKeptValues(db, "hub-offsets");
  const followed = new Set<string>();
  const failed = db.queue(`_events:hub:${consumer}`);
  const bury = (topic: string, { offset, detail }: DurableEvent, error: unknown): void => {
    const reason = error instanceof Error && error.message !== "" ? error.message : String(error);
    db.transaction(() => {
      failed.offerDead({ topic, offset, event: detail }, { error: reason });
      if (followed.has(topic)) offsets.set(topic, offset);
    });
    onError(error, `event ${offset} of "${topic}", now a dead letter of queue "${failed.name}"`);
  };
  const made = new Map<SpokeEventReach, LocalEventTarget>();
  const localTarget = (via: "file" | "process"): LocalEventTarget => {
    const known = made.get(via);
    if (known !== undefined) return known;
    const target =
      via === "file"
        ? createCompositeEventTarget({ db, mode: "ephemeral", onError })
        : createInProcessEventTarget({ onError });
    made.set(via, target);
    return target;
  };
  return {
    viaOf,
    durable: {
      ...redelivery,
      consumer,
      topics: (topic) => !topic.startsWith("call.") && viaOf(topic) === "hub-durable",
      after: (topic) => (followed.has(topic) ? (offsets.get(topic) as number | null) : null),
      onDeadLetter: bury,
    },
    follow: (topic) => {
      followed.add(topic);
      return {
        offset: () => (offsets.get(topic) as number | null) ?? 0,
        moveTo: (offset) => offsets.set(topic, offset),
      };
    },
    targetOver: (hub) =>
      createRoutedEventTarget((topic) => {
        const via = viaOf(topic);
        return via === "file" || via === "process" ? localTarget(via) : hub;
      }),
    close: () => {
      for (const target of made.values()) target.close();
    },
  };
}

type ErrorHandler = (error: unknown, context: string) => void;

const VIAS: readonly SpokeEventReach[] = ["hub", "hub-durable", "file", "process"];

function requireRoutes(routes: readonly SpokeEventRoute[]): void {
  for (const { type, via } of routes) {
    if (isEventPattern(type) && VIAS.includes(via)) continue;
    throw new HubError(
      "INVALID_ARGUMENT",
      `the event route ${JSON.stringify({ type, via })} is not valid`,
      {
        hint: `A route is { type: "session.*", via: ${VIAS.map((one) => `"${one}"`).join(" | ")} }`,
      },
    );
  }
}
