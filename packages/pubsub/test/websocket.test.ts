import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPubSub } from "../src/index.ts";
import {
  code,
  envelope,
  rawClient,
  socketOf,
  startClient,
  startServer,
} from "./websocket-fixtures.ts";

describe("WebSocket server target, against clients that misbehave (M23)", () => {
  it("answers and counts frames it does not understand, and cuts off who sends too many", async () => {
    const { target, url } = await startServer({ maxMalformed: 12 });
    const client = await rawClient(url);
    const heard: unknown[] = [];
    target.addEventListener("a:1", (event) => void heard.push(event.detail));
    const frames = [
      "not json",
      "null",
      "[]",
      '"text"',
      '{"type":1,"id":""}',
      '{"type":"__unknown","id":"","payload":{}}',
      '{"type":"__subscribe","id":"","payload":null}',
      '{"type":"__subscribe","id":"","payload":{}}',
      '{"type":"__subscribe","id":"","payload":{"topic":"__x:"}}',
      '{"type":"__event","id":"","payload":{"topic":"__x:","detail":1}}',
      '{"type":"__subscribe","id":"","payload":{"topic":"a:1","after":-1}}',
    ];
    for (const frame of frames) client.send(frame);
    client.send({ type: "a", id: "1", payload: "well-formed" });
    await eventually("the good one arrives", () => heard.length === 1);
    expect(client.received.map((frame) => [frame.type, frame.payload.code])).toEqual(
      frames.map(() => ["__error", "MALFORMED_FRAME"]),
    );
    expect(target.stats().malformed).toBe(frames.length);
    expect([...target.connections][0]?.malformed).toBe(frames.length);
    client.socket.send(Buffer.from([1, 2, 3]));
    await eventually("it is cut off", () => client.closed.code === 1_008);
    expect(target.stats()).toMatchObject({ connections: 0, malformed: 12 });
  });

  it("ends a connection that sends too large a frame with 1009", async () => {
    const { url, target } = await startServer({ maxFrameBytes: 100 });
    const client = await rawClient(url);
    client.send({ type: "a", id: "", payload: "x".repeat(100) });
    await eventually("it is closed", () => client.closed.code === 1_009);
    expect(target.stats().connections).toBe(0);
  });

  it("refuses more topics than allowed, and keeps the others", async () => {
    const { url, target } = await startServer({ maxTopics: 2 });
    const client = await rawClient(url);
    for (const topic of ["a:", "b:", "c:", "a:"]) client.control("__subscribe", { topic });
    await eventually("the third is refused", () => client.received.length > 0);
    expect(client.received).toMatchObject([{ payload: { code: "REFUSED", topic: "c:" } }]);
    expect([...([...target.connections][0]?.topics ?? [])]).toEqual(["a:", "b:"]);
  });

  it("deals with an event behind the subscriptions sent before it", async () => {
    const { target, url } = await startServer();
    const topics = Array.from({ length: 20 }, (_, n) => `answer:${n}`);
    target.addEventListener("ask:", () => {
      for (const topic of topics) target.dispatchEvent(envelope(topic, 1));
    });
    const { target: client } = startClient(url);
    const heard: string[] = [];
    for (const topic of topics) client.addEventListener(topic, () => heard.push(topic));
    // all of it leaves in one go when the connection opens
    client.dispatchEvent(envelope("ask:", null));
    await eventually("every answer is heard", () => heard.length === topics.length);
  });

  it("asks authorize before every subscription and every event", async () => {
    const heard: unknown[] = [];
    const { url, target, errors } = await startServer({
      authorize: ({ action, topic }) => {
        if (topic === "throws:") throw new Error("the check failed");
        return topic === "open:" || (topic === "read:" && action === "subscribe");
      },
    });
    for (const topic of ["open:", "read:", "shut:"]) {
      target.addEventListener(topic, (event) => void heard.push(event.type));
    }
    const client = await rawClient(url);
    for (const topic of ["open:", "read:", "shut:", "throws:"]) {
      client.control("__subscribe", { topic });
      client.send({ type: topic.slice(0, -1), id: "", payload: null });
    }
    await eventually("all are answered", () => client.received.length === 5);
    expect(heard).toEqual(["open:"]);
    expect(target.stats().topics).toBe(2);
    expect(client.received.map((frame) => frame.payload.code)).toEqual([
      "REFUSED",
      "REFUSED",
      "REFUSED",
      "TRANSPORT",
      "TRANSPORT",
    ]);
    expect(JSON.stringify(client.received)).not.toContain("the check failed");
    expect(errors.map(String)).toEqual(["Error: the check failed", "Error: the check failed"]);
  });

  it("tells onBackpressure about a slow client, cuts it off with 1013, and serves the others", async () => {
    const slow: number[] = [];
    const { url, target } = await startServer({
      maxBufferedAmount: 100_000,
      onBackpressure: (_, bytes) => slow.push(bytes),
    });
    const stuck = await rawClient(url);
    stuck.control("__subscribe", { topic: "a:" });
    const reading = await rawClient(url);
    reading.control("__subscribe", { topic: "a:" });
    await eventually("both are subscribed", () =>
      [...target.connections].every((each) => [...each.topics].length === 1),
    );
    stuck.socket.pause();
    let sent = 0;
    await eventually("the slow one is cut off", async () => {
      target.dispatchEvent(envelope("a:", "x".repeat(50_000)));
      sent += 1;
      await eventually("the other got it", () => reading.received.length === sent);
      return slow.length > 0;
    });
    expect(slow[0]).toBeGreaterThan(100_000);
    expect(target.stats()).toMatchObject({ connections: 1, slow: 1 });
    stuck.socket.resume();
    await eventually("it hears why", () => stuck.closed.code === 1_013);
    expect(reading.socket.readyState).toBe(1);
  });

  it("cuts off a client that answers no ping", async () => {
    const { url, target } = await startServer({ heartbeatMs: 20 });
    const dead = await rawClient(url, { autoPong: false });
    const alive = await rawClient(url);
    await eventually("the dead one is noticed", () => target.stats().dead === 1);
    await eventually("it is gone", () => dead.closed.code === 1_006);
    expect(target.stats().connections).toBe(1);
    expect(alive.socket.readyState).toBe(1);
  });

  it("gives each connection a target and a context of its own", async () => {
    const hellos: string[] = [];
    const gone: number[] = [];
    const { server, target, url } = await startServer({
      onConnection: (connection) => {
        connection.addEventListener("hello:", (event) => {
          hellos.push(`${connection.id} ${String(event.detail.payload)}`);
          connection.dispatchEvent(envelope("direct:", connection.id));
        });
      },
      onDisconnection: (connection) => gone.push(connection.id),
    });
    const clients = [await rawClient(url), await rawClient(url)];
    for (const [index, client] of clients.entries()) {
      client.control("__subscribe", { topic: "direct:" });
      client.send({ type: "hello", id: "", payload: index });
    }
    await eventually("both are answered", () =>
      clients.every((each) => each.received.length === 1),
    );
    expect(hellos.sort()).toEqual(["1 0", "2 1"]);
    expect(clients.map((each) => each.received[0]?.payload)).toEqual([1, 2]);
    for (const socket of server.clients) {
      if (target.addConnection(socket).id === 1) target.removeConnection(socket);
    }
    await eventually("it is closed", () => clients[0]?.closed.code === 1_000);
    expect(gone).toEqual([1]);
  });

  it("relays between connections when told to, not back to the sender", async () => {
    const { url, target } = await startServer({ relay: true });
    const [one, two] = [await rawClient(url), await rawClient(url)];
    for (const client of [one, two]) client.control("__subscribe", { topic: "chat:" });
    await eventually("both are subscribed", () =>
      [...target.connections].every((each) => [...each.topics].length === 1),
    );
    one.send({ type: "chat", id: "", payload: "hi" });
    await eventually("the other hears it", () => two.received.length === 1);
    expect(two.received[0]).toEqual({ type: "chat", id: "", payload: "hi" });
    expect(one.received).toEqual([]);
  });

  it("refuses payloads that JSON cannot hold", async () => {
    const { target, url } = await startServer();
    const { target: client } = startClient(url);
    client.addEventListener("a:", () => {});
    await client.settled();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const payload of [
      Number.NaN,
      1n,
      cycle,
      new Map(),
      [undefined],
      () => 1,
      { a: { b: Infinity } },
    ]) {
      expect(() => target.dispatchEvent(envelope("a:", payload))).toThrow(
        code("INVALID_PAYLOAD") as never,
      );
      expect(() => client.dispatchEvent(envelope("a:", payload))).toThrow(
        code("INVALID_PAYLOAD") as never,
      );
    }
  });

  it("carries details that are no envelope", async () => {
    const { target, url } = await startServer();
    const { target: client } = startClient(url);
    const seen: unknown[] = [];
    client.addEventListener("a:", (event) => void seen.push(event.detail));
    await client.settled();
    const details = [
      null,
      1,
      "x",
      [1],
      { type: "other", id: "", payload: 1 },
      { type: "__x", id: "" },
    ];
    for (const detail of details) target.dispatchEvent(new CustomEvent("a:", { detail }) as never);
    await eventually("all arrive", () => seen.length === details.length);
    expect(seen).toEqual(details);
  });
});

