import { PubSubError } from "./errors.ts";

/**
 * One event. It is plain JSON, so that it means the same in this process, in another one and in a
 * file. `type` says what happened, `id` to which thing, `payload` is what the type promises.
 */
export interface EventEnvelope<Type extends string = string, Payload = unknown> {
  readonly type: Type;
  readonly id: string;
  readonly payload: Payload;
}

/** The event types of a map that may be published; those starting with `__` are reserved. */
export type EventType<Events extends object> = Exclude<keyof Events & string, `__${string}`>;

/** The envelope of one event type of a map. */
export type EnvelopeOf<Events extends object, Type extends EventType<Events>> = {
  readonly [T in Type]: EventEnvelope<T, Events[T]>;
}[Type];

/** Types with this prefix are control messages of the targets and never reach a listener. */
export const RESERVED_PREFIX = "__";

/** The topic an event travels on: `type:id`. An empty id gives `type:`. */
export function topicOf(type: string, id: string): string {
  return `${type}:${id}`;
}

/**
 * Refuses types that cannot be published.
 *
 * @throws {@link PubSubError} `RESERVED_TYPE`, `INVALID_ARGUMENT`
 */
export function requirePublicType(type: string): void {
  if (typeof type !== "string" || type === "") {
    throw new PubSubError("INVALID_ARGUMENT", "an event type must be a non-empty string");
  }
  if (!type.startsWith(RESERVED_PREFIX)) return;
  throw new PubSubError("RESERVED_TYPE", `event type "${type}" is reserved`, {
    hint: `Types starting with "${RESERVED_PREFIX}" are control messages; choose another name`,
    details: { type },
  });
}

/** Whether a value has the shape of an envelope. The payload may be missing: JSON has no `undefined`. */
export function isEventEnvelope(value: unknown): value is EventEnvelope {
  if (typeof value !== "object" || value === null) return false;
  const { type, id } = value as Partial<EventEnvelope>;
  return typeof type === "string" && typeof id === "string";
}
