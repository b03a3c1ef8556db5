import { createConnection } from "node:net";
import {
  auditLogs,
  createApiKey,
  listApiKeys,
  removeMember,
  revokeApiKey,
} from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { Hub } from "../src/index.ts";
import { REGISTER_SPOKE } from "../src/protocol/spoke-protocol.ts";
import { post, testHub } from "./hub-fixture.ts";
import { connect, type RawSocket, refusal } from "./socket-fixture.ts";
import { demo } from "./spoke-fixture.ts";
import { countOperation } from "./sse-fixture.ts";

async function metrics({ url }: Hub): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

function revoke({ core: { system } }: Hub, ownerId: string): void {
  for (const { id } of listApiKeys(system, { ownerId }).items) revokeApiKey(system, id);
}

/** Types of the events that a connection got, without answers to control messages. */
function heard({ frames }: RawSocket): string[] {
  return frames.filter(({ type }) => !/^__(pong|error)$/.test(type)).map(({ type }) => type);
}

/** Codes of what was refused. */
function refused({ frames }: RawSocket): string[] {
  return frames.filter(({ type }) => type === "__error").map(({ payload }) => payload.code);
}

describe("a WebSocket connection (M42)", () => {
  it("is let in by a header, or by a subprotocol that is not sent back", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.member;
    const byHeader = await connect(hub, { key });
    expect(byHeader.socket.protocol).toBe("alkdev.v1");
    const byProtocol = await connect(hub, { protocols: ["alkdev.v1", `bearer.${key}`] });
    expect(byProtocol.socket.protocol).toBe("alkdev.v1");
    for (const raw of [byHeader, byProtocol]) {
      const { items } = await raw.call("graph_types.list", {});
      expect(items.length).toBeGreaterThan(0);
    }
    const inSystem = await connect(hub, { key: data.keys.root, path: "/ws?org=" });
    expect((await inSystem.call("organizations.list", {})).items).toHaveLength(2);
    const named = await connect(hub, { key: data.keys.root, path: "/ws?org=globex" });
    expect((await named.call("graph_types.list", {})).items.length).toBeGreaterThan(0);
  });

  it("that may not be is refused by an HTTP answer, counted and audited", async () => {
    const auth = { failureLimit: { limit: 10, perSeconds: 60 } };
    const { hub, data, errors } = await testHub({ auth, limits: { maxSocketsPerAccount: 1 } });
    const { owner, member, outsider } = data.keys;
    const cases: readonly [Parameters<typeof refusal>[1], number, string][] = [
      [{}, 401, "UNAUTHENTICATED"],
      [{ key: "alk_no" }, 401, "UNAUTHENTICATED"],
      [{ protocols: ["alkdev.v1", "bearer.no"] }, 401, "UNAUTHENTICATED"],
      [{ headers: { authorization: "Basic eDp5" } }, 401, "UNAUTHENTICATED"],
      [{ headers: { authorization: "SSH eDp5" } }, 401, "UNAUTHENTICATED"],
      [{ path: `/ws?key=${owner}` }, 401, "UNAUTHENTICATED"],
      [{ key: owner, org: "globex" }, 403, "FORBIDDEN"],
      [{ key: owner, org: "nowhere" }, 403, "FORBIDDEN"],
      [{ key: owner, path: "/call/graphs.list" }, 404, "OPERATION_NOT_FOUND"],
      [{ key: owner, path: "//" }, 404, "OPERATION_NOT_FOUND"],
    ];
    for (const [options, status, code] of cases) {
      const answer = await refusal(hub, options);
      expect([options, answer.status, answer.code]).toEqual([options, status, code]);
      expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
    }
    hub.core.tenants.suspend("globex");
    expect(await refusal(hub, { key: outsider })).toMatchObject({
      status: 503,
      code: "UNAVAILABLE",
    });
    (await connect(hub, { key: member })).socket.terminate();
    const first = await connect(hub, { key: owner });
    expect(await refusal(hub, { key: owner })).toMatchObject({ status: 503, code: "OVERLOADED" });
    first.socket.close();
    await first.closed;
    await eventually("its place is free", async () => {
      const again = await connect(hub, { key: owner }).catch(() => null);
      again?.socket.terminate();
      return again !== null;
    });
    await eventually("too many failed", async () => {
      const { status, code, headers } = await refusal(hub, { key: "alk_no" });
      if (status === 401) return false;
      expect([status, code]).toEqual([429, "RATE_LIMITED"]);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      return true;
    });
    await connect(hub, { key: member }); // those who are known come in
    const text = await metrics(hub);
    for (const code of ["UNAUTHENTICATED", "FORBIDDEN", "OVERLOADED", "RATE_LIMITED"]) {
      expect(text).toMatch(new RegExp(`alkdev_refused_total\\{code="${code}"\\} [1-9]`));
    }
    hub.core.auth.flush();
    const { system } = hub.core;
    const rows = system.select().from(auditLogs).where(eq(auditLogs.action, "auth.failed")).all();
    const audited = rows.map(({ ownerId, details }) => [ownerId, details?.["reason"]]);
    expect(audited).toContainEqual(["owner", "no_access"]);
    expect(audited.map(([, reason]) => reason)).toContain("malformed");
    expect(rows[0]?.details).toMatchObject({ source: "127.0.0.1" });
    expect(errors.map((one) => (one as unknown[])[0])).toEqual(['opening tenant "globex"']);
  });

  it("that was refused is ended by the hub, whether its client hangs up or not", async () => {
    const { hub } = await testHub();
    const { hostname, port } = new URL(hub.url);
    const socket = createConnection({ host: hostname, port: Number(port), allowHalfOpen: true });
    let ended = false;
    let gone = false;
    socket.on("end", () => {
      ended = true;
    });
    socket.on("error", () => {
      gone = true;
    });
    socket.resume();
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await eventually("the answer is there", () => ended);
    await eventually("the other side is gone", () => {
      if (!gone) socket.write("x");
      return gone;
    });
    socket.destroy();
  });

  it("is not what a client wants that offers HTTP/2: its call is answered", async () => {
    const { hub, data } = await testHub();
    const { hostname, port } = new URL(hub.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.write(
      `POST /call/graphs.list HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 2\r\n` +
        `Authorization: Bearer ${data.keys.owner}\r\n` +
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n{}",
    );
    await eventually("it is answered", () => text.includes('"items"'));
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    socket.destroy();
  });

  it("carries subscriptions, which end with their caller's wish", async () => {
    const { operation, did } = countOperation();
    const { hub, data } = await testHub({ operations: { tenant: [operation] } });
    const raw = await connect(hub, { key: data.keys.member });
    const requestId = raw.request("test.count", { to: 2, wait: true });
    await raw.frame("the second", ({ payload }) => payload.output?.data === 2);
    raw.send("call.aborted", "", { requestId });
    await eventually("the handler ended", () => did.ended === 1);
    const failing = raw.request("test.count", { to: 1, failAt: 1 });
    expect((await raw.answer(failing)).payload).toMatchObject({ code: "NO_LUCK", sequence: 1 });
  });
});

