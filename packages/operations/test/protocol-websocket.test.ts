import type { AddressInfo } from "node:net";
import { pipe, toArray } from "@alkdev/pubsub";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  type CallerEvent,
  type CallerOptions,
  createCaller,
  createCallHandler,
  type Identity,
} from "../src/index.ts";
import { ada, addSpec, code, countSpec, quietRegistry } from "./fixtures.ts";
import { aborted, deferred, upTo, type Work, workSpec } from "./protocol-fixtures.ts";

/** A hub that knows its clients by the name in their URL, and serves them. */
async function startHub(work: Work = (input) => input) {
  const { registry } = quietRegistry();
  registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  registry.register({ ...workSpec, handler: work });
  registry.register({ ...countSpec, handler: upTo });
  const identities = new WeakMap<object, Identity>();
  const eventTarget = createWebSocketServerEventTarget<Identity>({
    onConnection(connection) {
      // the same event goes to the listeners of the connection, then to those of the server
      const remember = (event: object): void => void identities.set(event, connection.context);
      for (const type of ["call.requested:", "call.aborted:", "call.credit:"]) {
        connection.addEventListener(type, remember);
      }
    },
  });
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket, { url = "" }) => {
    const id = new URL(url, "ws://hub").searchParams.get("as") ?? "";
    eventTarget.addConnection(socket, { id, scopes: id === "ada" ? ["math:*"] : [] });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const handler = createCallHandler({
    registry,
    eventTarget,
    identityOf: (event: CallerEvent) => identities.get(event) ?? null,
    onError: () => {},
  });
  onTestFinished(async () => {
    await handler.close({ drainMs: 0 });
    await eventTarget.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { handler, server, eventTarget, url: `ws://127.0.0.1:${port}` };
}

function connect(url: string, as: string, options: Partial<CallerOptions> = {}) {
  const eventTarget = createWebSocketClientEventTarget({
    url: `${url}?as=${as}`,
    createSocket: (address) => new WebSocket(address),
    reconnect: { baseMs: 5, maxMs: 20 },
    onError: () => {},
  });
  const caller = createCaller({ eventTarget, onError: () => {}, ...options });
  onTestFinished(async () => {
    caller.close();
    await eventTarget.close();
  });
  return { caller, eventTarget };
}

describe("calls over WebSocket (M40)", () => {
  it.each([
    ["with topics of their own", {}],
    ["with one set of topics for all", { replyTo: "spoke-1" }],
  ])("are answered %s", async (_, options) => {
    const { url } = await startHub();
    const { caller } = connect(url, "ada", options);
    const sums = await Promise.all(
      Array.from({ length: 100 }, (_, n) => caller.call(addSpec, { a: n, b: n })),
    );
    expect(sums.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, n) => n * 2));
    const answers = await pipe(caller.subscribe(countSpec, { to: 1_000 }), toArray());
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
    expect(caller.stats()).toMatchObject({ pending: 0, malformed: 0, unknown: 0 });
  });

  it("however many at once take five topics when all answers take one set of topics", async () => {
    const go = deferred();
    const { url, eventTarget } = await startHub(() => go.promise);
    const { caller } = connect(url, "ada", { replyTo: "spoke-1" });
    const calls = Array.from({ length: 500 }, (_, n) => caller.call(workSpec, n));
    await eventually("they have arrived", () => eventTarget.stats().topics > 0);
    expect(eventTarget.stats().topics).toBe(5);
    go.resolve();
    await Promise.all(calls);
  });

  it("are made by who is connected, whatever the request says", async () => {
    const { url } = await startHub();
    const { caller } = connect(url, "eve");
    await expect(caller.call(addSpec, { a: 1, b: 2 }, { identity: ada })).rejects.toThrow(
      code("ACCESS_DENIED"),
    );
  });

  it("are answered over a later connection when one is lost in the middle", async () => {
    const go = deferred();
    let runs = 0;
    const { url, server, handler } = await startHub(async () => {
      runs += 1;
      await go.promise;
      return "done";
    });
    const { caller, eventTarget } = connect(url, "ada", { idleTimeoutMs: 5_000 });
    const call = caller.call(workSpec, 1);
    await eventually("it runs", () => handler.stats().calls === 1);
    for (const client of server.clients) client.terminate();
    await eventTarget.settled();
    go.resolve();
    expect((await call).data).toBe("done");
    expect(runs).toBe(1);
  });

  it("whose answer was lost end by silence, and give their result when asked again", async () => {
    let runs = 0;
    const go = deferred();
    const { url, server, handler } = await startHub(async () => {
      runs += 1;
      await go.promise;
      return runs;
    });
    const { caller, eventTarget } = connect(url, "ada");
    const call = caller.call(workSpec, 1, { requestId: "r", idleTimeoutMs: 200 });
    await eventually("it runs", () => handler.stats().calls === 1);
    // nobody is connected when the answer goes out
    for (const client of server.clients) client.terminate();
    go.resolve();
    await expect(call).rejects.toMatchObject({ code: "TIMEOUT" });
    await eventTarget.settled();
    expect((await caller.call(workSpec, 1, { requestId: "r" })).data).toBe(1);
    expect(runs).toBe(1);
  });

  it("of a client that is gone for good end on the hub", async () => {
    const { url, handler } = await startHub();
    const { caller, eventTarget } = connect(url, "ada");
    const answers = caller.subscribe(countSpec, { to: 1e9 }, { window: 4, idleTimeoutMs: 150 });
    await answers.next();
    await eventTarget.close(); // without a word
    await eventually("it is over", () => handler.stats().subscriptions === 0);
  });

  it("can be made by a hub on a spoke, and taken back", async () => {
    const { url, eventTarget: hub } = await startHub();
    const { registry } = quietRegistry();
    const seen = deferred();
    registry.register({
      ...workSpec,
      handler: async (_, { signal }) => {
        await aborted(signal);
        seen.resolve();
      },
    });
    const { eventTarget: spoke } = connect(url, "spoke-1");
    const serving = {
      registry,
      eventTarget: spoke,
      route: "spoke-1",
      trustIdentity: true as const,
    };
    const handler = createCallHandler(serving);
    onTestFinished(() => handler.close({ drainMs: 0 }));
    await spoke.settled();
    const caller = createCaller({ eventTarget: hub, route: "spoke-1" });
    const identity = { id: "hub", scopes: ["math:*"] };
    const call = caller.call(workSpec, 1, { identity, timeoutMs: 50 });
    await expect(call).rejects.toThrow(code("TIMEOUT"));
    await seen.promise;
    await eventually("it is over", () => handler.stats().calls === 0);
  });
});
