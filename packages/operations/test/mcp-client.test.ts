import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, it } from "vitest";
import { isResponseEnvelope } from "../src/index.ts";
import { createMcpServer, operationsFromMcp } from "../src/mcp.ts";
import { ada, code, quietRegistry, until } from "./fixtures.ts";
import { mcpRegistry } from "./mcp-registry.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const call = { identity: ada };

/** A client of a program that serves operations over its standard streams. */
async function mathClient(): Promise<Client> {
  const script = fileURLToPath(new URL("./mcp-stdio-server.ts", import.meta.url));
  const client = new Client({ name: "test", version: "1.0.0" });
  const args = ["--conditions=@alkdev/source", script];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  open.push(() => client.close());
  return client;
}

/** A client of a server in this process, which says and does what a test wants. */
async function clientOf(server: Server): Promise<Client> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: "test", version: "1.0.0" });
  await server.connect(theirs);
  await client.connect(ours);
  open.push(() => client.close());
  return client;
}

/** A server of tools that are as its author likes, two to a page. */
function oddServer(tools: readonly Record<string, unknown>[]): Server {
  const server = new Server({ name: "odd", version: "one" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const from = Number(params?.cursor ?? 0);
    const page = tools.slice(from, from + 2) as Tool[];
    return { tools: page, ...(from + 2 < tools.length ? { nextCursor: String(from + 2) } : {}) };
  });
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
    content: [{ type: "text", text: params.name }],
    ...(params.name === "lies" ? { structuredContent: { a: "no number" } } : {}),
    ...(params.name === "fails" ? { isError: true } : {}),
  }));
  return server;
}

const anything = { type: "object" };

