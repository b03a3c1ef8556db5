import { PubSubError, requireInteger } from "../errors.ts";
import type { PubSubErrorHandler } from "../event-target.ts";
import { isGivenBack, type ListenerFailure, type TopicListeners } from "../topic-listeners.ts";
import { type BackoffOptions, backoffMs, pause } from "./backoff.ts";

/** What a durable target does with an event its listeners fail on. */
export interface RedeliveryOptions {
  /** Times an event is given to a listener that fails on it, in all. Default 5. Then it is a dead letter. */
  readonly maxDeliveries?: number;
  /** Wait between two deliveries of the event, in milliseconds. Default 100, doubling up to 10,000. */
  readonly retry?: BackoffOptions;
}

/** How a delivery ended. */
export type DeliveryOutcome =
  /** Every listener has dealt with it. */
  | { readonly kind: "settled" }
  /** It failed as often as it may; `error` is the last one. */
  | { readonly kind: "dead"; readonly error: unknown; readonly deliveries: number }
  /** The target was closed, or the last listener left meanwhile; the event stays unconfirmed. */
  | { readonly kind: "interrupted" };

/** Who gets the event, and when to give up. */
export interface DeliveryContext {
  readonly listeners: TopicListeners<CustomEvent>;
  readonly target: unknown;
  readonly options: RedeliveryOptions;
  readonly report: PubSubErrorHandler;
  /** Aborts when the target closes. */
  readonly signal: AbortSignal;
  /** Given to the listeners as `offset` of the event. */
  readonly offset?: number;
  /** Called before each wait and each new try, to tell the server that it is still being worked on. */
  readonly onRetry?: () => void;
}

/**
 * Gives an event to the listeners of its topic and waits for them. Those that fail get it again, the
 * others do not; later events wait meanwhile, so the order is kept.
 *
 * @param before deliveries of this event that ended without confirmation, in an earlier life
 */
export async function deliver(
  topic: string,
  detail: unknown,
  context: DeliveryContext,
  before = 0,
): Promise<DeliveryOutcome> {
  const { listeners, target, options, report, signal } = context;
  const { maxDeliveries = 5, retry } = options;
  if (before >= maxDeliveries) {
    const error = new PubSubError(
      "DEAD_LETTER",
      `an event on "${topic}" was delivered ${before} times and never confirmed`,
      { details: { topic, deliveries: before } },
    );
    return { kind: "dead", error, deliveries: before };
  }
  let failures = await listeners.settle(eventOf(topic, detail, context), target);
  for (let deliveries = before + 1; failures.length > 0; deliveries++) {
    const left = failures.filter(hasLeft);
    failures = failures.filter((failure) => !hasLeft(failure));
    for (const failure of failures) report(failure.error, `a listener of "${topic}"`);
    // the last subscription was left before it dealt with the event: somebody else will get it
    if (left.length > 0 && !listeners.has(topic)) return { kind: "interrupted" };
    if (signal.aborted) return { kind: "interrupted" };
    if (failures.length === 0) break;
    if (deliveries >= maxDeliveries) {
      return { kind: "dead", error: failures[0]?.error, deliveries };
    }
    context.onRetry?.();
    await pause(backoffMs(deliveries - 1, retry), signal);
    if (signal.aborted) return { kind: "interrupted" };
    context.onRetry?.();
    failures = await listeners.settle(eventOf(topic, detail, context), target, failures);
  }
  return { kind: "settled" };
}

function eventOf(topic: string, detail: unknown, { offset }: DeliveryContext): CustomEvent {
  const event = new CustomEvent(topic, { detail });
  return offset === undefined ? event : Object.assign(event, { offset });
}

/** Whether it is a subscription that ended, which gives back what it had not read. */
function hasLeft({ registration, error }: ListenerFailure<CustomEvent>): boolean {
  return isGivenBack(error) && !registration.active;
}

/** @throws {@link PubSubError} `INVALID_ARGUMENT` */
export function requireRedelivery({ maxDeliveries = 5, retry }: RedeliveryOptions): void {
  requireInteger(maxDeliveries, "maxDeliveries", 1);
  backoffMs(0, retry);
}
