import type { OperationAnswers } from "@alkdev/operations";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { testCore } from "./operations-fixture.ts";

/** The next answers of a subscription. */
async function take(answers: OperationAnswers, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  while (taken.length < count) {
    const step = await answers.next();
    if (step.done === true) break;
    taken.push(step.value.data);
  }
  return taken;
}

const payloads = (events: readonly unknown[]): unknown[] =>
  events.map((event) => (event as { payload: unknown }).payload);

describe("M42: streams over a hub", () => {
  it("publishes and reads page by page, and lists what there is", async () => {
    const owner = testCore().as("owner");
    const offsets: number[] = [];
    for (const n of [1, 2, 3]) {
      const event = { stream: "s", payload: { n }, key: "k", subject: "a.b", headers: { h: "1" } };
      offsets.push((await owner.call("streams.publish", event)).offset);
    }
    const page = await owner.call("streams.read", { stream: "s", limit: 2 });
    expect(payloads(page.items)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(page.items[0]).toMatchObject({
      offset: offsets[0],
      key: "k",
      subject: "a.b",
      headers: { h: "1" },
      publishedAt: expect.stringMatching(/Z$/),
    });
    const rest = await owner.call("streams.read", { stream: "s", after: page.next });
    expect([payloads(rest.items), rest.next]).toEqual([[{ n: 3 }], null]);
    expect((await owner.call("streams.read", { stream: "none" })).items).toEqual([]);
    const { items } = await owner.call("streams.list");
    expect(items).toContainEqual({
      stream: "s",
      count: 3,
      firstOffset: offsets[0],
      lastOffset: offsets[2],
      firstAt: expect.any(String),
      lastAt: expect.any(String),
    });
  });

  it("reads a part where events are large", async () => {
    const { core, as } = testCore();
    using tenant = core.tenants.open("acme");
    const offsets = tenant.db.$client
      .stream("s")
      .publishMany(["a", "b", "c"].map((letter) => letter.repeat(400_000)));
    const first = await as("owner").call("streams.read", { stream: "s" });
    expect([first.items.length, first.next]).toEqual([1, offsets[0]]);
  });

  it("publishes a message once, however often it is sent", async () => {
    const owner = testCore().as("owner");
    const event = { stream: "s", payload: 1, messageId: "m-1" };
    const { offset } = await owner.call("streams.publish", event);
    expect(await owner.call("streams.publish", event)).toEqual({ offset });
  });

  it("follows a stream from any offset, and only what is asked for", async () => {
    const { as } = testCore();
    const owner = as("owner");
    const publish = (n: number, key: string): Promise<{ offset: number }> =>
      owner.call("streams.publish", { stream: "s", payload: n, key });
    const { offset } = await publish(1, "a");
    await publish(2, "b");
    const all = as("member").subscribe("streams.tail", { stream: "s", from: "start" });
    const later = as("member").subscribe("streams.tail", { stream: "s", from: offset, key: "b" });
    expect(payloads(await take(all, 2))).toEqual([1, 2]);
    expect(payloads(await take(later, 1))).toEqual([2]);
    const next = [all.next(), later.next()];
    await publish(3, "b");
    const steps = await Promise.all(next);
    expect(payloads(steps.map(({ value }) => value?.data))).toEqual([3, 3]);
    for (const answers of [all, later]) await answers.return();
  });

  it("ends with the signal, and with the tenant", async () => {
    const { core, as } = testCore();
    const stop = new AbortController();
    const tail = as("member").subscribe("streams.tail", { stream: "s" }, stop.signal);
    const waiting = tail.next();
    stop.abort();
    expect((await waiting).done).toBe(true);
    const other = as("member").subscribe("streams.tail", { stream: "s" });
    const ended = other.next().then(
      ({ done }) => done === true,
      () => true,
    );
    await as("root").call("tenants.suspend", { orgId: "acme" });
    expect(await ended).toBe(true);
    await eventually("the runtime is closed", () => core.runtimes.size === 0, 15_000);
  }, 40_000);

  it("keeps the place of a consumer that acknowledges", async () => {
    const owner = testCore().as("owner");
    const offsets: number[] = [];
    for (const payload of [1, 2, 3]) {
      offsets.push((await owner.call("streams.publish", { stream: "s", payload })).offset);
    }
    const consume = { stream: "s", consumer: "c" };
    const first = owner.subscribe("streams.consume", consume);
    expect(payloads(await take(first, 3))).toEqual([1, 2, 3]);
    const active = owner.subscribe("streams.consume", consume);
    await expect(active.next()).rejects.toMatchObject({ code: "CONSUMER_ACTIVE" });
    const offset = offsets[0];
    const acknowledge = { ...consume, offset };
    expect(await owner.call("streams.acknowledge", acknowledge)).toEqual({ moved: true });
    expect(await owner.call("streams.acknowledge", acknowledge)).toEqual({ moved: false });
    await first.return();
    // what was not acknowledged comes again
    const second = owner.subscribe("streams.consume", { ...consume, acknowledge: "sent" });
    expect(payloads(await take(second, 2))).toEqual([2, 3]);
    await second.return();
    const { items } = await owner.call("streams.consumers", { stream: "s" });
    expect(items).toEqual([{ consumer: "c", offset: offsets[1], lag: 1 }]);
    await owner.call("streams.resetConsumer", { ...consume, offset: 0 });
    const third = owner.subscribe("streams.consume", { ...consume, from: "end" });
    expect(payloads(await take(third, 1))).toEqual([1]);
    await third.return();
    expect(await owner.call("streams.deleteConsumer", consume)).toEqual({ deleted: true });
    expect(await owner.call("streams.deleteConsumer", consume)).toEqual({ deleted: false });
    const beyond = { ...consume, offset: 9_999 };
    expect((await owner.refused("streams.acknowledge", beyond)).code).toBe("INVALID_ARGUMENT");
  });

  it("lets nobody write what the hub writes, or move what the hub reads", async () => {
    const { as } = testCore();
    for (const [person, stream] of [
      ["owner", "call-protocol"],
      ["root", "audit-events"],
    ] as const) {
      const event = { stream, payload: {} };
      expect((await as(person).refused("streams.publish", event)).code).toBe("READ_ONLY");
    }
    const hub = { stream: "call-protocol", consumer: "hub:main:calls" };
    for (const id of ["acknowledge", "resetConsumer"]) {
      const { code } = await as("owner").refused(`streams.${id}`, { ...hub, offset: 0 });
      expect(code).toBe("READ_ONLY");
    }
    expect((await as("owner").refused("streams.deleteConsumer", hub)).code).toBe("READ_ONLY");
    const consume = as("owner").subscribe("streams.consume", hub);
    await expect(consume.next()).rejects.toMatchObject({ code: "READ_ONLY" });
  });

  it("lets members read and listen, and not write", async () => {
    const { as } = testCore();
    const member = as("member");
    expect((await member.refused("streams.read", { stream: "s" })).code).toBe("none");
    for (const [id, input] of [
      ["streams.publish", { stream: "s", payload: 1 }],
      ["streams.acknowledge", { stream: "s", consumer: "c", offset: 0 }],
      ["channels.notify", { channel: "c", payload: 1 }],
    ] as const) {
      expect((await member.refused(id, input)).code).toBe("ACCESS_DENIED");
    }
    expect(() => member.subscribe("streams.consume", { stream: "s", consumer: "c" })).toThrow(
      "may not call",
    );
    await as("owner").call("streams.publish", { stream: "s", payload: "secret" });
    const other = await as("outsider", "globex").call("streams.read", { stream: "s" });
    expect(other.items).toEqual([]);
  });
});

describe("M42: notifications over a hub", () => {
  it("reach those who listen now, and no other organisation", async () => {
    const { as } = testCore();
    const here = as("member").subscribe("channels.listen", { channel: "news" });
    const there = as("outsider", "globex").subscribe("channels.listen", { channel: "news" });
    onTestFinished(async () => void (await there.return()));
    const heard = [take(here, 1), take(there, 1)] as const;
    await as("owner").call("channels.notify", { channel: "news", payload: { n: 1 } });
    expect(payloads(await heard[0])).toEqual([{ n: 1 }]);
    await as("outsider", "globex").call("channels.notify", { channel: "news", payload: 2 });
    expect(payloads(await heard[1])).toEqual([2]);
    await here.return();
  });

  it("tell of changes of graphs, and of the system's tenants", async () => {
    const { as } = testCore({ projection: false });
    const created = as("member").subscribe("channels.listen", { channel: "graph:created" });
    const states = as("root").subscribe("channels.listen", { channel: "tenant:state_changed" });
    const heard = [take(created, 1), take(states, 1)] as const;
    const [type] = (await as("owner").call("graph_types.list")).items;
    const graph = { name: "g", graphTypeId: type.id };
    const { id } = await as("owner").call("graphs.create", graph);
    expect(payloads(await heard[0])).toMatchObject([{ graphId: id }]);
    await as("root").call("tenants.suspend", { orgId: "globex" });
    expect(payloads(await heard[1])).toEqual([{ orgId: "globex", state: "suspended" }]);
    for (const answers of [created, states]) await answers.return();
  });
});
