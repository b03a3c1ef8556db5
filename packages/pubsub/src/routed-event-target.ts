import type { EnvelopeEvent, TypedEventListener, TypedEventTarget } from "./event-target.ts";

/**
 * A target that chooses another one by topic: call events to a durable target, the rest to an ephemeral
 * one; a spoke's own topics to its file, the others to its hub. The configuration of a program's events
 * is then one function, and its code knows one target.
 *
 * It holds nothing of its own: close the targets it leads to.
 *
 * @param route names the target of a topic; must give the same one every time
 * @example
 * ```ts
 * const eventTarget = createRoutedEventTarget((topic) =>
 *   topic.startsWith("call.") ? durable : ephemeral,
 * );
 * ```
 */
export function createRoutedEventTarget<TEvent extends Event = EnvelopeEvent>(
  route: (topic: string) => TypedEventTarget<TEvent>,
): TypedEventTarget<TEvent> {
  return {
    addEventListener(
      type: string,
      callback: TypedEventListener<TEvent> | null,
      options?: AddEventListenerOptions | boolean,
    ) {
      route(type).addEventListener(type, callback, options);
    },
    dispatchEvent: (event) => route(event.type).dispatchEvent(event),
    removeEventListener(
      type: string,
      callback: TypedEventListener<TEvent> | null,
      options?: EventListenerOptions | boolean,
    ) {
      route(type).removeEventListener(type, callback, options);
    },
  };
}