describe("WebSocket client target (M23)", () => {
  it("comes back after the server was restarted, subscribes again and sends what it kept", async () => {
    const first = await startServer();
    const { target: client, states, errors } = startClient(first.url);
    const heard: unknown[] = [];
    client.addEventListener("a:", (event) => void heard.push(event.detail.payload));
    await client.settled();
    await first.stop();
    await eventually("it noticed", () => states.includes("waiting"));
    client.dispatchEvent(envelope("up:", "while away"));
    const second = await startServer({}, first.port);
    const up: unknown[] = [];
    second.target.addEventListener("up:", (event) => void up.push(event.detail.payload));
    await client.settled();
    second.target.dispatchEvent(envelope("a:", "after"));
    await eventually("it hears the new server", () => heard.length === 1);
    expect(heard).toEqual(["after"]);
    expect(up).toEqual(["while away"]);
    expect(errors[0]).toEqual(code("TRANSPORT"));
  });

  it("throws BUFFER_OVERFLOW when too many events wait for a connection", async () => {
    const { target } = startClient("ws://127.0.0.1:1", { maxQueued: 2 });
    target.dispatchEvent(envelope("a:", 1));
    target.dispatchEvent(envelope("a:", 2));
    expect(() => target.dispatchEvent(envelope("a:", 3))).toThrow(code("BUFFER_OVERFLOW") as never);
  });

  it("waits longer after each failure, up to a limit, and stops when closed", async () => {
    let tries = 0;
    const waits: number[] = [];
    const { target, states } = startClient("ws://127.0.0.1:1", {
      reconnect: { baseMs: 1, maxMs: 4, random: () => 1 },
      createSocket: () => {
        tries += 1;
        throw new Error("no network");
      },
      onError: (error) => waits.push(Number(/in (\d+) ms/.exec(String(error))?.[1])),
    });
    await eventually("it tried often", () => tries > 5);
    await target.close();
    expect(waits.slice(0, 5)).toEqual([1, 2, 4, 4, 4]);
    expect(states.at(-1)).toBe("closed");
    await expect(target.settled()).resolves.toBeUndefined();
  });

  it("leaves a server that has fallen silent, or that never answers", async () => {
    const { server, url } = await startServer();
    let connections = 0;
    server.removeAllListeners("connection");
    server.on("connection", () => {
      connections += 1;
    });
    startClient(url, { heartbeatMs: 10 });
    await eventually("it tried again", () => connections >= 3);

    const sockets: { onopen: unknown }[] = [];
    startClient("ws://unused", {
      connectTimeoutMs: 10,
      createSocket: () => {
        const socket = { readyState: 0, bufferedAmount: 0, send() {}, close() {} };
        sockets.push(socket as never);
        return socket as never;
      },
    });
    await eventually("it gave up and tried again", () => sockets.length >= 3);
  });

  it("reports refusals of the server and garbage, and goes on", async () => {
    const { url, target, server } = await startServer({
      authorize: ({ topic }) => topic !== "shut:",
    });
    const { target: client, errors } = startClient(url);
    const heard: unknown[] = [];
    client.addEventListener("shut:", () => {});
    client.addEventListener("open:", (event) => void heard.push(event.detail.payload));
    await client.settled();
    for (const socket of server.clients) socket.send("garbage");
    target.dispatchEvent(envelope("open:", 1));
    await eventually("the event arrives", () => heard.length === 1);
    expect(errors).toEqual([code("REFUSED"), code("MALFORMED_FRAME")]);
  });

  it("asks for the url before every connection", async () => {
    const { url, server } = await startServer();
    let tokens = 0;
    const paths: (string | undefined)[] = [];
    server.on("connection", (socket, request) => {
      paths.push(request.url);
      if (paths.length < 3) socket.terminate();
    });
    startClient("", { url: () => `${url}/?token=${++tokens}` });
    await eventually("the third connection stays", () => paths.length === 3);
    expect(paths).toEqual(["/?token=1", "/?token=2", "/?token=3"]);
  });

  it("waits for a socket that takes its time, and leaves one that comes too late", async () => {
    const { url, server } = await startServer();
    let tries = 0;
    const late: ReturnType<typeof socketOf>[] = [];
    const { target, errors } = startClient(url, {
      connectTimeoutMs: 50,
      createSocket: async (at) => {
        tries += 1;
        if (tries === 1) throw new Error("no token");
        if (tries === 2) {
          await eventually("the next try began", () => tries === 3);
          late.push(socketOf(at));
          return late[0] as ReturnType<typeof socketOf>;
        }
        return socketOf(at);
      },
    });
    await target.settled();
    expect(tries).toBe(3);
    expect(errors.map(String).slice(0, 2)).toEqual([
      expect.stringContaining("no token"),
      expect.stringContaining("no connection within 50 ms"),
    ]);
    await eventually("the late one is ended", () => late[0]?.readyState === WebSocket.CLOSED);
    await eventually("one connection is left", () => server.clients.size === 1);
  });

  it("refuses an event that is larger than the server takes, and stays connected", async () => {
    const { url, target } = await startServer({ maxFrameBytes: 200 });
    const { target: client, states } = startClient(url, { maxFrameBytes: 200 });
    const heard: unknown[] = [];
    target.addEventListener("a:", (event) => void heard.push(event.detail.payload));
    await client.settled();
    expect(() => client.dispatchEvent(envelope("a:", "ü".repeat(100)))).toThrow(
      code("PAYLOAD_TOO_LARGE") as never,
    );
    client.dispatchEvent(envelope("a:", "ü".repeat(50)));
    await eventually("the smaller one arrives", () => heard.length === 1);
    expect(states).not.toContain("waiting");
  });

  it("rejects settled when it is closed meanwhile", async () => {
    const { target } = startClient("ws://127.0.0.1:1");
    const settled = target.settled();
    const rejection = expect(settled).rejects.toEqual(code("CLOSED"));
    await target.close();
    await rejection;
  });

  it("serves a pub/sub on both sides", async () => {
    const { target, url } = await startServer();
    const { target: clientTarget } = startClient(url, { createSocket: socketOf });
    interface Events {
      ping: number;
      pong: number;
    }
    const hub = createPubSub<Events>({ eventTarget: target });
    const spoke = createPubSub<Events>({ eventTarget: clientTarget });
    onTestFinished(() => {
      hub.close();
      spoke.close();
    });
    const pongs = spoke.subscribe("pong", "1");
    const pings = hub.subscribe("ping", "1");
    await clientTarget.settled();
    spoke.publish("ping", "1", 41);
    const ping = (await pings.next()).value;
    hub.publish("pong", "1", (ping?.payload ?? 0) + 1);
    expect((await pongs.next()).value).toEqual({ type: "pong", id: "1", payload: 42 });
  });
});
