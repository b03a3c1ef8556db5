import type { StreamEvent } from "@alkdev/honker";
import { Type } from "@sinclair/typebox";
import type { HubOperation } from "../core/hub-options.ts";
import { atomicMutation, query } from "./define-operation.ts";
import { engineOf } from "./engine-of.ts";
import { fitting } from "./fitting.ts";
import {
  Count,
  Cursor,
  closed,
  given,
  Json,
  limit,
  Name,
  nullable,
  page,
  pageOf,
  textMap,
} from "./schemas.ts";
import {
  ConsumerSchema,
  EventSchema,
  type EventView,
  eventOf,
  requireWritable,
  StreamSchema,
  streamOf,
} from "./stream-schemas.ts";

/** Events that a list counts per stream, and per consumer: then it says that many. */
const COUNTED = 1_000;
const COUNTED_LAG = 10_000;

/** Durable streams of a file and the events in them. */
export const streamOperations: readonly HubOperation[] = [
  query(
    {
      id: "streams.list",
      description: `Lists the durable streams, with their first and last offset and how many events are kept. Counts end at ${COUNTED}: that many or more.`,
      input: closed({ limit: limit(500, 100), cursor: Cursor }),
      output: page(StreamSchema),
      scope: "streams:read",
    },
    ({ limit: most = 100, cursor }, context) => {
      const db = engineOf(context);
      const names = pageOf(db.streams(), (name) => name, { limit: most, cursor });
      const items = names.items.map((name) => streamOf(db.stream(name).info({ countTo: COUNTED })));
      return { items, cursor: names.cursor };
    },
  ),
  query(
    {
      id: "streams.consumers",
      description: `Lists the consumers of a stream, the offset each has saved and how many events are left for it. Counts end at ${COUNTED_LAG}: that many or more.`,
      input: closed({ stream: Name, limit: limit(500, 100), cursor: Cursor }),
      output: page(ConsumerSchema),
      scope: "streams:read",
    },
    ({ stream, limit: most = 100, cursor }, context) => {
      const consumers = engineOf(context).stream(stream).consumers({ countTo: COUNTED_LAG });
      return pageOf(consumers, ({ consumer }) => consumer, { limit: most, cursor });
    },
  ),
  query(
    {
      id: "streams.read",
      description:
        "Reads events of a stream, oldest first, after an offset. Pass `next` as `after` to go on; it is null at the end of the stream.",
      input: closed({
        stream: Name,
        after: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
        limit: limit(500, 100),
      }),
      output: closed({ items: Type.Array(EventSchema), next: nullable(Count) }),
      scope: "streams:read",
      record: "names",
    },
    ({ stream, after = 0, limit: most = 100 }, context) => {
      const events = engineOf(context).stream(stream).replay({ from: after });
      const { items, more } = fitting(views(events), most);
      return { items, next: more ? (items.at(-1)?.offset ?? null) : null };
    },
  ),
  atomicMutation(
    {
      id: "streams.publish",
      description:
        "Appends an event to a durable stream and returns its offset. `messageId` makes a repetition within two minutes the same event.",
      input: closed({
        stream: Name,
        payload: Json,
        key: Type.Optional(Name),
        subject: Type.Optional(Name),
        headers: Type.Optional(textMap()),
        messageId: Type.Optional(Name),
      }),
      output: closed({ offset: Count }),
      scope: "streams:write",
      errors: ["INVALID_ARGUMENT", "INVALID_PAYLOAD", "READ_ONLY"],
    },
    ({ stream, payload, ...input }, context) => {
      requireWritable(stream);
      return { offset: engineOf(context).stream(stream).publish(payload, given(input)) };
    },
  ),
];

function* views(events: Iterable<StreamEvent>): Generator<EventView> {
  for (const event of events) yield eventOf(event);
}