describe("MCP tools as operations (M39)", () => {
  it("are called like any other operation, over a real process", async () => {
    const { operations, skipped } = await operationsFromMcp(await mathClient(), {
      namespace: "remote",
    });
    expect(skipped).toEqual([]);
    const { registry } = quietRegistry();
    registry.registerAll(operations);
    expect(registry.getSpec("remote.math_add")).toMatchObject({
      version: "1.2.3",
      type: "mutation",
      title: "Addition",
      accessControl: { requiredScopes: [] },
    });
    const answer = await registry.execute("remote.math_add", { a: 1, b: 2 }, call);
    expect(answer).toEqual({
      data: { result: 3 },
      meta: {
        source: "mcp",
        isError: false,
        content: [{ type: "text", text: "3" }],
        structuredContent: { result: 3 },
      },
    });
    expect(isResponseEnvelope(answer)).toBe(true);
    await expect(registry.execute("remote.math_add", { a: 1 }, call)).rejects.toThrow(
      code("VALIDATION_ERROR"),
    );
    await expect(registry.execute("remote.math_add", { a: 1, b: 2 })).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
    const failed = await registry.execute("remote.math_fail", { input: 1 }, call);
    expect(failed).toMatchObject({
      data: [{ type: "text", text: "BY_ZERO: nothing divides by 0" }],
      meta: { isError: true, _meta: { "alkdev/error": { code: "BY_ZERO" } } },
    });
  });

  it("abort the handler on the other side, and end at their deadline", async () => {
    const { registry: served, waits } = mcpRegistry();
    const server = createMcpServer({
      registry: served,
      name: "math",
      version: "1.0.0",
      identityOf: () => ada,
    });
    const client = await clientOf(server);
    const { registry } = quietRegistry();
    const { operations } = await operationsFromMcp(client, {
      namespace: "remote",
      timeoutMs: 60_000,
    });
    registry.registerAll(operations);
    const controller = new AbortController();
    const taken = registry.execute("remote.math_wait", {}, { ...call, signal: controller.signal });
    taken.catch(() => undefined);
    await until(() => waits.begun === 1);
    controller.abort();
    await expect(taken).rejects.toThrow(code("ABORTED"));
    await until(() => waits.aborted.length === 1);
    const late = registry.execute("remote.math_wait", {}, { ...call, deadline: Date.now() + 50 });
    await expect(late).rejects.toThrow(code("TIMEOUT"));
    // it did not begin, if the machine was too busy
    await until(() => waits.aborted.length === waits.begun);
    const { begun } = waits;

    const lost = registry.execute("remote.math_wait", {}, call);
    lost.catch(() => undefined);
    await until(() => waits.begun > begun);
    await server.close();
    await expect(lost).rejects.toThrow(code("TRANSPORT_ERROR"));
  });

  it("end at the time the adapter allows", async () => {
    const { registry: served } = mcpRegistry();
    const server = createMcpServer({
      registry: served,
      name: "math",
      version: "1.0.0",
      identityOf: () => ada,
    });
    const client = await clientOf(server);
    const { registry } = quietRegistry();
    registry.registerAll(
      (await operationsFromMcp(client, { namespace: "r", timeoutMs: 20 })).operations,
    );
    await expect(registry.execute("r.math_wait", {}, call)).rejects.toThrow(code("TIMEOUT"));
  });

  it("get names that operations can have, and types that hints are trusted for", async () => {
    const readOnly = { annotations: { readOnlyHint: true, title: "Reads" } };
    const tools = ["files/read", "files.read", "1st", "toJSON"].map((name) => ({
      name,
      inputSchema: anything,
      ...readOnly,
    }));
    const client = await clientOf(oddServer(tools));
    const names = async (trustHints: boolean) => {
      const { operations } = await operationsFromMcp(client, { namespace: "odd", trustHints });
      quietRegistry().registry.registerAll(operations);
      return operations.map(({ name, type, version, title }) =>
        [name, type, version, title].join(" "),
      );
    };
    expect(await names(false)).toEqual([
      "files_read mutation 0.0.0 Reads",
      "files_read_2 mutation 0.0.0 Reads",
      "op_1st mutation 0.0.0 Reads",
      "op_toJSON mutation 0.0.0 Reads",
    ]);
    expect((await names(true))[0]).toBe("files_read query 0.0.0 Reads");
    const few = await operationsFromMcp(client, { namespace: "odd", maxTools: 3 });
    expect(few.operations).toHaveLength(3);
  });

  it("leave out tools whose schema has no bounded check, and name the reason", async () => {
    const tools = [
      { name: "bad", inputSchema: { ...anything, properties: { a: { pattern: "(?=a)" } } } },
      { name: "good", inputSchema: anything },
      {
        name: "remote",
        inputSchema: { ...anything, properties: { a: { $ref: "https://example.com" } } },
      },
    ];
    const { operations, skipped } = await operationsFromMcp(await clientOf(oddServer(tools)), {
      namespace: "odd",
    });
    expect(operations.map(({ name }) => name)).toEqual(["good"]);
    expect(skipped).toEqual([
      { tool: "bad", reason: expect.stringContaining("/properties/a/pattern") },
      { tool: "remote", reason: expect.stringContaining("https://example.com") },
    ]);
  });

  it("are held to what they promise, except where they say that they failed", async () => {
    const outputSchema = { type: "object", properties: { a: { type: "number" } } };
    const tools = ["lies", "fails", "plain"].map((name) => ({
      name,
      inputSchema: anything,
      ...(name === "plain" ? {} : { outputSchema }),
    }));
    const { registry, reported } = quietRegistry();
    const { operations } = await operationsFromMcp(await clientOf(oddServer(tools)), {
      namespace: "odd",
    });
    registry.registerAll(operations);
    await expect(registry.execute("odd.lies", {}, call)).rejects.toThrow(code("EXECUTION_ERROR"));
    expect(reported).toHaveLength(1);
    const content = (text: string) => [{ type: "text", text }];
    expect((await registry.execute("odd.fails", {}, call)).data).toEqual(content("fails"));
    expect((await registry.execute("odd.plain", {}, call)).data).toEqual(content("plain"));
  });

  it("come and go through a second server as they are", async () => {
    const { registry } = quietRegistry();
    const { operations } = await operationsFromMcp(await mathClient(), { namespace: "remote" });
    registry.registerAll(operations);
    const proxy = createMcpServer({
      registry,
      name: "proxy",
      version: "1.0.0",
      identityOf: () => ada,
    });
    const client = await clientOf(proxy);
    const forward = (name: string, args: Record<string, unknown>) =>
      client.callTool({ name, arguments: args });
    expect(await forward("remote_math_add", { a: 1, b: 2 })).toMatchObject({
      content: [{ type: "text", text: "3" }],
    });
    expect(await forward("remote_math_fail", { input: 1 })).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "BY_ZERO: nothing divides by 0" }],
    });
  });

  it("refuses a timeout that is none", async () => {
    const client = await clientOf(oddServer([]));
    await expect(operationsFromMcp(client, { namespace: "odd", timeoutMs: 0 })).rejects.toThrow(
      code("INVALID_ARGUMENT"),
    );
  });
});
