import { createPubSub as createYogaPubSub } from "@graphql-yoga/subscription";
import { describe, expectTypeOf, it } from "vitest";
import {
  createInProcessEventTarget,
  createPubSub,
  type EventEnvelope,
  filter,
  groupBy,
  join,
  map,
  pipe,
  type Subscription,
  take,
  toArray,
  window,
} from "../src/index.ts";

interface Events {
  "graph:created": { graphId: string };
  count: number;
  __internal: string;
}

const pubsub = createPubSub<Events>();

describe("types (M19)", () => {
  it("accepts what the map says", () => {
    expectTypeOf(pubsub.publish("count", "", 1)).toEqualTypeOf<void>();
    expectTypeOf(pubsub.subscribe("graph:created", "g")).toEqualTypeOf<
      Subscription<EventEnvelope<"graph:created", { graphId: string }>>
    >();
  });

  it("refuses wrong payloads, unknown types and reserved ones", () => {
    // @ts-expect-error a string is no number
    pubsub.publish("count", "", "1");
    // @ts-expect-error graphId is missing
    pubsub.publish("graph:created", "", {});
    // @ts-expect-error no such type
    pubsub.publish("unknown", "", 1);
    // @ts-expect-error no such type
    pubsub.subscribe("unknown", "");
    // @ts-expect-error reserved, although the map has it
    pubsub.publish("__internal", "", "x");
    // @ts-expect-error reserved, although the map has it
    pubsub.subscribe("__internal", "");
    // @ts-expect-error the id is not optional
    pubsub.subscribe("count");
    // @ts-expect-error envelopes are read-only
    (event: EventEnvelope) => (event.id = "x");
    // @ts-expect-error no such rule
    pubsub.subscribe("count", "", { buffer: { overflow: "explode" } });
  });

  it("carries types through the operators", () => {
    const counts = pubsub.subscribe("count", "");
    expectTypeOf(
      pipe(
        counts,
        map((event) => event.payload),
        filter((n) => n > 1),
        take(2),
        toArray(),
      ),
    ).toEqualTypeOf<Promise<number[]>>();
    const isText = (value: number | string): value is string => typeof value === "string";
    const mixed = map((event: EventEnvelope<"count", number>): number | string => event.payload);
    expectTypeOf(pipe(counts, mixed, filter(isText))).toEqualTypeOf<Subscription<string>>();
    const graphs = pubsub.subscribe("graph:created", "");
    const byId = { left: (a: { id: string }) => a.id, right: (b: { id: string }) => b.id };
    expectTypeOf(pipe(counts, join(graphs, byId))).toExtend<
      AsyncIterable<[{ id: string }, { id: string }]>
    >();
    expectTypeOf(
      pipe(
        counts,
        groupBy((event) => event.id.length),
        map((group) => group.key),
      ),
    ).toEqualTypeOf<Subscription<number>>();
    expectTypeOf(pipe(counts, window({ size: 2 }))).toEqualTypeOf<
      Subscription<EventEnvelope<"count", number>[]>
    >();
    const onText = map((text: string) => text);
    // @ts-expect-error the mapper gets an envelope, not a string
    pipe(counts, onText);
  });

  it("takes a bare EventTarget, and gives graphql-yoga one", () => {
    createPubSub<Events>({ eventTarget: new EventTarget() });
    createYogaPubSub({ eventTarget: createInProcessEventTarget<CustomEvent>() });
  });
});
