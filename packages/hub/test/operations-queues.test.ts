import { describe, expect, it } from "vitest";
import { testCore } from "./operations-fixture.ts";

describe("M42: queues over a hub", () => {
  it("takes jobs, shows them in the order they run, and cancels them", async () => {
    const owner = testCore().as("owner");
    expect(await owner.call("queues.list")).toEqual({ items: [], cursor: null });
    const first = await owner.call("queues.enqueue", { queue: "mail", payload: { to: "ada" } });
    expect(first).toEqual({ id: expect.any(Number), outcome: "created" });
    await owner.call("queues.enqueue", { queue: "mail", payload: null, priority: 5, key: "k" });
    await owner.call("queues.enqueue", { queue: "mail", payload: 1, delaySeconds: 60 });
    const counts = { pending: 3, ready: 2, delayed: 1, running: 0, dead: 0, paused: false };
    expect(await owner.call("queues.stats", { queue: "mail" })).toMatchObject(counts);
    expect((await owner.call("queues.list")).items).toMatchObject([{ queue: "mail", ...counts }]);
    const { items, more } = await owner.call("queues.jobs", { queue: "mail", limit: 2 });
    expect([items.map(({ payload }: never) => payload), more]).toEqual([
      [null, { to: "ada" }],
      true,
    ]);
    expect(items[0]).toMatchObject({ key: "k", runAt: expect.stringMatching(/^\d{4}-.*Z$/) });
    const { id } = first;
    expect(await owner.call("queues.cancel", { queue: "mail", id })).toEqual({ cancelled: true });
    expect(await owner.call("queues.cancel", { queue: "mail", id })).toEqual({ cancelled: false });
    const { job, history } = await owner.call("queues.job", { queue: "mail", id });
    expect([job, history]).toMatchObject([null, [{ outcome: "cancelled", attempt: 0 }]]);
  });

  it("keeps one job of a unique key, and gives one request id one effect", async () => {
    const owner = testCore().as("owner");
    const input = { queue: "q", payload: 1, uniqueKey: "once" };
    const { id } = await owner.call("queues.enqueue", input);
    expect(await owner.call("queues.enqueue", input)).toEqual({ id, outcome: "kept" });
    const again = { queue: "q", payload: 2 };
    const one = await owner.call("queues.enqueue", again, "request-1");
    expect(await owner.call("queues.enqueue", again, "request-1")).toEqual(one);
    expect((await owner.call("queues.stats", { queue: "q" })).pending).toBe(2);
  });

  it("checks the payloads of the hub's own queues, in each realm by its catalog", async () => {
    const { as } = testCore();
    const wrong = { queue: "graph-maintenance", payload: { task: "nonsense" } };
    expect((await as("owner").refused("queues.enqueue", wrong)).code).toBe("INVALID_PAYLOAD");
    const key = { queue: "key-management", payload: 7 };
    expect((await as("root").refused("queues.enqueue", key)).code).toBe("INVALID_PAYLOAD");
    expect((await as("owner").call("queues.enqueue", key)).outcome).toBe("created");
    const outbox = { queue: "_outbox:cross-tenant", payload: { id: "d-1", state: "pending" } };
    expect((await as("owner").refused("queues.enqueue", outbox)).code).toBe("READ_ONLY");
    expect(
      (await as("owner").refused("queues.enqueue", { queue: "constructor", payload: 1 })).code,
    ).toBe("none");
  });

  it("lists dead letters page by page, puts them back and purges them", async () => {
    const { core, as } = testCore();
    const owner = as("owner");
    using tenant = core.tenants.open("acme");
    const queue = tenant.db.$client.queue<number>("q", { maxAttempts: 1 });
    queue.enqueueMany([1, 2, 3]);
    for (const job of queue.claimBatch("w", 3)) job.fail("it broke");
    const first = await owner.call("queues.deadLetters", { queue: "q", limit: 2 });
    expect(first.items).toMatchObject([{ payload: 1, error: "it broke" }, { payload: 2 }]);
    const { cursor } = first;
    const second = await owner.call("queues.deadLetters", { queue: "q", cursor });
    expect([second.items.length, second.cursor]).toEqual([1, null]);
    const [{ id }] = second.items;
    expect(await owner.call("queues.purge", { queue: "q", ids: [id, 99] })).toEqual({ purged: 1 });
    const ids = [first.items[0].id];
    const redrive = { redriven: 1, more: true };
    expect(await owner.call("queues.redrive", { queue: "q", ids })).toEqual(redrive);
    expect(await owner.call("queues.redrive", { queue: "q" })).toEqual({ ...redrive, more: false });
    expect(await owner.call("queues.redrive", { queue: "q" })).toEqual({
      redriven: 0,
      more: false,
    });
    expect(queue.stats()).toMatchObject({ ready: 2, dead: 0 });
  });

  it("answers with part of the dead letters where their payloads are large", async () => {
    const { core, as } = testCore();
    using tenant = core.tenants.open("acme");
    const queue = tenant.db.$client.queue<string>("q", { maxAttempts: 1 });
    queue.enqueueMany(["a", "b", "c"].map((letter) => letter.repeat(400_000)));
    for (const job of queue.claimBatch("w", 3)) job.fail("no");
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const input = { queue: "q", ...(cursor === undefined ? {} : { cursor }) };
      const page = await as("owner").call("queues.deadLetters", input);
      expect(page.items).toHaveLength(1);
      seen.push(page.items[0].payload[0]);
      cursor = page.cursor;
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("pauses and resumes", async () => {
    const { core, as } = testCore();
    using tenant = core.tenants.open("acme");
    const queue = tenant.db.$client.queue("q");
    queue.enqueue(1);
    expect(await as("owner").call("queues.pause", { queue: "q" })).toEqual({ paused: true });
    expect(queue.claimOne("w")).toBeNull();
    expect(await as("owner").call("queues.resume", { queue: "q" })).toEqual({ paused: false });
    expect(queue.claimOne("w")).not.toBeNull();
  });

  it.each([
    ["queues.list", {}],
    ["queues.jobs", { queue: "q" }],
    ["queues.enqueue", { queue: "q", payload: 1 }],
    ["queues.redrive", { queue: "q" }],
    ["queues.pause", { queue: "q" }],
  ])("%s is for owners and admins, and never for other organisations", async (id, input) => {
    const { as } = testCore();
    expect((await as("member").refused(id, input)).code).toBe("ACCESS_DENIED");
    expect((await as("owner").refused(id, input)).code).toBe("none");
    expect((await as("outsider", "globex").call("queues.list")).items).toEqual([]);
    expect(() => as("outsider", "acme")).toThrow("no access");
    expect((await as("owner", null).refused(id, input)).code).toBe("ACCESS_DENIED");
  });

  it.each([
    ["no queue", "queues.jobs", {}],
    ["an empty name", "queues.jobs", { queue: "" }],
    ["a long name", "queues.jobs", { queue: "q".repeat(257) }],
    ["a limit of nothing", "queues.jobs", { queue: "q", limit: 0 }],
    ["a large limit", "queues.jobs", { queue: "q", limit: 201 }],
    ["something else", "queues.jobs", { queue: "q", sql: "1" }],
    ["no payload", "queues.enqueue", { queue: "q" }],
    ["NaN", "queues.enqueue", { queue: "q", payload: 1, priority: Number.NaN }],
    ["2^53", "queues.enqueue", { queue: "q", payload: 1, priority: 2 ** 53 }],
    ["a negative delay", "queues.enqueue", { queue: "q", payload: 1, delaySeconds: -1 }],
    ["too many ids", "queues.purge", { queue: "q", ids: Array.from({ length: 1_001 }, () => 1) }],
    ["no ids", "queues.purge", { queue: "q", ids: [] }],
    ["a cursor of another list", "queues.deadLetters", { queue: "q", cursor: "abc" }],
  ])("refuses %s in %s", async (_, id, input) => {
    expect((await testCore().as("owner").refused(id, input)).code).toBe("VALIDATION_ERROR");
  });
});
