import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, describe, expect, it } from "vitest";
import type { Identity } from "../src/index.ts";
import { createMcpHttpHandler, type McpHttpHandlerOptions } from "../src/mcp.ts";
import { ada, code, until } from "./fixtures.ts";
import { mcpRegistry } from "./mcp-registry.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const KEYS: Readonly<Record<string, Identity>> = {
  "key-of-ada": ada,
  "key-of-bob": { id: "bob", scopes: ["math:read"] },
};

/** An endpoint over a real socket, whose callers are known by their bearer key. */
async function endpoint(options: Partial<McpHttpHandlerOptions> = {}) {
  const { registry, waits } = mcpRegistry();
  const handler = createMcpHttpHandler({
    registry,
    name: "math",
    version: "1.2.3",
    identityOf: ({ headers }) => KEYS[String(headers.authorization).replace("Bearer ", "")],
    ...options,
  });
  const server = serve({
    fetch: (request) => handler.handle(request),
    port: 0,
    hostname: "127.0.0.1",
  });
  await until(() => server.listening);
  open.push(async () => {
    await handler.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/mcp`), handler, waits };
}

async function httpClient(url: URL, key?: string): Promise<Client> {
  const headers: Record<string, string> =
    key === undefined ? {} : { authorization: `Bearer ${key}` };
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
  return connected(transport as Transport);
}

async function stdioClient(): Promise<Client> {
  const script = fileURLToPath(new URL("./mcp-stdio-server.ts", import.meta.url));
  return connected(
    new StdioClientTransport({
      command: process.execPath,
      args: ["--conditions=@alkdev/source", script],
    }),
  );
}

async function connected(transport: Transport): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(transport);
  open.push(() => client.close());
  return client;
}

const call = (client: Client, name: string, args: Record<string, unknown> = {}) =>
  client.callTool({ name, arguments: args }) as Promise<CallToolResult>;

describe.each([
  ["stdio", stdioClient],
  ["streamable HTTP", async () => httpClient((await endpoint()).url, "key-of-ada")],
])("operations as MCP tools over %s (M39)", (_transport, connect) => {
  it("lists queries and mutations with schemas and hints, no subscriptions", async () => {
    const client = await connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "math_add",
      "math_wait",
      "math_sum",
      "math_fail",
      "public_ping",
    ]);
    const [add, wait, sum] = tools;
    expect(add).toMatchObject({
      title: "Addition",
      description: "Adds two numbers.",
      inputSchema: { type: "object", required: ["a", "b"] },
      outputSchema: { type: "object", properties: { result: { type: "number" } } },
      annotations: { readOnlyHint: true },
    });
    expect(wait?.annotations).toEqual({ readOnlyHint: false, destructiveHint: true });
    expect(sum?.inputSchema).toMatchObject({ properties: { input: { type: "array" } } });
    expect(sum?.annotations).toMatchObject({ destructiveHint: false, idempotentHint: true });
  });

  it("answers with structured content that fits, and as text", async () => {
    const client = await connect();
    // what the client checks answers against
    await client.listTools();
    expect(await call(client, "math_add", { a: 1, b: 2 })).toMatchObject({
      structuredContent: { result: 3 },
      content: [{ type: "text", text: "3" }],
    });
    expect(await call(client, "math_sum", { input: [1, 2, 3] })).toMatchObject({
      structuredContent: { sum: 6 },
    });
    expect(await call(client, "public_ping")).toMatchObject({
      structuredContent: { result: null },
    });
  });

  it("answers failures as results with their code, and tells nothing of undeclared ones", async () => {
    const client = await connect();
    const invalid = await call(client, "math_add", { a: "1" });
    expect(invalid.isError).toBe(true);
    expect(invalid.content).toEqual([
      { type: "text", text: expect.stringMatching(/^VALIDATION_ERROR: .*"\/b"/s) },
    ]);
    const declared = await call(client, "math_fail", { input: 1 });
    expect(declared).toMatchObject({
      isError: true,
      content: [{ text: "BY_ZERO: nothing divides by 0" }],
      _meta: { "alkdev/error": { code: "BY_ZERO", details: { by: 0 } } },
    });
    const secret = await call(client, "math_fail");
    expect(JSON.stringify(secret)).toContain("EXECUTION_ERROR");
    expect(JSON.stringify(secret)).not.toContain("secret");
    await expect(call(client, "math_count")).rejects.toThrow("there is no tool");
  });
});

describe("an MCP endpoint over HTTP (M39)", () => {
  it("offers each caller what its scopes allow, and checks again when it calls", async () => {
    const { url } = await endpoint();
    const names = async (client: Client) =>
      (await client.listTools()).tools.map(({ name }) => name);
    const stranger = await httpClient(url);
    const bob = await httpClient(url, "key-of-bob");
    expect(await names(stranger)).toEqual(["public_ping"]);
    expect(await names(bob)).toEqual(["math_add", "public_ping"]);
    expect(await call(bob, "math_sum", { input: [1] })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("ACCESS_DENIED") }],
    });
    expect(await call(stranger, "math_add", { a: 1, b: 2 })).toMatchObject({ isError: true });
    expect(await call(bob, "math_add", { a: 1, b: 2 })).toMatchObject({
      structuredContent: { result: 3 },
    });
  });

  it("takes the caller from each request, not from the session", async () => {
    const { url } = await endpoint();
    const client = await httpClient(url, "key-of-ada");
    const session = (client.transport as StreamableHTTPClientTransport).sessionId ?? "";
    const body = {
      jsonrpc: "2.0",
      id: 77,
      method: "tools/call",
      params: { name: "math_sum", arguments: { input: [1] } },
    };
    const stolen = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-session-id": session,
      },
      body: JSON.stringify(body),
    });
    expect(await stolen.text()).toContain("ACCESS_DENIED");
  });

  it("tells a caller nothing of why its identity could not be found out", async () => {
    const reported: unknown[] = [];
    const failure = new Error("a secret of the database");
    const { url } = await endpoint({
      identityOf: () => Promise.reject(failure),
      onError: (error) => reported.push(error),
    });
    const client = await httpClient(url, "key-of-ada");
    await expect(client.listTools()).rejects.toThrow("it could not be found out who calls");
    const answer = await call(client, "math_add", { a: 1, b: 2 });
    expect(JSON.stringify(answer)).toContain("ACCESS_DENIED");
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(reported).toEqual([failure, failure]);
  });

  it("aborts the handler of a call that is cancelled, and of a session that ends", async () => {
    const { url, waits } = await endpoint();
    const client = await httpClient(url, "key-of-ada");
    const controller = new AbortController();
    const cancelled = client.callTool({ name: "math_wait" }, undefined, {
      signal: controller.signal,
    });
    await until(() => waits.begun === 1);
    controller.abort();
    await expect(cancelled).rejects.toThrow();
    await until(() => waits.aborted.length === 1);

    const lost = client.callTool({ name: "math_wait" });
    lost.catch(() => undefined);
    await until(() => waits.begun === 2);
    await (client.transport as StreamableHTTPClientTransport).terminateSession();
    await until(() => waits.aborted.length === 2);
    expect(waits.aborted).toEqual(["ABORTED", "ABORTED"]);
  });

  it("ends calls at the time it allows", async () => {
    const { url, waits } = await endpoint({ timeoutMs: 50 });
    const client = await httpClient(url, "key-of-ada");
    expect(await call(client, "math_wait")).toMatchObject({
      isError: true,
      _meta: { "alkdev/error": { code: "TIMEOUT" } },
    });
    // none, if the machine was too busy to begin in time
    expect(waits.aborted).toHaveLength(waits.begun);
  });

  it("keeps a bounded number of sessions, each for a bounded time", async () => {
    let now = 0;
    const { url, handler } = await endpoint({ maxSessions: 2, idleSeconds: 60, now: () => now });
    const first = await httpClient(url);
    await httpClient(url);
    await httpClient(url);
    expect(handler.sessionCount).toBe(2);
    await expect(first.listTools()).rejects.toThrow("no such session");
    now = 61_000;
    await httpClient(url);
    expect(handler.sessionCount).toBe(1);
    for (const body of ["{}", "no JSON", '{"jsonrpc":"2.0","id":1,"method":"tools/list"}']) {
      const headers = {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      };
      const { status } = await fetch(url, { method: "POST", headers, body });
      expect(status).toBeGreaterThanOrEqual(400);
    }
    expect(handler.sessionCount).toBe(1);
    await handler.close();
    await handler.close();
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(503);
  });

  it("refuses bodies that are too large, and options out of their range", async () => {
    const { url } = await endpoint({ maxRequestBytes: 1_000 });
    const client = await httpClient(url, "key-of-ada");
    await expect(call(client, "math_sum", { input: Array(1_000).fill(1) })).rejects.toThrow();
    const { registry } = mcpRegistry();
    for (const wrong of [{ maxSessions: 0 }, { idleSeconds: -1 }, { maxRequestBytes: 0.5 }]) {
      expect(() => createMcpHttpHandler({ registry, name: "a", version: "1", ...wrong })).toThrow(
        code("INVALID_ARGUMENT"),
      );
    }
  });
});
