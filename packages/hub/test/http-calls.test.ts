import { createConnection } from "node:net";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { eventually } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import type { HubOperation } from "../src/index.ts";
import { post, testHub } from "./hub-fixture.ts";

const FIELDS = { version: "1.0.0", accessControl: { requiredScopes: ["graphs:write"] } } as const;

interface SlowOperation {
  readonly operation: HubOperation;
  calls: number;
  readonly end: () => void;
}

/** Counts its calls, and ends when it is told to. */
function slowOperation(): SlowOperation {
  const ended = Promise.withResolvers<void>();
  const state: SlowOperation = {
    calls: 0,
    end: () => ended.resolve(),
    operation: {
      operation: {
        ...FIELDS,
        namespace: "test",
        name: "slow",
        type: "mutation",
        description: "Waits.",
        inputSchema: Type.Object({}),
        outputSchema: Type.Integer(),
        handler: async () => {
          state.calls += 1;
          await ended.promise;
          return state.calls;
        },
      },
    } as HubOperation,
  };
  return state;
}

async function graphType(hub: Parameters<typeof post>[0], key: string): Promise<string> {
  const { body } = await post(hub, "/call/graph_types.list", { key });
  return body.data.items[0].id;
}

describe("calls by HTTP (M42)", () => {
  it("read and write the tenant's tables as the caller may", async () => {
    const { hub, data } = await testHub();
    const { keys } = data;
    const input = { graphTypeId: await graphType(hub, keys.owner), name: "plans" };
    const created = await post(hub, "/call/graphs.create", { key: keys.owner, input });
    expect(created).toMatchObject({ status: 200, body: { data: { name: "plans" } } });
    const found = await post(hub, "/call/graphs.find", {
      key: keys.member,
      input: { id: created.body.data.id },
    });
    expect(found).toMatchObject({ status: 200, body: { data: { name: "plans" } } });
    const refused = await post(hub, "/call/graphs.create", { key: keys.member, input });
    expect(refused).toMatchObject({ status: 403, body: { error: { code: "ACCESS_DENIED" } } });
  });

  it("answer every kind of refusal with its status and a code, and never with a stack", async () => {
    const { hub, data } = await testHub({ limits: { maxBodyBytes: 1_000 } });
    const key = data.keys.owner;
    const cases: readonly [string, Parameters<typeof post>[2], number, string][] = [
      ["/call/graphs.list", {}, 401, "UNAUTHENTICATED"],
      ["/call/graphs.list", { key: "alk_no" }, 401, "UNAUTHENTICATED"],
      ["/call/graphs.list", { headers: { authorization: "Basic abc" } }, 401, "UNAUTHENTICATED"],
      ["/call/graphs.list", { headers: { authorization: "SSH abc" } }, 401, "UNAUTHENTICATED"],
      ["/call/no.such", { key }, 404, "OPERATION_NOT_FOUND"],
      ["/call/graphs.find", { key, input: { nope: 1 } }, 400, "VALIDATION_ERROR"],
      ["/call/graphs.find", { key, input: "{" }, 400, "MALFORMED_REQUEST"],
      ["/call/graphs.find", { key, input: { id: "x".repeat(1_000) } }, 413, "TOO_LARGE"],
      ["/call/graphs.list", { key, headers: { "alkdev-org": "globex" } }, 403, "FORBIDDEN"],
      ["/call/graphs.list", { key, headers: { "alkdev-org": "nowhere" } }, 403, "FORBIDDEN"],
      [
        "/call/graphs.list",
        { key, headers: { "alkdev-timeout-ms": "x" } },
        400,
        "MALFORMED_REQUEST",
      ],
      [
        "/call/graphs.list",
        { key, headers: { "idempotency-key": "x".repeat(300) } },
        400,
        "MALFORMED_REQUEST",
      ],
      ["/call/accounts.list", { key }, 403, "ACCESS_DENIED"],
      ["/nothing", { key }, 404, "NOT_FOUND"],
    ];
    for (const [path, options, status, code] of cases) {
      const answer = await post(hub, path, options);
      expect({ path, status: answer.status, code: answer.body.error.code }).toEqual({
        path,
        status,
        code,
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|SELECT/);
    }
  });

  it("are cut where a body that does not say its size grows too large", async () => {
    const { hub, data } = await testHub({ limits: { maxBodyBytes: 1_000 } });
    const send = async (parts: readonly string[]): Promise<number> => {
      const { status } = await fetch(`${hub.url}/call/graphs.list`, {
        method: "POST",
        headers: { authorization: `Bearer ${data.keys.owner}` },
        body: new ReadableStream({
          start: (controller) => {
            for (const part of parts) controller.enqueue(Buffer.from(part));
            controller.close();
          },
        }),
        duplex: "half",
      } as RequestInit);
      return status;
    };
    expect(await send(['{"limit"', ": 5}"])).toBe(200);
    expect(await send(["\uFEFF", '{"limit": 5}'])).toBe(200);
    expect(await send(['{"a":"', "x".repeat(600), "x".repeat(600), '"}'])).toBe(413);
  });

  it("with an unknown and a revoked key get the same answer", async () => {
    const { hub, data } = await testHub();
    const answers = [];
    for (const key of [`${data.keys.owner.slice(0, -4)}aaaa`, "alk_x", ""]) {
      const { status, body } = await post(hub, "/call/graphs.list", { key });
      answers.push(JSON.stringify([status, body]));
    }
    expect(new Set(answers).size).toBe(1);
  });

  it("never reach another organisation's rows, whatever ids they name", async () => {
    const { hub, data } = await testHub();
    const { owner, outsider } = data.keys;
    const input = { graphTypeId: await graphType(hub, owner), name: "secret" };
    const { body } = await post(hub, "/call/graphs.create", { key: owner, input });
    const theirs = await post(hub, "/call/graphs.find", {
      key: outsider,
      input: { id: body.data.id },
    });
    expect(theirs).toMatchObject({ status: 200, body: { data: null } });
    const forged = await post(hub, "/call/graphs.find", {
      key: outsider,
      input: { id: body.data.id },
      headers: { "alkdev-org": "acme", "x-identity": "owner" },
    });
    expect(forged.status).toBe(403);
  });

  it("have one effect for one Idempotency-Key, and another caller's key is another call", async () => {
    const { hub, data } = await testHub();
    const { owner, root } = data.keys;
    const input = { graphTypeId: await graphType(hub, owner), name: "once" };
    const headers = { "idempotency-key": "k-1" };
    const answers = await Promise.all(
      [1, 2, 3].map(() => post(hub, "/call/graphs.create", { key: owner, input, headers })),
    );
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    const other = await post(hub, "/call/graphs.create", {
      key: root,
      input,
      headers: { ...headers, "alkdev-org": "acme" },
    });
    expect(other.body.data.id).not.toBe(answers[0]?.body.data.id);
  });

  it("that run already are refused, and what they end with is given again later", async () => {
    const slow = slowOperation();
    const { hub, data } = await testHub({ operations: { tenant: [slow.operation] } });
    const options = { key: data.keys.owner, input: {}, headers: { "idempotency-key": "k" } };
    const first = post(hub, "/call/test.slow", options);
    await eventually("it runs", () => slow.calls === 1);
    const second = await post(hub, "/call/test.slow", options);
    expect(second.body.error.code).toBe("CALL_RUNNING");
    slow.end();
    expect((await first).body.data).toBe(1);
    expect((await post(hub, "/call/test.slow", options)).body.data).toBe(1);
    expect(slow.calls).toBe(1);
  });

  it("end at their caller's timeout", async () => {
    const slow = slowOperation();
    const { hub, data } = await testHub({ operations: { tenant: [slow.operation] } });
    const answer = await post(hub, "/call/test.slow", {
      key: data.keys.owner,
      input: {},
      headers: { "alkdev-timeout-ms": "50" },
    });
    expect(answer).toMatchObject({ status: 504, body: { error: { code: "TIMEOUT" } } });
    slow.end();
  });

  it("that run are waited for when the hub stops, and new ones are refused", async () => {
    const slow = slowOperation();
    const { hub, data } = await testHub({ operations: { tenant: [slow.operation] } });
    const key = data.keys.owner;
    const first = post(hub, "/call/test.slow", { key, input: {} });
    await eventually("it runs", () => slow.calls === 1);
    const stopped = hub.stop();
    slow.end();
    expect((await first).status).toBe(200);
    await stopped;
    await expect(post(hub, "/call/test.slow", { key, input: {} })).rejects.toThrow();
    await hub.stop(); // twice
  });

  it("are in the call graph, refused ones too", async () => {
    const { hub, data } = await testHub();
    const { owner, member } = data.keys;
    await post(hub, "/call/graphs.list", { key: owner, headers: { "idempotency-key": "one" } });
    await post(hub, "/call/graphs.create", {
      key: member,
      input: { graphTypeId: "x", name: "y" },
      headers: { "idempotency-key": "two", "alkdev-parent-request": "one" },
    });
    using lease = hub.core.runtimes.enter("acme");
    const { calls } = lease.runtime.projection;
    await eventually("both are projected", () => calls.get("two")?.status === "failed");
    expect(calls.get("one")).toMatchObject({ status: "completed", operationId: "graphs.list" });
    expect(calls.lineage("two").map(({ requestId }) => requestId)).toEqual(["one"]);
  });

  it("find a suspended tenant unavailable, and it again when it is resumed", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.owner;
    expect((await post(hub, "/call/graphs.list", { key })).status).toBe(200);
    hub.core.tenants.suspend("acme");
    await eventually("the hub lets go of it", () => hub.core.runtimes.size === 0);
    expect((await post(hub, "/call/graphs.list", { key })).body.error.code).toBe("UNAVAILABLE");
    await hub.core.tenants.archive("acme", { waitMs: 5_000 });
    hub.core.tenants.unarchive("acme");
    hub.core.tenants.resume("acme");
    expect((await post(hub, "/call/graphs.list", { key })).status).toBe(200);
  });

  it("of a client that sends its request drop by drop are cut off", async () => {
    const { hub } = await testHub({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
    const { hostname, port } = new URL(hub.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    let closed = false;
    socket.on("close", () => {
      closed = true;
    });
    socket.on("error", () => undefined);
    socket.write("POST /call/graphs.list HTTP/1.1\r\nHost: x\r\n");
    const drops = setInterval(() => socket.write("x"), 50);
    try {
      await eventually("it is cut off", () => closed);
    } finally {
      clearInterval(drops);
    }
  });

  it("that are no HTTP get 400, and are no news for the hub's log", async () => {
    const { hub, errors } = await testHub();
    const { hostname, port } = new URL(hub.url);
    const heads = [
      "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET http://[ HTTP/1.1\r\n\r\n",
      "x\r\n\r\n",
    ];
    for (const head of heads) {
      const socket = createConnection({ host: hostname, port: Number(port) });
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.write(head);
      await eventually("it is answered", () => text.includes("\r\n\r\n"));
      expect(text).toMatch(/^HTTP\/1.1 400 /);
      socket.destroy();
    }
    expect(errors).toEqual([]);
  });

  it("leave a closed database behind that nothing is wrong with", async () => {
    const { hub, data, errors } = await testHub();
    await post(hub, "/call/graphs.list", { key: data.keys.owner });
    await hub.stop();
    using system = open(join(data.dataFolder, "system.db"));
    expect((await system.integrityCheck()).ok).toBe(true);
    expect(errors).toEqual([]);
  });
});

describe("what tells of the hub", () => {
  it("says that it lives, is ready, and how many calls ended how", async () => {
    const { hub, data } = await testHub();
    const get = async (path: string): Promise<string> => (await fetch(`${hub.url}${path}`)).text();
    expect(await get("/healthz")).toBe('{"status":"ok"}');
    expect(await get("/readyz")).toBe('{"status":"ready"}');
    await post(hub, "/call/graphs.list", { key: data.keys.owner });
    await post(hub, `/call/${crypto.randomUUID()}.x`, { key: data.keys.owner });
    await post(hub, "/call/graphs.list", {});
    const text = await get("/metrics");
    expect(text).toMatch(
      /alkdev_calls_total\{operation="graphs.list",realm="tenant",code="ok"\} 1/,
    );
    expect(text).toMatch(/operation="unknown",realm="system",code="OPERATION_NOT_FOUND"\} 1/);
    expect(text).toMatch(/alkdev_refused_total\{code="UNAUTHENTICATED"\} 1/);
    expect(text).toMatch(/alkdev_open_tenants 1/);
    expect(text).not.toContain("acme");
  });
});

describe("the OpenAPI document (M39, M42)", () => {
  it("lists what a hub serves, and with a key what its caller can ask for", async () => {
    const { hub, data } = await testHub();
    const get = async (key?: string) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const answer = await fetch(`${hub.url}/openapi.json`, { headers });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const open = await get();
    expect(open.body["openapi"]).toBe("3.1.0");
    expect(Object.keys(open.body["paths"] as object)).toEqual(
      expect.arrayContaining([
        "/call/graphs.create",
        "/call/tenants.create",
        "/subscribe/streams.tail",
      ]),
    );
    const mine = await get(data.keys.member);
    expect(Object.keys(mine.body["paths"] as object)).toContain("/call/graphs.create");
    expect((await get("alk_no")).status).toBe(401);
  });
});
