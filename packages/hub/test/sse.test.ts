import { createConnection } from "node:net";
import { addMember, listApiKeys, removeMember, revokeApiKey } from "@alkdev/storage/sqlite";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import type { Hub } from "../src/index.ts";
import { type HubData, post, testHub } from "./hub-fixture.ts";
import { countOperation, subscribe } from "./sse-fixture.ts";

/** A hub that looks often whether those who listen still may, with the operation `test.count`. */
async function countingHub(options: Parameters<typeof testHub>[0] = {}, scope?: string) {
  const { operation, did } = countOperation(scope);
  const limits = { heartbeatMs: 50, ...options.limits };
  const made = await testHub({ ...options, limits, operations: { tenant: [operation] } });
  return { ...made, did };
}

/** Publishes on a stream `news` and returns the offsets. */
async function publish(hub: Hub, { keys }: HubData, payloads: readonly string[]) {
  const offsets: number[] = [];
  for (const payload of payloads) {
    const input = { stream: "news", payload };
    const { body } = await post(hub, "/call/streams.publish", { key: keys.owner, input });
    offsets.push(body.data.offset);
  }
  return offsets;
}

function revoke({ core: { system } }: Hub, ownerId: string): void {
  for (const { id } of listApiKeys(system, { ownerId }).items) revokeApiKey(system, id);
}

