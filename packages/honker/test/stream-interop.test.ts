import { engineModes, tempDatabase } from "@alkdev/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startNativePeer } from "./native-peer.ts";

const runs = Number(process.env.ALKDEV_PROPERTY_RUNS ?? 50);

describe.each(engineModes)("M12: streams beside Honker's native binding $mode", ({ extension }) => {
  it("events and offsets cross both ways", async () => {
    const db = tempDatabase({ extension });
    const stream = db.stream<number>("orders");
    const peer = await startNativePeer(db.path);
    stream.publish(1, { key: "k", subject: "a.b", headers: { h: "v" }, messageId: "m" });
    const live = stream.subscribe("live");
    await live.next();

    const next = live.next();
    expect(await peer.scalar("SELECT honker_stream_publish('orders', 'n', '2')")).toBe(2);
    expect((await next).value).toMatchObject({
      offset: 2,
      key: "n",
      payload: 2,
      subject: null,
      headers: {},
      messageId: null,
    });
    const read = await peer.scalar("SELECT honker_stream_read_since('orders', 0, 10)");
    expect(JSON.parse(String(read))).toMatchObject([
      { offset: 1, topic: "orders", key: "k", payload: "1" },
      { offset: 2, topic: "orders", key: "n", payload: "2" },
    ]);
    expect(await peer.scalar("SELECT honker_stream_save_offset('there', 'orders', 2)")).toBe(1);
    expect(stream.getOffset("there")).toBe(2);
    stream.saveOffset("here", 1);
    expect(await peer.scalar("SELECT honker_stream_get_offset('here', 'orders')")).toBe(1);
  });

  it("an event published there is shared by a group here", async () => {
    const db = tempDatabase({ extension });
    const group = db.stream("orders").group("workers");
    const peer = await startNativePeer(db.path);
    const next = group.join("a").next();
    await peer.scalar("SELECT honker_stream_publish('orders', NULL, '{\"id\":7}')");
    const { value } = await next;
    expect(value?.payload).toEqual({ id: 7 });
    expect(value?.ack()).toBe(true);
  });
});

const command = fc.oneof(
  fc.record({
    kind: fc.constant("publish" as const),
    topic: fc.constantFrom("a", "b"),
    key: fc.option(fc.string()),
    payload: fc.jsonValue(),
  }),
  fc.record({
    kind: fc.constant("save" as const),
    topic: fc.constantFrom("a", "b"),
    consumer: fc.constantFrom("x", "y"),
    offset: fc.nat(8),
  }),
  fc.record({
    kind: fc.constant("read" as const),
    topic: fc.constantFrom("a", "b"),
    offset: fc.nat(8),
    limit: fc.nat(5),
  }),
);

describe("M5: streams do what Honker's SQL functions do", () => {
  it("publish, read and save give the same answers after any commands", () => {
    const ours = tempDatabase({ extension: "require" });
    const theirs = tempDatabase({ extension: "require" });
    let newest = 0;
    let run = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const start = newest;
        run += 1;
        const call = (sql: string, params: (string | number | null)[]) =>
          theirs.rows(`SELECT honker_stream_${sql}`, params)[0]?.[0];
        for (const step of commands) {
          const topic = `${step.topic}${run}`;
          const stream = ours.stream(topic);
          if (step.kind === "publish") {
            const { key, payload } = step;
            newest = stream.publish(payload, { key });
            expect(newest).toBe(call("publish(?, ?, ?)", [topic, key, JSON.stringify(payload)]));
          } else if (step.kind === "save") {
            const offset = Math.min(start + step.offset, newest);
            const saved = stream.saveOffset(step.consumer, offset);
            expect(Number(saved)).toBe(
              call("save_offset(?, ?, ?)", [step.consumer, topic, offset]),
            );
            expect(stream.getOffset(step.consumer)).toBe(
              call("get_offset(?, ?)", [step.consumer, topic]),
            );
          } else {
            const events = stream.readSince(start + step.offset, step.limit);
            const rows = JSON.parse(
              String(call("read_since(?, ?, ?)", [topic, start + step.offset, step.limit])),
            ) as { offset: number; key: string | null; payload: string; topic: string }[];
            expect(
              events.map(({ offset, key, payload, topic }) => ({ offset, key, payload, topic })),
            ).toEqual(
              rows.map(({ offset, key, payload, topic }) => ({
                offset,
                key,
                payload: JSON.parse(payload),
                topic,
              })),
            );
          }
        }
      }),
      { numRuns: runs },
    );
  });
});
