import { join } from "node:path";
import { CallError } from "@alkdev/operations";
import { eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { post, testHub } from "./hub-fixture.ts";
import { connected, cutConnections, demo, testClient, testSpoke } from "./spoke-fixture.ts";

/** A promise that a test settles. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

describe("calls from a hub to a spoke (M43)", () => {
  it("are sent again when the connection is cut, and run once", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const { opened, open } = gate();
    const runs: unknown[] = [];
    const { spoke } = testSpoke(hub, {
      key: keys.owner,
      operations: () => [
        demo("slow", async (input) => {
          runs.push(input);
          await opened;
          return runs.length;
        }),
      ],
    });
    await spoke.ready();
    const answers = [1, 2, 3].map((n) =>
      post(hub, "/call/demo.slow", { key: keys.member, input: n }),
    );
    await eventually("all run", () => runs.length === 3);
    cutConnections(hub);
    await eventually("it noticed", () => spoke.state !== "ready");
    await spoke.ready();
    open();
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 200, body: { data: 3 } });
    }
    expect(runs).toHaveLength(3);
  });

  it("have one effect for one request id, at the same time or later, also for a spoke that starts again", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const { opened, open } = gate();
    const file = join(tempFolder(), "spoke.db");
    let runs = 0;
    const options = {
      key: keys.owner,
      file,
      operations: () => [
        demo("count", async () => {
          runs += 1;
          await opened;
          return runs;
        }),
        demo("luckless", () => {
          runs += 1;
          throw new CallError("NO_LUCK", "not today");
        }),
      ],
    };
    const { spoke } = testSpoke(hub, options);
    await spoke.ready();
    const again = (operation: string) =>
      post(hub, `/call/demo.${operation}`, {
        key: keys.member,
        input: {},
        headers: { "idempotency-key": "the same" },
      });
    const both = [again("count"), again("count")];
    await eventually("it runs", () => runs === 1);
    open();
    for (const answer of await Promise.all(both)) expect(answer.body.data).toBe(1);
    expect((await again("count")).body.data).toBe(1);
    expect((await again("luckless")).body.error.code).toBe("NO_LUCK");
    expect(runs).toBe(2);
    await spoke.close();

    const { spoke: restarted } = testSpoke(hub, options);
    await restarted.ready();
    expect((await again("count")).body.data).toBe(1);
    expect(await again("luckless")).toMatchObject({
      status: 422,
      body: { error: { code: "NO_LUCK", message: "not today" } },
    });
    expect(runs).toBe(2);
  });

  it("wait for a spoke that is away, also when the hub has just started", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const file = join(tempFolder(), "spoke.db");
    const options = { key: keys.owner, file, operations: () => [demo("echo", (input) => input)] };
    const { spoke } = testSpoke(hub, options);
    await spoke.ready();
    await spoke.close();
    const call = (at: typeof hub) => post(at, "/call/demo.echo", { key: keys.member, input: 1 });
    const waiting = call(hub);
    await testSpoke(hub, options).spoke.ready();
    expect(await waiting).toMatchObject({ status: 200, body: { data: 1 } });
    await hub.stop();

    const { hub: next } = await testHub({}, data);
    const early = call(next);
    await testSpoke(next, { ...options, file: join(tempFolder(), "other.db") }).spoke.ready();
    expect(await early).toMatchObject({ status: 200, body: { data: 1 } });
  });

  it("say that the spoke is away when it does not come, and forget it in the end", async () => {
    const limits = { spokeWaitMs: 50, spokeForgetMs: 300 };
    const { hub, data } = await testHub({ limits });
    const { keys } = data;
    const { spoke } = testSpoke(hub, {
      key: keys.owner,
      operations: () => [demo("echo", (input) => input)],
    });
    await spoke.ready();
    await spoke.close();
    const call = () => post(hub, "/call/demo.echo", { key: keys.member, input: 1 });
    expect(await call()).toMatchObject({ status: 503, body: { error: { code: "SPOKE_AWAY" } } });
    await eventually("it is forgotten", async () => (await call()).status === 404);
  });

  it("reach the operations it has now, and no longer those it had", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const file = join(tempFolder(), "spoke.db");
    const serve = (name: string) => ({
      key: keys.owner,
      file,
      operations: () => [demo(name, () => name)],
    });
    const { spoke } = testSpoke(hub, serve("old"));
    await spoke.ready();
    await spoke.close();
    await testSpoke(hub, serve("new")).spoke.ready();
    expect((await post(hub, "/call/demo.new", { key: keys.member, input: 1 })).body.data).toBe(
      "new",
    );
    expect((await post(hub, "/call/demo.old", { key: keys.member, input: 1 })).status).toBe(404);
  });

  it("end where the caller gives up, and the handler hears of it", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const reasons: unknown[] = [];
    const { spoke } = testSpoke(hub, {
      key: keys.owner,
      operations: () => [
        demo("wait", async (_, { signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reasons.push(signal.reason.code);
        }),
      ],
    });
    await spoke.ready();
    const { client } = testClient(hub, { key: keys.member });
    const aborting = new AbortController();
    const call = client.call("demo.wait", 1, { signal: aborting.signal });
    const rejection = expect(call).rejects.toMatchObject({ code: "ABORTED" });
    await eventually("it runs", () => hub.core.running === 1);
    aborting.abort();
    await rejection;
    await eventually("the handler was told", () => reasons.length === 1);
    await expect(client.call("demo.wait", 1, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    await eventually("the handler was told again", () => reasons.length === 2);
  });

  it("with an answer that is too large fail alone: the connection and other calls go on", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const { opened, open } = gate();
    const { spoke, states } = testSpoke(hub, {
      key: keys.owner,
      operations: () => [
        demo("large", () => "ü".repeat(600_000), { type: "query" }),
        demo("slow", () => opened.then(() => "done")),
      ],
    });
    await spoke.ready();
    const slow = post(hub, "/call/demo.slow", { key: keys.member, input: 1 });
    const large = await post(hub, "/call/demo.large", { key: keys.member, input: 1 });
    expect(large.body.error.code).toBe("EXECUTION_ERROR");
    open();
    expect((await slow).body.data).toBe("done");
    expect(states).toEqual(["open", "ready"]);
    const { client } = testClient(hub, { key: keys.member });
    await expect(client.call("demo.slow", "x".repeat(2_000_000))).rejects.toMatchObject({
      code: "TRANSPORT_ERROR",
    });
  });

  it("are not made to a spoke of another organisation, nor shown to it", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const operations = () => [demo("here", () => 1)];
    await testSpoke(hub, { key: keys.owner, operations }).spoke.ready();
    const other = { key: keys.outsider, org: "globex", operations };
    await testSpoke(hub, other).spoke.ready(); // of the same name, with the same operation
    const { client } = testClient(hub, { key: keys.outsider, org: "globex" });
    expect(await client.call("spokes.list", {})).toMatchObject({
      data: { items: [{ name: "north", operations: ["demo.here"] }] },
    });
    await connected(hub, "north");
    expect((await client.call("demo.here", 1)).data).toBe(1);
  });
});
