import { open, type StandardSchemaV1, type Stream, type StreamEvent } from "@alkdev/honker";
import { describe, expectTypeOf, it } from "vitest";

declare const schema: StandardSchemaV1<unknown, { id: string }>;

describe("M5: the payload type of a stream", () => {
  const db = open(":memory:");

  it("is unknown, given, or that of the schema", () => {
    expectTypeOf(db.stream("s")).toEqualTypeOf<Stream<unknown>>();
    expectTypeOf(db.stream<number>("s")).toEqualTypeOf<Stream<number>>();
    expectTypeOf(db.stream("s", { schema })).toEqualTypeOf<Stream<{ id: string }>>();
  });

  it("holds when publishing and when reading", () => {
    const stream = db.stream<number>("s");
    expectTypeOf(stream.publish).parameter(0).toEqualTypeOf<number>();
    expectTypeOf(stream.readSince(0, 1)).toEqualTypeOf<StreamEvent<number>[]>();
    expectTypeOf(stream.group("g").fetch("m", 1)[0]?.payload).toEqualTypeOf<number | undefined>();
    // @ts-expect-error another payload
    stream.publish("one");
    // @ts-expect-error headers are strings
    stream.publish(1, { headers: { attempt: 1 } });
    // @ts-expect-error a tail has no saved offset
    stream.tail({ from: "saved" });
  });
});
