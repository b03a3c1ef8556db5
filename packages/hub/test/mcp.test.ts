import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { post, testHub } from "./hub-fixture.ts";

async function connect(url: string, key: string): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    }),
  );
  onTestFinished(() => client.close());
  return client;
}

describe("the hub as an MCP server (M39, M42)", () => {
  it("offers what a caller may call, and runs it as that caller", async () => {
    const { hub, data } = await testHub({ mcp: {} });
    const owner = await connect(hub.url, data.keys.owner);
    const member = await connect(hub.url, data.keys.member);
    const namesOf = async (client: Client) =>
      (await client.listTools()).tools.map(({ name }) => name);
    expect(await namesOf(owner)).toEqual(expect.arrayContaining(["graphs_create", "graphs_list"]));
    expect(await namesOf(owner)).not.toContain("tenants_create");
    expect(await namesOf(member)).toContain("graphs_list");
    expect(await namesOf(member)).not.toContain("graphs_create");
    const types = await post(hub, "/call/graph_types.list", { key: data.keys.owner });
    const input = { graphTypeId: types.body.data.items[0].id, name: "by a model" };
    const made = await owner.callTool({ name: "graphs_create", arguments: input });
    expect(made.structuredContent).toMatchObject({ name: "by a model" });
    const refused = await member.callTool({ name: "graphs_create", arguments: input });
    expect(refused).toMatchObject({ isError: true });
    expect(JSON.stringify(refused.content)).toContain("ACCESS_DENIED");
  });

  it("takes no session for a key, and is not there unless it is asked for", async () => {
    const { hub, data } = await testHub({ mcp: { offers: ({ type }) => type === "query" } });
    const owner = await connect(hub.url, data.keys.owner);
    expect((await owner.listTools()).tools.map(({ name }) => name)).not.toContain("graphs_create");
    const { sessionId = "" } = owner.transport ?? {};
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const stolen = await fetch(`${hub.url}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-session-id": sessionId,
      },
      body,
    });
    expect(sessionId).not.toBe("");
    expect(stolen.status).toBe(401);
    const { hub: plain } = await testHub();
    expect((await post(plain, "/mcp", { key: data.keys.owner })).status).toBe(404);
  });
});
