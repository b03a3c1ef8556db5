import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Type } from "@sinclair/typebox";
import { afterEach, describe, expect, it } from "vitest";
import { type CallError, isResponseEnvelope } from "../src/index.ts";
import {
  type OpenApiOperationsOptions,
  openApiDocument,
  operationsFromOpenApi,
} from "../src/openapi.ts";
import { ada, addSpec, code, countSpec, quietRegistry, until } from "./fixtures.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (response: ServerResponse, request: Seen) => unknown;

/** A real server that keeps what it is asked. */
async function api(answer: Answer) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const one = { method, url, headers, body: await text(request) };
    seen.push(one);
    answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { seen, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const json =
  (value: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", "set-cookie": "a=b" });
    response.end(JSON.stringify(value));
  };

const Pet = {
  type: "object",
  required: ["id", "name"],
  properties: {
    id: { type: "integer", readOnly: true },
    name: { type: "string", minLength: 1 },
    parent: { $ref: "#/components/schemas/Pet" },
  },
};

const ok = (schema: unknown) => ({
  200: { description: "ok", content: { "application/json": { schema } } },
});

/** A document with one of everything. */
const document = (more: Record<string, unknown> = {}) => ({
  openapi: "3.1.0",
  info: { title: "Pets", version: "2.1.0" },
  servers: [{ url: "http://169.254.169.254" }],
  paths: {
    "/pets/{id}": {
      parameters: [{ $ref: "#/components/parameters/Id" }],
      get: {
        operationId: "getPet",
        summary: "One pet",
        tags: ["pets"],
        parameters: [
          { name: "fields", in: "query", schema: { type: "array", items: { type: "string" } } },
          { name: "x-trace", in: "header", schema: { type: "string" } },
          {
            name: "where",
            in: "query",
            style: "deepObject",
            explode: true,
            schema: { type: "object" },
          },
          { name: "flat", in: "query", explode: false, schema: { type: "array" } },
          { name: "raw", in: "query", content: { "application/json": { schema: {} } } },
          { name: "id", in: "query", schema: { type: "integer" } },
        ],
        responses: ok({ $ref: "#/components/schemas/Pet" }),
      },
      delete: { responses: { 204: { description: "gone" } } },
    },
    "/pets": {
      post: {
        operationId: "create pet",
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } },
        },
        responses: { 201: { $ref: "#/components/responses/Pet" } },
      },
    },
    ...more,
  },
  components: {
    schemas: { Pet },
    parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string" } } },
    responses: {
      Pet: {
        description: "ok",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } },
      },
    },
  },
});

function registryOf(
  from: unknown,
  options: Partial<OpenApiOperationsOptions> & { baseUrl: string },
) {
  const made = quietRegistry();
  const { operations, skipped } = operationsFromOpenApi(from, { namespace: "pets", ...options });
  made.registry.registerAll(operations);
  const run = (id: string, input: unknown, more = {}) =>
    made.registry.execute(`pets.${id}`, input, { identity: ada, ...more });
  return { ...made, skipped, run };
}

async function failureOf(call: Promise<unknown>): Promise<CallError> {
  return call.then(
    () => expect.fail("did not fail"),
    (error: CallError) => error,
  );
}

