import { join } from "node:path";
import { defineOperation } from "@alkdev/operations";
import { createPubSub } from "@alkdev/pubsub";
import { eventually, tempFolder } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import type { Hub } from "../src/index.ts";
import { testHub } from "./hub-fixture.ts";
import {
  type AnyEvents,
  connected,
  cutConnections,
  testClient,
  testSpoke,
} from "./spoke-fixture.ts";

/** The events of an organisation, as the hub's own program sees them. */
function eventsAt({ core }: Hub, orgId = "acme") {
  const lease = core.runtimes.enter(orgId);
  return createPubSub<AnyEvents>({ eventTarget: lease.runtime.services.events.target });
}

const NOTES = "notes";

describe("events of a spoke (M43)", () => {
  it("go where the routes say: to the hub, into the file, or to this process", async () => {
    const { hub, data } = await testHub();
    const routes = [
      { type: "cache.*", via: "file" },
      { type: "tick", via: "process" },
      { type: "*", via: "hub" },
    ] as const;
    const key = data.keys.owner;
    const file = join(tempFolder(), "spoke.db");
    const { spoke } = testSpoke(hub, { key, file, events: { routes } });
    const { client } = testClient(hub, { key });
    await Promise.all([spoke.ready(), client.ready()]);
    const heard: [name: string, payload: unknown][] = [];
    const listen = async (name: string, events: AsyncIterable<{ payload: unknown }>) => {
      for await (const { payload } of events) heard.push([name, payload]);
    };
    for (const type of ["cache.cleared", "tick", "news"]) {
      void listen(`spoke ${type}`, spoke.events.subscribe(type, ""));
      void listen(`client ${type}`, client.events.subscribe(type, ""));
    }
    await client.call("spokes.list", {}); // behind the subscriptions
    await spoke.call("spokes.list", {});
    for (const type of ["cache.cleared", "tick", "news"]) spoke.events.publish(type, "", type);
    await eventually("all that listen have it", () => heard.length === 4);
    expect(heard.map((one) => one[0]).sort()).toEqual([
      "client news",
      "spoke cache.cleared",
      "spoke news",
      "spoke tick",
    ]);
    expect(spoke.db.$client.query("SELECT channel FROM _honker_notifications")).toMatchObject([
      { channel: "cache.cleared:" },
    ]);
  });

  it("that are durable are each applied once, over cut connections, failures and new starts", async () => {
    const { hub, data } = await testHub();
    const file = join(tempFolder(), "spoke.db");
    const published = eventsAt(hub);
    const total = 300;
    let last = 0;
    const start = (failAt: number) => {
      const { spoke } = testSpoke(hub, {
        key: data.keys.owner,
        file,
        events: { retry: { baseMs: 1, maxMs: 2 } },
      });
      const stream = spoke.db.$client.stream(NOTES);
      let failed = false;
      spoke.consume("session.noted", "a", ({ payload }) => {
        stream.publish(payload);
        if (payload === failAt && !failed) {
          failed = true;
          throw new Error("the effect is rolled back");
        }
        last = payload as number;
      });
      return spoke;
    };
    let spoke = start(20);
    for (let n = 1; n <= total; n++) {
      published.publish("session.noted", "a", n);
      published.publish("session.noted", "b", n);
      if (n % 40 === 0) cutConnections(hub);
      if (n % 100 === 0) {
        await eventually("some arrived", () => last > n - 80);
        await spoke.close();
        spoke = start(n + 10);
      }
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually("the last arrived", () => last === total, 15_000);
    const applied = spoke.db.$client.stream(NOTES).readSince(0, 1_000);
    expect(applied.map(({ payload }) => payload)).toEqual(
      Array.from({ length: total }, (_, n) => n + 1),
    );
  });

  it("that are durable go on where a copy of the file stood", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.owner;
    const folder = tempFolder();
    const published = eventsAt(hub);
    const run = async (file: string, until: number) => {
      const { spoke } = testSpoke(hub, { key, file });
      const seen: unknown[] = [];
      spoke.consume("session.noted", "", ({ payload }) => void seen.push(payload));
      await eventually(`${until} arrived`, () => seen.at(-1) === until);
      if (until === 2) await spoke.db.$client.backup(join(folder, "copy.db"));
      await spoke.close();
      return seen;
    };
    for (const n of [1, 2]) published.publish("session.noted", "", n);
    expect(await run(join(folder, "spoke.db"), 2)).toEqual([1, 2]);
    for (const n of [3, 4]) published.publish("session.noted", "", n);
    expect(await run(join(folder, "spoke.db"), 4)).toEqual([3, 4]);
    expect(await run(join(folder, "copy.db"), 4)).toEqual([3, 4]);
  });

  it("are not applied where they are not durable, or take their time", async () => {
    const { hub, data } = await testHub();
    const { spoke, errors } = testSpoke(hub, {
      key: data.keys.owner,
      events: { maxDeliveries: 1 },
    });
    expect(() => spoke.consume("news", "", () => undefined)).toThrow(/not durable/);
    const late = (): unknown => Promise.resolve();
    const stop = spoke.consume("session.noted", "", late);
    await spoke.ready();
    eventsAt(hub).publish("session.noted", "", 1);
    const dead = () => spoke.db.$client.queue("_events:hub:spoke:north:events").dead.list();
    await eventually("it is given up", () => dead().length > 0);
    expect(dead()).toMatchObject([
      {
        payload: { topic: "session.noted:", offset: expect.any(Number), event: { payload: 1 } },
        error: expect.stringContaining("returned a promise"),
      },
    ]);
    expect(String(errors[0])).toContain("returned a promise");
    stop();
  });
});

