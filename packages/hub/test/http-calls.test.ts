import { describe, expect, it } from "vitest";
import { post, testHub } from "./hub-fixture.ts";

describe("calls by HTTP (M42)", () => {
  it("reads and writes the tenant's tables as the caller may", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const types = await post(hub, "/call/graph_types.list", { key: keys.owner });
    const graphTypeId = types.body.data.items[0].id;
    const created = await post(hub, "/call/graphs.create", {
      key: keys.owner,
      input: { graphTypeId, name: "plans" },
    });
    expect(created).toMatchObject({ status: 200, body: { data: { name: "plans" } } });
    const listed = await post(hub, "/call/graphs.list", { key: keys.member });
    expect(listed).toMatchObject({
      status: 200,
      body: {
        data: { items: expect.arrayContaining([expect.objectContaining({ name: "plans" })]) },
      },
    });
    const refused = await post(hub, "/call/graphs.create", {
      key: keys.member,
      input: { graphTypeId, name: "mine" },
    });
    expect(refused).toMatchObject({ status: 403, body: { error: { code: "ACCESS_DENIED" } } });
  });
});