describe("an HTTP API as operations (M39)", () => {
  it("has names, types and schemas from its document", async () => {
    const { registry, skipped } = registryOf(document(), { baseUrl: "http://127.0.0.1:1" });
    expect(skipped).toEqual([]);
    expect(registry.list().map(({ name, type, version }) => `${name} ${type} ${version}`)).toEqual([
      "getPet query 2.1.0",
      "delete_pets_id mutation 2.1.0",
      "create_pet mutation 2.1.0",
    ]);
    expect(registry.getSpec("pets.getPet")).toMatchObject({
      title: "One pet",
      tags: ["pets"],
      _meta: { httpMethod: "get", httpPath: "/pets/{id}" },
    });
  });

  it("sends path, query and headers as the document says, below its base URL", async () => {
    const { seen, baseUrl } = await api(
      json({ id: 1, name: "Rex", parent: { id: 2, name: "Max" } }),
    );
    const { run } = registryOf(document(), {
      baseUrl,
      headers: { authorization: "Bearer secret" },
    });
    const answer = await run("getPet", {
      id: "a/b ?ü",
      fields: ["x", "y&z"],
      "x-trace": "t1",
      where: { a: 1, b: "c" },
      flat: [1, 2],
      raw: { deep: [true] },
      query_id: 7,
    });
    expect(answer).toMatchObject({
      data: { id: 1, name: "Rex" },
      meta: { source: "http", statusCode: 200, contentType: "application/json" },
    });
    expect(isResponseEnvelope(answer)).toBe(true);
    expect(JSON.stringify(answer)).not.toContain("set-cookie");
    const [request] = seen;
    const url = new URL(request?.url ?? "", baseUrl);
    expect(url.pathname).toBe("/v1/pets/a%2Fb%20%3F%C3%BC");
    expect([...url.searchParams]).toEqual([
      ["fields", "x"],
      ["fields", "y&z"],
      ["where[a]", "1"],
      ["where[b]", "c"],
      ["flat", "1,2"],
      ["raw", '{"deep":[true]}'],
      ["id", "7"],
    ]);
    expect(request?.headers).toMatchObject({ "x-trace": "t1", authorization: "Bearer secret" });
  });

  it("refuses inputs that do not fit, or that would lead elsewhere", async () => {
    const { seen, baseUrl } = await api(json({}));
    const { run } = registryOf(document(), { baseUrl });
    for (const input of [
      {},
      { id: 1 },
      { id: "a", other: 1 },
      { id: "a", fields: "x" },
      { id: "" },
      { id: "." },
      { id: ".." },
      { id: "a", "x-trace": "a\r\nhost: b" },
    ]) {
      await expect(run("getPet", input), JSON.stringify(input)).rejects.toThrow(
        code("VALIDATION_ERROR"),
      );
    }
    expect(seen).toEqual([]);
    await run("delete_pets_id", { id: "%2e%2e" }).catch(() => undefined);
    expect(seen[0]?.url).toBe("/v1/pets/%252e%252e");
  });

  it("sends bodies as JSON, forms and text, without what only answers have", async () => {
    const bodies = (type: string, schema: unknown) => ({
      post: { requestBody: { content: { [type]: { schema } } }, responses: {} },
    });
    const { seen, baseUrl } = await api(json({ id: 1, name: "Rex" }, 201));
    const { run } = registryOf(
      document({
        "/form": bodies("application/x-www-form-urlencoded", { type: "object" }),
        "/note": bodies("text/plain", { type: "string" }),
      }),
      { baseUrl },
    );
    expect((await run("create_pet", { body: { name: "Rex" } })).meta).toMatchObject({
      statusCode: 201,
    });
    await expect(run("create_pet", {})).rejects.toThrow(code("VALIDATION_ERROR"));
    await expect(run("create_pet", { body: { name: "" } })).rejects.toThrow(
      code("VALIDATION_ERROR"),
    );
    await run("post_form", { body: { a: ["1", "2"], b: "x y" } });
    await run("post_note", { body: "hello" });
    await run("post_note", {});
    expect(seen.map(({ headers, body }) => [headers["content-type"], body])).toEqual([
      ["application/json", '{"name":"Rex"}'],
      ["application/x-www-form-urlencoded", "a=1&a=2&b=x+y"],
      ["text/plain", "hello"],
      [undefined, ""],
    ]);
  });

  it("asks for the headers of each caller", async () => {
    const { seen, baseUrl } = await api(json(null));
    const { run } = registryOf(document(), {
      baseUrl,
      headers: async ({ identity }) => ({ authorization: `Bearer of-${identity?.id}` }),
    });
    await run("delete_pets_id", { id: "1" });
    expect(seen[0]?.headers.authorization).toBe("Bearer of-ada");
  });

  it("maps statuses, bodies that are none, and connections that break", async () => {
    let answer: Answer = json({ reason: "no such pet" }, 404);
    const { baseUrl } = await api((response, request) => answer(response, request));
    const { run, reported } = registryOf(document(), { baseUrl, maxBytes: 1_000 });
    const get = () => run("getPet", { id: "1" });
    expect(await failureOf(get())).toMatchObject({
      code: "HTTP_ERROR",
      details: { status: 404, body: { reason: "no such pet" } },
    });
    answer = json({ id: "text" });
    await expect(get()).rejects.toThrow(code("EXECUTION_ERROR"));
    expect(reported).toHaveLength(1);
    answer = (response) => response.writeHead(200, { "content-type": "application/json" }).end("{");
    await expect(get()).rejects.toThrow("is no JSON");
    answer = (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    await expect(get()).rejects.toThrow(code("TRANSPORT_ERROR"));
    answer = (response) => response.socket?.destroy();
    await expect(get()).rejects.toThrow(code("TRANSPORT_ERROR"));
    answer = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      // never ends by itself
      const more = () => response.write("x".repeat(10_000), () => setImmediate(more));
      more();
    };
    await expect(get()).rejects.toThrow("more than 1000 bytes");
    answer = (response) =>
      response.writeHead(500, { "content-type": "text/html" }).end("x".repeat(50_000));
    expect((await failureOf(get())).details).toMatchObject({ status: 500 });
    const nobody = registryOf(document(), { baseUrl: "http://127.0.0.1:1" });
    await expect(nobody.run("getPet", { id: "1" })).rejects.toThrow(code("TRANSPORT_ERROR"));
  });

  it("answers texts, files and nothing", async () => {
    let answer: Answer = (response) =>
      response.writeHead(200, { "content-type": "text/csv" }).end("a,b");
    const { baseUrl } = await api((response, request) => answer(response, request));
    const file = {
      get: {
        responses: { 200: { description: "a file", content: { "text/csv": {}, "image/png": {} } } },
      },
    };
    const { run } = registryOf(document({ "/file": file }), { baseUrl });
    expect((await run("get_file", {})).data).toBe("a,b");
    answer = (response) =>
      response.writeHead(200, { "content-type": "image/png" }).end(Buffer.of(255, 0));
    expect((await run("get_file", {})).data).toBe("/wA=");
    answer = (response) => response.writeHead(204).end();
    expect((await run("delete_pets_id", { id: "1" })).data).toBeNull();
  });

  it("gives up at its timeout, at the deadline, and when it is taken back, and hangs up", async () => {
    let hungUp = 0;
    const { seen, baseUrl } = await api((response) => {
      response.on("close", () => {
        hungUp += 1;
      });
    });
    const slow = registryOf(document(), { baseUrl });
    const quick = registryOf(document(), { baseUrl, timeoutMs: 20 });
    await expect(quick.run("getPet", { id: "1" })).rejects.toThrow(code("TIMEOUT"));
    const late = slow.run("getPet", { id: "1" }, { deadline: Date.now() + 20 });
    await expect(late).rejects.toThrow(code("TIMEOUT"));
    const controller = new AbortController();
    const before = seen.length;
    const taken = slow.run("getPet", { id: "1" }, { signal: controller.signal });
    taken.catch(() => undefined);
    await until(() => seen.length > before);
    controller.abort();
    await expect(taken).rejects.toThrow(code("ABORTED"));
    await until(() => hungUp === seen.length);
  });

  it("makes subscriptions of server-sent events, which hang up when nobody reads", async () => {
    let closed = false;
    const { baseUrl } = await api((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('id: 1\ndata: {"n":1}\n\n: comment\n\nevent: x\ndata: two\ndata: lines\n\n');
      response.on("close", () => {
        closed = true;
      });
    });
    const events = { description: "events", content: { "text/event-stream": {} } };
    const { registry } = registryOf(
      document({ "/events": { get: { responses: { 200: events } } } }),
      {
        baseUrl,
      },
    );
    const answers: unknown[] = [];
    for await (const { data } of registry.subscribe("pets.get_events", {}, { identity: ada })) {
      answers.push(data);
      if (answers.length === 2) break;
    }
    expect(answers).toEqual([{ n: 1 }, "two\nlines"]);
    await until(() => closed);
  });

  it("reads 3.0: null and exclusive bounds", async () => {
    const { baseUrl } = await api(json({ at: null, age: 1 }));
    const schema = {
      type: "object",
      required: ["at", "age"],
      properties: {
        at: { type: "string", nullable: true },
        age: { type: "integer", minimum: 0, exclusiveMinimum: true },
      },
    };
    const old = { ...document({ "/old": { get: { responses: ok(schema) } } }), openapi: "3.0.3" };
    const { run } = registryOf(old, { baseUrl });
    expect((await run("get_old", {})).data).toEqual({ at: null, age: 1 });
    const zero = await api(json({ at: "x", age: 0 }));
    const other = registryOf(old, { baseUrl: zero.baseUrl });
    await expect(other.run("get_old", {})).rejects.toThrow(code("EXECUTION_ERROR"));
  });

  it("skips what it cannot send or check, and takes the rest", () => {
    const body = (content: unknown) => ({
      post: { requestBody: { required: true, content }, responses: {} },
    });
    const { operations, skipped } = operationsFromOpenApi(
      document({
        "/upload": body({ "multipart/form-data": {} }),
        "/remote": { get: { responses: ok({ $ref: "https://example.com/pet.json" }) } },
        "/look": body({ "application/json": { schema: { pattern: "(?=a)" } } }),
        "/circle": { get: { parameters: [{ $ref: "#/components/circle" }], responses: {} } },
        "/missing/{id}": { get: { responses: {} } },
        "/cookie": {
          get: { parameters: [{ name: "c", in: "cookie", required: true }], responses: {} },
        },
      }),
      {
        namespace: "pets",
        baseUrl: "http://127.0.0.1:1",
        includes: ({ tags, path }) => !tags.includes("pets") && path !== "/pets",
      },
    );
    expect(operations.map(({ name }) => name)).toEqual(["delete_pets_id", "get_circle"]);
    expect(skipped.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "post /upload",
      "get /remote",
      "post /look",
      "get /missing/{id}",
      "get /cookie",
    ]);
  });

  it.each([
    ["a document of 2.0", { swagger: "2.0" }, {}],
    ["no document", null, {}],
    ["a file", document(), { baseUrl: "file:///etc" }],
    ["a base URL that is none", document(), { baseUrl: "api" }],
    ["no time", document(), { timeoutMs: 0 }],
    ["no bytes", document(), { maxBytes: Number.NaN }],
  ])("refuses %s", (_what, from, options) => {
    const all = { namespace: "pets", baseUrl: "http://127.0.0.1:1", ...options };
    expect(() => operationsFromOpenApi(from, all)).toThrow(code("INVALID_ARGUMENT"));
  });

  it("reads the document that this package writes, and calls what it describes", async () => {
    const { registry: served } = quietRegistry();
    served.register({ ...addSpec, handler: ({ a, b }) => a + b });
    served.registerSpec(countSpec);
    const Tree = Type.Recursive((This) => Type.Object({ children: Type.Array(This) }));
    served.register({
      ...addSpec,
      name: "grow",
      inputSchema: Tree,
      outputSchema: Tree,
      handler: (tree) => tree,
    });
    const { seen, baseUrl } = await api(async (response, request) => {
      const id = request.url?.split("/").at(-1) ?? "";
      const envelope = await served.execute(id, JSON.parse(request.body), { identity: ada });
      json(envelope)(response, request);
    });
    const written = openApiDocument(served.list(), { title: "Served", version: "1.0.0" });
    const { run, registry } = registryOf(written, { baseUrl });
    expect(registry.list().map(({ name, type }) => `${name} ${type}`)).toEqual([
      "math_add mutation",
      "math_count subscription",
      "math_grow mutation",
    ]);
    expect((await run("math_add", { body: { a: 1, b: 2 } })).data).toMatchObject({ data: 3 });
    const tree = { children: [{ children: [] }] };
    expect((await run("math_grow", { body: tree })).data).toMatchObject({ data: tree });
    await expect(run("math_grow", { body: { children: [1] } })).rejects.toThrow(
      code("VALIDATION_ERROR"),
    );
    expect(seen.map(({ url }) => url)).toEqual(["/v1/call/math.add", "/v1/call/math.grow"]);
  });
});