describe("a client of a WebSocket that means no good (M42)", () => {
  it("and sends what is no frame is told so, counted, and cut off", async () => {
    const { hub, data, errors } = await testHub();
    const good = await connect(hub, { key: data.keys.owner });
    const bad = await connect(hub, { key: data.keys.member });
    const nonsense = ["{", "[]", "null", '{"type":1}', '{"type":"__no","id":"","payload":{}}', ""];
    for (let n = 0; n < 120; n++) bad.socket.send(nonsense[n % nonsense.length] ?? "");
    expect(await bad.closed).toEqual([1_008, "too many malformed frames"]);
    expect(new Set(refused(bad))).toEqual(new Set(["MALFORMED_FRAME"]));
    await good.settled();
    expect(await metrics(hub)).toMatch(/alkdev_websockets_cut_off_total\{reason="malformed"\} 1/);
    expect(errors).toEqual([]);
  });

  it("and sends calls that are none is cut off, too, and fills no log", async () => {
    const { hub, data, errors } = await testHub();
    const bad = await connect(hub, { key: data.keys.member });
    for (let n = 0; n < 120; n++) bad.send("call.requested", "", { requestId: n });
    expect(await bad.closed).toEqual([1_008, "too many malformed calls"]);
    expect(await metrics(hub)).toMatch(/cut_off_total\{reason="malformed"\} 1/);
    expect(errors).toEqual([]);
  });

  it("and sends a frame that is too large, or binary, gets nowhere", async () => {
    const { hub, data } = await testHub({ limits: { maxBodyBytes: 10_000 } });
    const large = await connect(hub, { key: data.keys.member });
    large.send("call.requested", "", { requestId: "x", operationId: "y".repeat(20_000) });
    expect((await large.closed)[0]).toBe(1_009);
    const binary = await connect(hub, { key: data.keys.member });
    binary.socket.send(Buffer.from("{}"));
    await binary.settled();
    expect(refused(binary)).toEqual(["MALFORMED_FRAME"]);
  });

  it("and says it is somebody else stays who it is, in the handler and in the call graph", async () => {
    const who = demo("who", (_input, { identity, metadata, ...context }) => ({
      id: identity?.id,
      trusted: (context as { trusted?: unknown }).trusted ?? null,
      metadata: Object.keys(metadata),
    }));
    const { hub, data } = await testHub({ operations: { tenant: [who] } });
    const raw = await connect(hub, { key: data.keys.member });
    const forged = {
      identity: { id: "owner", scopes: ["*"], resources: { "graph:*": ["*"] } },
      trusted: true,
      metadata: { identity: { id: "root" }, trusted: true },
    };
    const answer = await raw.call("demo.who", {}, { ...forged, requestId: "forged" });
    expect(answer).toMatchObject({ id: "member", trusted: null });
    const { items } = await raw.call("graph_types.list", {});
    const input = { graphTypeId: items[0].id, name: "mine" };
    expect(await raw.call("graphs.create", input, forged)).toBe("ACCESS_DENIED");
    expect(await raw.call("accounts.list", {}, forged)).toBe("ACCESS_DENIED");
    using lease = hub.core.runtimes.enter("acme");
    const { calls } = lease.runtime.projection;
    const call = await eventually("it is in the call graph", () => calls.get("forged"));
    expect(JSON.stringify(call)).toContain("member");
    expect(JSON.stringify(call)).not.toMatch(/"owner"/);
  });

  it("hears no calls of others and answers none, whatever topics it names", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = demo("slow", async () => {
      await gate.promise;
      return "right";
    });
    const { hub, data } = await testHub({ operations: { tenant: [slow] } });
    const { owner, member, outsider } = data.keys;
    const victim = await connect(hub, { key: owner });
    const spies = [
      await connect(hub, { key: member }),
      await connect(hub, { key: owner }), // not even one's own on another connection
      await connect(hub, { key: outsider }),
    ];
    const requestId = victim.request("demo.slow", {}, { requestId: "known-id" });
    for (const spy of spies) {
      spy.listen("call.requested:", `call.responded:${requestId}`, `call.error:${requestId}`);
      const output = {
        data: "wrong",
        meta: { source: "local", operationId: "demo.slow", timestamp: 1 },
      };
      spy.send("call.responded", requestId, { requestId, output });
      spy.send("call.error", requestId, { requestId, code: "NO_LUCK", message: "forged" });
      spy.send("call.aborted", "", { requestId });
      await spy.settled();
    }
    gate.resolve();
    expect((await victim.answer(requestId)).payload.output.data).toBe("right");
    for (const spy of spies) {
      await spy.settled();
      expect(heard(spy)).toEqual([]);
    }
    const durable = { topic: `call.responded:${requestId}`, from: "start" };
    spies[0]?.send("__subscribe", "", durable);
    await spies[0]?.settled();
    expect(refused(spies[0] as RawSocket)).toEqual(["REFUSED"]);
  });

  it("and registers one spoke after the other over a connection has one", async () => {
    const { hub, data } = await testHub();
    const raw = await connect(hub, { key: data.keys.owner });
    const spec = {
      version: "1.0.0",
      type: "query",
      description: "For tests.",
      inputSchema: {},
      outputSchema: {},
      accessControl: { requiredScopes: [] },
    };
    const register = (name: string, namespace = name) =>
      raw.call(REGISTER_SPOKE, {
        name,
        instance: "one",
        operations: [{ ...spec, namespace, name: "run" }],
      });
    expect(await register("first")).toEqual({ operations: ["first.run"] });
    expect(await register("first", "renamed")).toEqual({ operations: ["renamed.run"] });
    expect(await register("second")).toBe("ALREADY_EXISTS");
    expect(await register("first", "graphs")).toBe("ALREADY_EXISTS");
    const { items } = await raw.call("spokes.list", {});
    expect(items).toMatchObject([{ name: "first", operations: ["renamed.run"] }]);
    await raw.call("renamed.run", {}, { deadline: Date.now() + 50 });
    expect(await metrics(hub)).toMatch(/operation="spoke",realm="tenant"/);
    expect(await metrics(hub)).not.toMatch(/renamed/);
  });

  it("and does not read is cut off, and holds up nobody", async () => {
    const { hub, data } = await testHub({ limits: { maxBufferedBytes: 200_000 } });
    const slow = await connect(hub, { key: data.keys.member });
    const fast = await connect(hub, { key: data.keys.member });
    const sender = await connect(hub, { key: data.keys.owner });
    for (const raw of [slow, fast]) {
      raw.listen("news:");
      await raw.settled();
    }
    slow.socket.pause();
    const text = "x".repeat(100_000);
    let sent = 0;
    await eventually(
      "the slow one is cut off",
      async () => {
        sender.send("news", "", { text, n: ++sent });
        await sender.settled();
        return hub.core.connections === 2;
      },
      20_000,
    );
    await eventually("the fast one has it all", () => heard(fast).length === sent);
    slow.socket.resume();
    expect((await slow.closed)[0]).toBe(1_013);
    expect(heard(slow).length).toBeLessThan(sent);
    expect(await metrics(hub)).toMatch(/cut_off_total\{reason="slow"\} 1/);
  });
});