describe("subscriptions of a spoke (M43)", () => {
  const numbers = defineOperation({
    namespace: "numbers",
    name: "watch",
    version: "1.0.0",
    type: "subscription",
    description: "Numbers behind one.",
    inputSchema: Type.Object({ after: Type.Integer() }),
    outputSchema: Type.Object({ offset: Type.Integer() }),
    accessControl: { requiredScopes: [] },
    handler: async function* ({ after }, { signal }) {
      for (let offset = after + 1; !signal.aborted; offset++) yield { offset };
    },
  });
  const operations = { tenant: [{ operation: numbers }] };

  it("are bridged over a lost connection where the operation can be resumed", async () => {
    const { hub, data } = await testHub({ operations });
    const { client } = testClient(hub, { key: data.keys.member });
    const seen: number[] = [];
    const answers = client.subscribe(numbers, { after: 0 }, { resumeBy: "after", window: 8 });
    for await (const { data: answer } of answers) {
      seen.push(answer.offset);
      if (answer.offset % 50 === 0) cutConnections(hub);
      if (answer.offset === 200) break;
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    await eventually("the hub ends it", () => [...hub.core.runtimes].length >= 1);
  });

  it("end with TRANSPORT_ERROR where it cannot, and quietly by their own signal", async () => {
    const { hub, data } = await testHub({ operations });
    const { client } = testClient(hub, { key: data.keys.member });
    const answers = client.subscribe("numbers.watch", { after: 0 });
    await answers.next();
    cutConnections(hub);
    await expect(
      (async () => {
        for await (const _ of answers);
      })(),
    ).rejects.toMatchObject({ code: "TRANSPORT_ERROR" });
    const aborting = new AbortController();
    const quiet = client.subscribe("numbers.watch", { after: 0 }, { signal: aborting.signal });
    await quiet.next();
    aborting.abort();
    for await (const _ of quiet);
    await expect(client.subscribe("no.such", {}).next()).rejects.toMatchObject({
      code: "OPERATION_NOT_FOUND",
    });
  });

  it("of a spoke reach members through the hub, and end when the spoke goes", async () => {
    const { hub, data } = await testHub();
    const { spoke } = testSpoke(hub, {
      key: data.keys.owner,
      operations: () => [{ operation: numbers }],
    });
    await spoke.ready();
    await connected(hub, "north");
    const { client } = testClient(hub, { key: data.keys.member });
    const answers = client.subscribe(numbers, { after: 5 });
    expect((await answers.next()).value?.data).toEqual({ offset: 6 });
    await spoke.close({ drainMs: 0 });
    await expect(
      (async () => {
        for await (const _ of answers);
      })(),
    ).rejects.toThrow();
  });
});
