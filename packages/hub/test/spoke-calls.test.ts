import { describe, expect, it } from "vitest";
import { post, testHub } from "./hub-fixture.ts";
import { cutConnections, demo, testClient, testSpoke } from "./spoke-fixture.ts";

describe("a spoke serves and calls (M43)", () => {
  it("serves members of its organisation over HTTP and WebSocket, with their identity", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const { spoke } = testSpoke(hub, {
      key: keys.owner,
      operations: () => [demo("who", (input, { identity }) => ({ input, by: identity?.id }))],
    });
    await spoke.ready();
    expect(spoke.state).toBe("ready");
    const answer = await post(hub, "/call/demo.who", { key: keys.member, input: { a: 1 } });
    expect(answer).toMatchObject({ status: 200, body: { data: { input: { a: 1 } } } });
    expect(String(answer.body.data.by)).toContain("member");
    const { client } = testClient(hub, { key: keys.member });
    expect(await client.call("demo.who", null)).toMatchObject({ data: { input: null } });
    const stranger = await post(hub, "/call/demo.who", { key: keys.outsider, input: {} });
    expect(stranger).toMatchObject({
      status: 404,
      body: { error: { code: "OPERATION_NOT_FOUND" } },
    });
  });

  it("calls the hub, and goes on after its connection was cut", async () => {
    const { hub, data } = await testHub();
    const { spoke, states } = testSpoke(hub, { key: data.keys.owner });
    const types = await spoke.call("graph_types.list", {});
    const [{ id: graphTypeId }] = (types.data as { items: [{ id: string }] }).items;
    await spoke.ready();
    const calls = [1, 2, 3, 4, 5].map((n) =>
      spoke.call("graphs.create", { graphTypeId, name: `plan ${n}` }),
    );
    expect(cutConnections(hub)).toBe(1);
    await Promise.all(calls);
    const listed = await spoke.call("graphs.list", {});
    const { items } = listed.data as { items: { name: string }[] };
    const plans = items.map(({ name }) => name).filter((name) => name.startsWith("plan "));
    expect(plans.sort()).toEqual(["plan 1", "plan 2", "plan 3", "plan 4", "plan 5"]);
    await spoke.ready();
    expect(states.filter((state) => state === "ready").length).toBe(2);
  });
});