describe("events over WebSockets (M42)", () => {
  it("go as far as the routes say, once to each who listens, and to no other organisation", async () => {
    const routes = [
      { type: "kept.*", reach: "durable" },
      { type: "here.*", reach: "local" },
      { type: "*", reach: "ephemeral" },
    ] as const;
    const { hub, data } = await testHub({ events: { routes } });
    const { hub: second } = await testHub({ events: { routes }, name: "second" }, data);
    const { owner, member, outsider } = data.keys;
    const sender = await connect(hub, { key: owner });
    const near = await connect(hub, { key: member });
    const far = await connect(second, { key: member });
    const stranger = await connect(hub, { key: outsider });
    const types = ["kept.note", "here.note", "any.note"];
    for (const raw of [sender, near, far, stranger]) {
      raw.listen(...types.map((type) => `${type}:1`));
      await raw.settled();
    }
    for (const type of types) sender.send(type, "1", { type });
    await eventually("those far away have theirs", () => heard(far).length === 2);
    await sender.settled();
    await near.settled();
    await stranger.settled();
    expect(heard(near).sort()).toEqual([...types].sort());
    expect(heard(sender).sort()).toEqual([...types].sort());
    expect(heard(far).sort()).toEqual(["any.note", "kept.note"]);
    expect(heard(stranger)).toEqual([]);
    using lease = hub.core.runtimes.enter("acme");
    const { $client } = lease.runtime.db;
    expect($client.stream("events").readSince(0, 10)).toHaveLength(1);
    expect(
      $client.query("SELECT channel FROM _honker_notifications WHERE channel LIKE '%note%'"),
    ).toEqual([{ channel: "any.note:1" }]);
  });

  it("that are durable are there for who comes later, from the offset it has", async () => {
    const { hub, data } = await testHub();
    const sender = await connect(hub, { key: data.keys.owner });
    for (const n of [1, 2, 3]) sender.send("session.note", "a", n);
    await sender.settled();
    const late = await connect(hub, { key: data.keys.member });
    const wrapped = (raw: RawSocket) =>
      raw.frames.filter(({ type }) => type === "__event").map(({ payload }) => payload);
    late.send("__subscribe", "", { topic: "session.note:a", from: "start" });
    await eventually("all three are there", () => wrapped(late).length === 3);
    expect(wrapped(late).map(({ detail }) => detail.payload)).toEqual([1, 2, 3]);
    const again = await connect(hub, { key: data.keys.member });
    const { offset: after } = wrapped(late)[1];
    again.send("__subscribe", "", { topic: "session.note:a", after });
    await eventually("the third is there", () => wrapped(again).length === 1);
    expect(wrapped(again)[0].detail.payload).toBe(3);
  });

  it("need events:read to hear them, events:write to send them or to keep a place among them", async () => {
    const { hub, data, errors } = await testHub();
    const { system } = hub.core;
    const limited = createApiKey(system, { ownerId: "owner", scopes: ["graphs:read"] }).key;
    const deaf = await connect(hub, { key: limited });
    deaf.listen("news:");
    deaf.send("news", "", 1);
    await deaf.settled();
    expect(refused(deaf)).toEqual(["REFUSED", "REFUSED"]);
    const reader = await connect(hub, { key: data.keys.member });
    reader.listen("news:");
    reader.send("news", "", 1);
    reader.send("__subscribe", "", { topic: "session.x:", consumer: "spoke:north:events" });
    await reader.settled();
    expect(refused(reader)).toEqual(["REFUSED", "REFUSED"]);
    expect(heard(reader)).toEqual([]);
    const nobody = await connect(hub, { key: data.keys.root, path: "/ws?org=" });
    nobody.listen("tenant:state_changed");
    await nobody.settled();
    expect(refused(nobody)).toEqual([]); // accounts of the level admin may hear the system's
    expect(errors).toEqual([]);
  });
});

