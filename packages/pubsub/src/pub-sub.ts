import type { EnvelopeOf, EventEnvelope, EventType } from "./envelope.ts";
import { isEventEnvelope, requirePublicType, topicOf } from "./envelope.ts";
import { PubSubError } from "./errors.ts";
import type { EnvelopeEvent, PubSubErrorHandler, TypedEventTarget } from "./event-target.ts";
import { createInProcessEventTarget } from "./in-process-event-target.ts";
import { errorReporter } from "./report-error.ts";
import { BufferedSubscription, type BufferOptions, type Subscription } from "./subscription.ts";

/** Options of {@link createPubSub}. */
export interface PubSubOptions {
  /**
   * Where the events go through. Default: a new in-process target. Give another one to reach other
   * processes or machines; the calls stay the same. It is not closed by `close()`: you made it.
   */
  readonly eventTarget?: TypedEventTarget;
  /** Buffer of every subscription that names none. Default 10,000 events, then `error`. */
  readonly buffer?: BufferOptions;
  /**
   * Checks every envelope on the way out and on the way in, by throwing. A refused one is not
   * published, or not delivered. Default: no check; set it when the other side is not your own code.
   */
  readonly validate?: (envelope: EventEnvelope) => void;
  /** Gets why an arriving event was refused. Default: a process warning. */
  readonly onError?: PubSubErrorHandler;
}

/** Options of {@link PubSub.subscribe}. */
export interface SubscribeOptions {
  /** Ends the iteration at once. */
  readonly signal?: AbortSignal;
  /** Buffer of this subscription. Default: that of the pub/sub. */
  readonly buffer?: BufferOptions;
}

/** Typed publish and subscribe over one event target. `Events` maps event types to payload types. */
export interface PubSub<Events extends object> extends Disposable {
  /**
   * Sends an event to the topic `type:id`.
   *
   * @throws {@link PubSubError} `CLOSED`; `RESERVED_TYPE` when the type starts with `__`;
   * `INVALID_PAYLOAD` when `validate` refuses it; and whatever the target refuses
   */
  publish<Type extends EventType<Events>>(type: Type, id: string, payload: Events[Type]): void;

  /**
   * The events of the topic `type:id` from this call on: it listens at once, not at the first
   * `next()`. Ends with `break`, `return()`, the signal or `close()`.
   *
   * @throws {@link PubSubError} `CLOSED`, `RESERVED_TYPE`, `INVALID_ARGUMENT`. The iteration itself
   * throws `BUFFER_OVERFLOW` when it falls too far behind.
   */
  subscribe<Type extends EventType<Events>>(
    type: Type,
    id: string,
    options?: SubscribeOptions,
  ): Subscription<EnvelopeOf<Events, Type>>;

  /** Ends every subscription after what it has buffered; idempotent. Afterwards calls throw `CLOSED`. */
  close(): void;
}

/**
 * Makes a pub/sub.
 *
 * @example
 * ```ts
 * import { createPubSub } from "@alkdev/pubsub";
 *
 * interface Events {
 *   "graph:created": { graphId: string };
 * }
 * const pubsub = createPubSub<Events>();
 * const created = pubsub.subscribe("graph:created", "org-1");
 * pubsub.publish("graph:created", "org-1", { graphId: "g1" });
 * for await (const event of created) {
 *   event.payload.graphId; // "g1"
 *   break;
 * }
 * ```
 */
export function createPubSub<Events extends object>(options: PubSubOptions = {}): PubSub<Events> {
  const report = errorReporter(options.onError);
  const own = createInProcessEventTarget();
  const target: TypedEventTarget = options.eventTarget ?? own;
  const subscriptions = new Set<{ end(): void }>();
  let closed = false;

  const requireOpen = (action: string): void => {
    if (closed) throw new PubSubError("CLOSED", `cannot ${action}: the pub/sub is closed`);
  };

  return {
    publish(type, id, payload) {
      requireOpen(`publish "${type}"`);
      requirePublicType(type);
      requireId(id);
      const detail: EventEnvelope = { type, id, payload };
      if (options.validate !== undefined) check(options.validate, detail);
      target.dispatchEvent(new CustomEvent(topicOf(type, id), { detail }));
    },

    subscribe<Type extends EventType<Events>>(
      type: Type,
      id: string,
      { signal, buffer }: SubscribeOptions = {},
    ) {
      requireOpen(`subscribe to "${type}"`);
      requirePublicType(type);
      requireId(id);
      const topic = topicOf(type, id);
      const end = (): void => {
        target.removeEventListener(topic, onEvent);
        signal?.removeEventListener("abort", abort);
        subscriptions.delete(subscription);
      };
      const subscription = new BufferedSubscription<EnvelopeOf<Events, Type>>(
        { ...options.buffer, ...buffer },
        end,
      );
      const abort = (): void => void subscription.return();
      const onEvent = ({ detail }: EnvelopeEvent): Promise<void> | undefined => {
        const problem = problemOf(detail, options.validate);
        if (problem !== undefined) {
          report(problem, `an event on "${topic}"`);
          return undefined;
        }
        // "a:b" with "c" and "a" with "b:c" share a topic; the envelope tells them apart
        if (detail.type !== type || detail.id !== id) return undefined;
        return subscription.push(detail as EnvelopeOf<Events, Type>);
      };
      if (signal?.aborted) {
        subscription.end();
        return subscription;
      }
      target.addEventListener(topic, onEvent);
      signal?.addEventListener("abort", abort, { once: true });
      subscriptions.add(subscription);
      return subscription;
    },

    close() {
      if (closed) return;
      closed = true;
      for (const subscription of [...subscriptions]) subscription.end();
      own.close();
    },

    [Symbol.dispose]() {
      this.close();
    },
  };
}

function requireId(id: string): void {
  if (typeof id === "string") return;
  throw new PubSubError("INVALID_ARGUMENT", "an event id must be a string; it may be empty");
}

function check(validate: (envelope: EventEnvelope) => void, envelope: EventEnvelope): void {
  try {
    validate(envelope);
  } catch (cause) {
    throw refusal(envelope, cause);
  }
}

function problemOf(
  detail: unknown,
  validate: ((envelope: EventEnvelope) => void) | undefined,
): PubSubError | undefined {
  if (!isEventEnvelope(detail)) {
    return new PubSubError("INVALID_ENVELOPE", "an event that is no envelope was ignored", {
      hint: "Events need { type, id, payload } as their detail; publish them with publish()",
    });
  }
  try {
    validate?.(detail);
  } catch (cause) {
    return refusal(detail, cause);
  }
  return undefined;
}

function refusal({ type, id }: EventEnvelope, cause: unknown): PubSubError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PubSubError("INVALID_PAYLOAD", `the payload of "${topicOf(type, id)}": ${reason}`, {
    cause,
    details: { type, id },
  });
}