describe("subscriptions by server-sent events (M42)", () => {
  it.each(["GET", "POST"] as const)(
    "by %s get each answer as an event, and the end",
    async (method) => {
      const { hub, data } = await countingHub();
      const headers = { "idempotency-key": "sub-1" };
      const input = { to: 3 };
      const stream = await subscribe(hub, "test.count", {
        key: data.keys.member,
        input,
        headers,
        method,
      });
      expect(stream.status).toBe(200);
      expect(stream.headers.get("content-type")).toBe("text/event-stream");
      expect(stream.headers.get("alkdev-request")).toBe("sub-1");
      const events = await stream.rest();
      expect(events.map(({ event, data }) => [event, data.data])).toEqual([
        ["answer", 1],
        ["answer", 2],
        ["answer", 3],
        ["completed", undefined],
      ]);
      using lease = hub.core.runtimes.enter("acme");
      const { calls } = lease.runtime.projection;
      await eventually("it is in the call graph", () => calls.get("sub-1")?.status === "completed");
    },
  );

  it("of a stream carry offsets, and go on after the one a browser saw last", async () => {
    const { hub, data } = await countingHub();
    const key = data.keys.member;
    const offsets = await publish(hub, data, ["a", "b", "c"]);
    const input = { stream: "news", from: "start" };
    const first = await subscribe(hub, "streams.tail", { key, input });
    const seen = [await first.next(), await first.next()];
    first.leave();
    expect(seen.map((one) => [one?.id, one?.data.data.payload])).toEqual([
      [String(offsets[0]), "a"],
      [String(offsets[1]), "b"],
    ]);
    const headers = { "last-event-id": seen[1]?.id ?? "" };
    const again = await subscribe(hub, "streams.tail", { key, input, headers });
    expect((await again.next())?.data.data.payload).toBe("c");
    await publish(hub, data, ["d"]);
    expect((await again.next())?.data.data.payload).toBe("d");
    again.leave();
  });

  it("are refused with a Last-Event-ID that was never sent, rather than begin elsewhere", async () => {
    const { hub, data } = await countingHub();
    const key = data.keys.member;
    for (const id of ["x", "-1", "1e3", "0x10", "1.5", "99999999999999999999", " "]) {
      const headers = { "last-event-id": id };
      const input = { stream: "news" };
      const { status, next } = await subscribe(hub, "streams.tail", { key, input, headers });
      const body = (await next())?.data;
      // a header of blanks arrives empty
      expect([id, status, body.error?.code]).toEqual([id, 400, "MALFORMED_REQUEST"]);
    }
    const headers = { "last-event-id": "x" };
    const other = await subscribe(hub, "test.count", { key, input: { to: 1 }, headers });
    expect(other.status).toBe(200);
    await other.rest();
  });

  it("that may not be are refused by status, before anything is sent", async () => {
    const { hub, data, did } = await countingHub({}, "graphs:write");
    const { owner, member } = data.keys;
    const input = { to: 1 };
    const cases: readonly [string, Parameters<typeof subscribe>[2], number, string][] = [
      ["test.count", { input }, 401, "UNAUTHENTICATED"],
      ["test.count", { key: "alk_no", input }, 401, "UNAUTHENTICATED"],
      ["test.count", { key: member, input }, 403, "ACCESS_DENIED"],
      ["test.count", { key: owner, input, headers: { "alkdev-org": "globex" } }, 403, "FORBIDDEN"],
      ["no.such", { key: owner }, 404, "OPERATION_NOT_FOUND"],
      ["graphs.list", { key: owner }, 405, "WRONG_OPERATION_TYPE"],
      ["test.count", { key: owner, input: { to: "x" } }, 400, "VALIDATION_ERROR"],
      ["test.count", { key: owner, input: "{" }, 400, "MALFORMED_REQUEST"],
      [
        "test.count",
        { key: owner, input, headers: { "alkdev-timeout-ms": "0" } },
        400,
        "MALFORMED_REQUEST",
      ],
    ];
    for (const [operation, options, status, code] of cases) {
      const stream = await subscribe(hub, operation, options);
      const body = (await stream.next())?.data;
      expect([operation, stream.status, body.error?.code]).toEqual([operation, status, code]);
    }
    expect(did.started).toBe(0);
    expect(hub.core.subscriptions).toBe(0);
  });

  it("that fail later end with an event that says why, and nothing of the inside", async () => {
    const { hub, data, did } = await countingHub();
    const key = data.keys.member;
    const headers = { "idempotency-key": "fails" };
    const input = { to: 9, failAt: 3 };
    const events = await (await subscribe(hub, "test.count", { key, input, headers })).rest();
    expect(events.map(({ event }) => event)).toEqual(["answer", "answer", "error"]);
    expect(events[2]?.data).toEqual({
      error: expect.objectContaining({ code: "NO_LUCK", requestId: "fails" }),
    });
    const timed = await subscribe(hub, "test.count", {
      key,
      input: { to: 1, wait: true },
      headers: { "alkdev-timeout-ms": "100" },
    });
    expect((await timed.rest()).at(-1)?.data.error.code).toBe("TIMEOUT");
    expect(did.ended).toBe(2);
    expect(hub.core.subscriptions).toBe(0);
  });

  it("of a client that goes away end their handler, and leave nothing open", async () => {
    const { hub, data, did, errors } = await countingHub();
    const key = data.keys.member;
    const input = { to: 1, wait: true };
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => subscribe(hub, "test.count", { key, input })),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    expect(hub.core.subscriptions).toBe(20);
    for (const stream of streams) stream.leave();
    await eventually("all handlers have ended", () => did.ended === 20);
    await eventually("nothing is open", () => hub.core.subscriptions === 0);
    expect(errors).toEqual([]);
  });

  it("of a client that is gone before it is answered leave nothing open either", async () => {
    const { hub, data, errors } = await countingHub();
    const { hostname, port } = new URL(hub.url);
    const input = encodeURIComponent(JSON.stringify({ to: 1_000_000, bytes: 1_000 }));
    const sockets = Array.from({ length: 50 }, () => {
      const socket = createConnection({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.write(
        `GET /subscribe/test.count?input=${input} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
          `Authorization: Bearer ${data.keys.member}\r\n\r\n`,
        () => socket.resetAndDestroy(),
      );
      return socket;
    });
    await eventually("all are gone", () => sockets.every(({ destroyed }) => destroyed));
    await eventually("the hub has dealt with them", async () => {
      const { status } = await fetch(`${hub.url}/healthz`);
      return status === 200 && hub.core.subscriptions === 0;
    });
    expect(errors).toEqual([]);
  });

  it("of a client that does not read wait for it, and are cut off when it never does", async () => {
    const { hub, data, did } = await countingHub({
      limits: {
        heartbeatMs: 100,
        headersTimeoutMs: 400,
        requestTimeoutMs: 400,
        callTimeoutMs: 400,
      },
    });
    const { hostname, port } = new URL(hub.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.on("error", () => undefined);
    socket.pause();
    const input = encodeURIComponent(JSON.stringify({ to: 100_000, bytes: 50_000 }));
    socket.write(
      `GET /subscribe/test.count?input=${input} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
        `Authorization: Bearer ${data.keys.member}\r\n\r\n`,
    );
    const other = await subscribe(hub, "test.count", {
      key: data.keys.owner,
      input: { to: 1, wait: true },
    });
    await other.next();
    await eventually("its handler has ended", () => did.ended === 1, 20_000);
    // what the operating systems of both sides hold, and no more
    expect(did.yielded).toBeLessThan(1_000);
    // one that hears nothing but comments in all that time stays
    expect(hub.core.subscriptions).toBe(1);
    other.leave();
    socket.destroy();
  });

  it("are not begun for who wants no body", async () => {
    const { hub, data, did } = await countingHub();
    const url = `${hub.url}/subscribe/test.count?input={"to":100}`;
    const headers = { authorization: `Bearer ${data.keys.member}` };
    expect((await fetch(url, { method: "HEAD", headers })).status).toBe(405);
    expect(did.started).toBe(0);
    expect(hub.core.subscriptions).toBe(0);
  });

  it("are kept open by comments while nothing happens", async () => {
    const { hub, data } = await countingHub();
    const left = new AbortController();
    const response = await fetch(`${hub.url}/subscribe/channels.listen?input={"channel":"quiet"}`, {
      headers: { authorization: `Bearer ${data.keys.member}` },
      signal: left.signal,
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let n = 0; n < 3; n++) {
      const { value } = await reader.read();
      expect(Buffer.from(value as Uint8Array).toString()).toMatch(/^(: \n\n)+$/);
    }
    left.abort();
  });
});

describe("a subscription by server-sent events ends (M41, M42)", () => {
  it("soon after its key is revoked, and nobody else's does", async () => {
    const { hub, data } = await countingHub();
    const input = { to: 1, wait: true };
    const theirs = await subscribe(hub, "test.count", { key: data.keys.owner, input });
    const mine = await subscribe(hub, "test.count", { key: data.keys.member, input });
    await mine.next();
    await theirs.next();
    revoke(hub, "member");
    const [end] = await mine.rest();
    expect(end).toMatchObject({ event: "error", data: { error: { code: "UNAUTHENTICATED" } } });
    expect(hub.core.subscriptions).toBe(1);
    theirs.leave();
  });

  it("with the membership", async () => {
    const { hub, data } = await countingHub();
    const input = { stream: "news" };
    const stream = await subscribe(hub, "streams.tail", { key: data.keys.member, input });
    await eventually("it runs", () => hub.core.subscriptions === 1);
    removeMember(hub.core.system, { orgId: "acme", accountId: "member" });
    const [end] = await stream.rest();
    expect(end).toMatchObject({ event: "error", data: { error: { code: "FORBIDDEN" } } });
  });

  it("with the scope that it needs", async () => {
    const { hub, data } = await countingHub({}, "graphs:write");
    const { system } = hub.core;
    const key = { orgId: "acme", accountId: "member" };
    removeMember(system, key);
    addMember(system, { ...key, membershipLevel: "admin" });
    const input = { to: 1, wait: true };
    const stream = await subscribe(hub, "test.count", { key: data.keys.member, input });
    await stream.next();
    system.transaction(() => {
      removeMember(system, key);
      addMember(system, { ...key, membershipLevel: "member" });
    });
    const [end] = await stream.rest();
    expect(end).toMatchObject({ event: "error", data: { error: { code: "ACCESS_DENIED" } } });
  });

  it("with the hub, which does not wait for it", async () => {
    const { hub, data, errors } = await countingHub({ drainMs: 60_000 });
    const key = data.keys.member;
    const tail = await subscribe(hub, "streams.tail", { key, input: { stream: "news" } });
    const listen = await subscribe(hub, "channels.listen", {
      key: data.keys.root,
      input: { channel: "tenant:state_changed" },
    });
    await hub.stop();
    for (const stream of [tail, listen]) {
      const [end] = await stream.rest();
      expect(end).toMatchObject({ event: "error", data: { error: { code: "UNAVAILABLE" } } });
    }
    expect(errors).toEqual([]);
  });

  it("with the tenant, at once, so that nothing waits for who only listens", async () => {
    const { hub, data, errors } = await countingHub();
    const input = { stream: "news" };
    const stream = await subscribe(hub, "streams.tail", { key: data.keys.member, input });
    hub.core.tenants.suspend("acme");
    const [end] = await stream.rest();
    expect(end).toMatchObject({ event: "error", data: { error: { code: "UNAVAILABLE" } } });
    await hub.core.tenants.archive("acme", { waitMs: 5_000 });
    const again = await subscribe(hub, "streams.tail", { key: data.keys.member, input });
    expect(again.status).toBe(503);
    expect(errors.map((one) => (one as unknown[])[0])).toEqual(['opening tenant "acme"']);
  });
});