describe("many subscriptions (M42)", () => {
  it("run at once: 1,000 over 20 connections each hear an event, and end with their connections", async () => {
    const { hub, data, errors } = await testHub({ auth: { keyLimit: null } });
    const { member, owner } = data.keys;
    const raws = await Promise.all(Array.from({ length: 20 }, () => connect(hub, { key: member })));
    for (const raw of raws) {
      for (let n = 0; n < 50; n++) raw.request("channels.listen", { channel: `chan-${n}` });
    }
    await eventually("all run", () => hub.core.subscriptions === 1_000, 20_000);
    for (const raw of raws) await raw.settled();
    for (let n = 0; n < 50; n++) {
      const input = { channel: `chan-${n}`, payload: n };
      await post(hub, "/call/channels.notify", { key: owner, input });
    }
    await eventually(
      "all have heard",
      () =>
        raws.every((raw) => heard(raw).filter((type) => type === "call.responded").length >= 50),
      20_000,
    );
    for (const raw of raws) raw.socket.terminate();
    await eventually("all have ended", () => hub.core.subscriptions === 0, 20_000);
    expect(errors).toEqual([]);
  });

  it("over one connection are limited, as calls are", async () => {
    const { operation, did } = countOperation();
    const gate = Promise.withResolvers<void>();
    const slow = demo("slow", () => gate.promise.then(() => "done"));
    const { hub, data } = await testHub({
      operations: { tenant: [operation, slow] },
      limits: { maxSubscriptionsPerSocket: 2, maxCallsPerSocket: 2 },
    });
    const raw = await connect(hub, { key: data.keys.owner });
    for (let n = 0; n < 2; n++) raw.request("test.count", { to: 0, wait: true });
    await eventually("both run", () => did.started === 2);
    expect(await raw.call("test.count", { to: 1 })).toBe("OVERLOADED");
    const running = [1, 2].map(() => raw.request("demo.slow", {}));
    expect(await raw.call("demo.slow", {})).toBe("OVERLOADED");
    gate.resolve();
    for (const id of running) expect((await raw.answer(id)).payload.output.data).toBe("done");
    expect(await raw.call("demo.slow", {})).toBe("done");
  });
});

