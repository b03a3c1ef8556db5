import { describe, expect, it } from "vitest";
import { testCore } from "./operations-fixture.ts";

describe("M42: locks over a hub", () => {
  it("are shown, and ended by token", async () => {
    const { core, as } = testCore();
    using tenant = core.tenants.open("acme");
    const lock = tenant.db.$client.tryLock("reindex", "somebody", 30);
    const { items } = await as("owner").call("locks.list");
    const shown = items.find(({ name }: { name: string }) => name === "reindex");
    expect(shown).toEqual({
      name: "reindex",
      owner: "somebody",
      token: lock?.token,
      expiresAt: lock?.expiresAt.toISOString(),
    });
    const { name, token } = shown;
    const release = (wanted: number): Promise<unknown> =>
      as("owner").call("locks.release", { name, token: wanted });
    expect(await release(token + 1)).toEqual({ released: false });
    expect(lock?.held).toBe(true);
    expect(await release(token)).toEqual({ released: true });
    expect(lock?.heartbeat()).toBe(false);
    expect(await release(token)).toEqual({ released: false });
    const { code } = await as("member").refused("locks.list");
    expect(code).toBe("ACCESS_DENIED");
  });
});

describe("M42: schedules over a hub", () => {
  const daily = { name: "report", expression: "0 3 * * *", queue: "reports", payload: { n: 1 } };

  it("are added, paused, resumed, triggered and removed", async () => {
    const { as } = testCore();
    const owner = as("owner");
    const added = await owner.call("schedules.add", { ...daily, timeZone: "Europe/Berlin" });
    expect(added).toMatchObject({ ...daily, timeZone: "Europe/Berlin", enabled: true });
    expect(await owner.call("schedules.list")).toEqual({ items: [added], cursor: null });
    const change = (id: string): Promise<unknown> =>
      owner.call(`schedules.${id}`, { name: "report" });
    expect(await change("pause")).toEqual({ changed: true });
    expect(await change("pause")).toEqual({ changed: false });
    const { jobId } = (await change("trigger")) as { jobId: number };
    const { items } = await owner.call("queues.jobs", { queue: "reports" });
    expect(items).toMatchObject([{ id: jobId, payload: { n: 1 } }]);
    expect(await change("resume")).toEqual({ changed: true });
    expect(await change("remove")).toEqual({ changed: true });
    expect(await change("remove")).toEqual({ changed: false });
    expect((await owner.refused("schedules.trigger", { name: "report" })).code).toBe("NOT_FOUND");
  });

  it("are triggered once for a request that is sent again", async () => {
    const owner = testCore().as("owner");
    await owner.call("schedules.add", daily);
    const first = await owner.call("schedules.trigger", { name: "report" }, "r-1");
    expect(await owner.call("schedules.trigger", { name: "report" }, "r-1")).toEqual(first);
    expect((await owner.call("queues.stats", { queue: "reports" })).pending).toBe(1);
  });

  it.each([
    ["no cron expression", { expression: "every day" }],
    ["an unknown zone", { timeZone: "Mars/Olympus" }],
  ])("refuses %s, saying what is wrong", async (_, wrong) => {
    const { as, errors } = testCore();
    const { code } = await as("owner").refused("schedules.add", { ...daily, ...wrong });
    expect(code).toBe("INVALID_ARGUMENT");
    expect((await as("owner").call("schedules.list")).items).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("of the system are the system's own", async () => {
    const { as } = testCore();
    await as("root").call("schedules.add", daily);
    expect((await as("owner").call("schedules.list")).items).toEqual([]);
    expect((await as("root").call("schedules.list")).items).toMatchObject([daily]);
    expect((await as("member").refused("schedules.add", daily)).code).toBe("ACCESS_DENIED");
  });
});
