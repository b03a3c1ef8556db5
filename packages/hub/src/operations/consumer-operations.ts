import type { Sequence, StreamEvent } from "@alkdev/honker";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, subscription } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { Count, closed, given, Name, oneOf } from "./schemas.ts";
import {
  EventSchema,
  type EventView,
  eventOf,
  FILTER,
  filterOf,
  requireOwnConsumer,
} from "./stream-schemas.ts";

const From = Type.Union([Type.Literal("start"), Type.Literal("end"), Type.Integer({ minimum: 0 })]);

/** Following streams, with and without a place that is kept. */
export const consumerOperations: readonly HubOperation[] = [
  subscription(
    {
      id: "streams.tail",
      description:
        "Follows a stream: events after `from` (an offset, `start`, or by default `end`: those to come), only those of a key or a subject pattern if one is given. Nothing is kept: to go on, pass the offset of the last event as `from`.",
      input: closed({ stream: Name, from: Type.Optional(From), ...FILTER }),
      output: EventSchema,
      scope: "streams:read",
      errors: ["INVALID_ARGUMENT"],
      record: "names",
      resumeBy: "from",
    },
    ({ stream, from = "end", ...filter }, context) => {
      const { signal } = context;
      return events(
        engineOf(context)
          .stream(stream)
          .tail({ from, signal, ...filterOf(filter) }),
      );
    },
  ),
  subscription(
    {
      id: "streams.consume",
      description:
        'Follows a stream as a consumer whose place is kept: it goes on after the last event that was acknowledged with `streams.acknowledge`, also after a restart. A new consumer begins at `from`, by default the start. With `acknowledge: "sent"` an event counts as done when the next one is asked for.',
      input: closed({
        stream: Name,
        consumer: Name,
        from: Type.Optional(From),
        acknowledge: Type.Optional(oneOf(["explicit", "sent"])),
        ...FILTER,
      }),
      output: EventSchema,
      scope: "streams:write",
      errors: ["CONSUMER_ACTIVE", "INVALID_ARGUMENT", "READ_ONLY"],
      record: "names",
    },
    ({ stream: name, consumer, from, acknowledge = "explicit", ...filter }, context) => {
      requireOwnConsumer(consumer);
      const stream = engineOf(context).stream(name);
      const isNew = stream.consumers({ countTo: 1 }).every((one) => one.consumer !== consumer);
      return events(
        stream.subscribe(consumer, {
          signal: context.signal,
          ...filterOf(filter),
          ...(isNew ? given({ from }) : {}),
          ...(acknowledge === "explicit" ? { saveEveryN: 0, saveEverySeconds: 0 } : {}),
        }),
      );
    },
  ),
  atomicMutation(
    {
      id: "streams.acknowledge",
      description:
        "Says that a consumer is done with everything up to an offset; never moves back. `moved` is false where it was there or further.",
      input: closed({ stream: Name, consumer: Name, offset: Count }),
      output: closed({ moved: Type.Boolean() }),
      scope: "streams:write",
      errors: ["INVALID_ARGUMENT", "READ_ONLY"],
    },
    ({ stream, consumer, offset }, context) => {
      requireOwnConsumer(consumer);
      return { moved: engineOf(context).stream(stream).saveOffset(consumer, offset) };
    },
  ),
  atomicMutation(
    {
      id: "streams.resetConsumer",
      description:
        "Sets the place of a consumer that does not read now, also back, so that it gets events again or skips some.",
      input: closed({ stream: Name, consumer: Name, offset: Count }),
      output: closed({ offset: Count }),
      scope: "streams:write",
      errors: ["CONSUMER_ACTIVE", "INVALID_ARGUMENT", "READ_ONLY"],
    },
    ({ stream, consumer, offset }, context) => {
      requireOwnConsumer(consumer);
      engineOf(context).stream(stream).resetOffset(consumer, offset);
      return { offset };
    },
  ),
  atomicMutation(
    {
      id: "streams.deleteConsumer",
      description:
        "Forgets a consumer that does not read now: events are no longer kept for it. `deleted` is false where there was none.",
      input: closed({ stream: Name, consumer: Name }),
      output: closed({ deleted: Type.Boolean() }),
      scope: "streams:write",
      errors: ["CONSUMER_ACTIVE", "READ_ONLY"],
    },
    ({ stream, consumer }, context) => {
      requireOwnConsumer(consumer);
      return { deleted: engineOf(context).stream(stream).deleteConsumer(consumer) };
    },
  ),
];

async function* events(sequence: Sequence<StreamEvent>): AsyncGenerator<EventView> {
  for await (const event of sequence) yield eventOf(event);
}