describe("a request that is sent again (M42)", () => {
  it("has one effect and the same outcome, over this connection, another one, and HTTP", async () => {
    const { hub, data } = await testHub();
    const { owner, root } = data.keys;
    const first = await connect(hub, { key: owner });
    const { items } = await first.call("graph_types.list", {});
    const input = { graphTypeId: items[0].id, name: "once" };
    const once = { requestId: "the-same" };
    const created = await first.call("graphs.create", input, once);
    first.frames.length = 0;
    expect(await first.call("graphs.create", input, once)).toEqual(created);
    const second = await connect(hub, { key: owner });
    const [a, b] = [1, 2].map(() => second.request("graphs.create", input, once));
    expect(a).toBe(b);
    expect((await second.answer("the-same")).payload.output.data).toEqual(created);
    const byHttp = await post(hub, "/call/graphs.create", {
      key: owner,
      input,
      headers: { "idempotency-key": "the-same" },
    });
    expect(byHttp.body.data).toEqual(created);
    // by somebody else it is another request
    const other = await connect(hub, { key: root, org: "acme" });
    expect((await other.call("graphs.create", input, once)).id).not.toBe(created.id);
    const refusedOnce = { requestId: "refused" };
    const wrong = { ...input, graphTypeId: "nope" };
    const codes = [];
    for (const raw of [first, second])
      codes.push(await raw.call("graphs.create", wrong, refusedOnce));
    expect(codes[0]).toBe(codes[1]);
    const { items: graphs } = await first.call("graphs.list", { filter: { name: { eq: "once" } } });
    expect(graphs).toHaveLength(2);
  });
});

describe("a WebSocket connection ends (M41, M42)", () => {
  it("with its key: calls at once, also the first one, and then the connection", async () => {
    const { hub, data } = await testHub({ limits: { heartbeatMs: 300 } });
    const silent = await connect(hub, { key: data.keys.member });
    const theirs = await connect(hub, { key: data.keys.owner });
    revoke(hub, "member");
    expect(await silent.call("graphs.list", {})).toBe("UNAUTHENTICATED");
    expect(await silent.closed).toEqual([4_401, "the session ended"]);
    await theirs.settled();
    expect(await metrics(hub)).toMatch(/cut_off_total\{reason="session"\} 1/);
  });

  it("with the membership", async () => {
    const { hub, data } = await testHub({ limits: { heartbeatMs: 100 } });
    const raw = await connect(hub, { key: data.keys.member });
    removeMember(hub.core.system, { orgId: "acme", accountId: "member" });
    expect(await raw.closed).toEqual([4_401, "the session ended"]);
  });

  it("not for asking too often", async () => {
    const auth = { keyLimit: { limit: 5, perSeconds: 60 } };
    const { hub, data } = await testHub({ auth, limits: { heartbeatMs: 50 } });
    const raw = await connect(hub, { key: data.keys.member });
    await eventually("it is limited", async () => {
      return (await raw.call("graphs.list", {})) === "RATE_LIMITED";
    });
    await raw.settled();
    expect(hub.core.connections).toBe(1);
  });

  it("with the tenant, and is not let in again before it is resumed", async () => {
    const { hub, data } = await testHub();
    const key = data.keys.member;
    const raw = await connect(hub, { key });
    hub.core.tenants.suspend("acme");
    expect((await raw.closed)[0]).toBe(1_001);
    expect((await refusal(hub, { key })).status).toBe(503);
    hub.core.tenants.resume("acme");
    await (await connect(hub, { key })).settled();
  });

  it("with the hub, which does not wait for a client that answers nothing", async () => {
    const { hub, data } = await testHub();
    const raw = await connect(hub, { key: data.keys.owner });
    raw.socket.pause();
    const began = performance.now();
    await hub.stop();
    expect(performance.now() - began).toBeLessThan(10_000);
    raw.socket.resume();
    expect((await raw.closed)[0]).toBe(1_001);
  });

  it("with the hub, once the calls that run are answered", async () => {
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const slow = demo("slow", async () => {
      runs += 1;
      await gate.promise;
      return "done";
    });
    const { hub, data, errors } = await testHub({ operations: { tenant: [slow] } });
    const raw = await connect(hub, { key: data.keys.owner });
    const ids = Array.from({ length: 20 }, () => raw.request("demo.slow", {}));
    await eventually("all run", () => runs === 20);
    const stopped = hub.stop();
    await eventually("it takes no more", async () => {
      return (await raw.call("graphs.list", {})) === "UNAVAILABLE";
    });
    gate.resolve();
    expect((await raw.closed)[0]).toBe(1_001);
    await stopped;
    for (const id of ids) expect((await raw.answer(id)).payload.output?.data).toBe("done");
    expect(errors).toEqual([]);
  });
});
