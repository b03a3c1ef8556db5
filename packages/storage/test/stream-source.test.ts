import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createPubSub } from "@alkdev/pubsub";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
import { createCompositeEventTarget, createStreamSource } from "@alkdev/storage/sqlite";
import { eventually, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";

interface Events {
  step: number;
}

/** A hub over a durable stream, and how to connect a client to it. */
async function startHub() {
  const db = tempDatabase();
  const upstream = createCompositeEventTarget({
    db,
    mode: "durable",
    streamName: "steps",
    consumerName: "hub:test:steps",
  });
  const target = createWebSocketServerEventTarget({
    upstream,
    durable: { source: createStreamSource({ db, streamName: "steps" }) },
  });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => target.addConnection(socket));
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    await target.close();
    upstream.close();
    server.close();
  });
  const connect = (consumer: string) => {
    const client = createWebSocketClientEventTarget({
      url,
      durable: { consumer },
      reconnect: { baseMs: 5, maxMs: 20 },
    });
    onTestFinished(() => client.close());
    return client;
  };
  return { db, server, pubsub: createPubSub<Events>({ eventTarget: upstream }), connect };
}

describe("a Honker stream behind a WebSocket server (M23)", () => {
  it("gives a client every event of its topic, from the first on, and only those", async () => {
    const { pubsub, connect } = await startHub();
    for (let i = 0; i < 300; i++) {
      pubsub.publish("step", "1", i);
      pubsub.publish("step", "2", -i);
    }
    const seen: unknown[] = [];
    const client = connect("spoke:a:steps");
    client.addEventListener("step:1", (event) => void seen.push(event.detail.payload));
    await eventually("all are there", () => seen.length === 300);
    pubsub.publish("step", "1", 300);
    await eventually("a new one arrives", () => seen.length === 301);
    expect(seen).toEqual([...Array(301).keys()]);
  });

  it("goes on after the last confirmed event when the client is a new process, without loss or repetition", async () => {
    const { pubsub, connect, db } = await startHub();
    for (let i = 0; i < 20; i++) pubsub.publish("step", "1", i);
    const first = connect("spoke:a:steps");
    const early: unknown[] = [];
    first.addEventListener("step:1", (event) => void early.push(event.detail.payload));
    await eventually("twenty arrived", () => early.length === 20);
    await first.close();
    for (let i = 20; i < 30; i++) pubsub.publish("step", "1", i);
    const late: unknown[] = [];
    connect("spoke:a:steps").addEventListener(
      "step:1",
      (event) => void late.push(event.detail.payload),
    );
    await eventually("ten more arrived", () => late.length >= 10);
    expect([...early, ...late]).toEqual([...Array(30).keys()]);
    const consumers = db.stream("steps").consumers();
    expect(consumers.map(({ consumer }) => consumer)).toContain("spoke:a:steps/step:1");
  });

  it("bridges connections that break, without loss or repetition", async () => {
    const { pubsub, connect, server } = await startHub();
    const seen: unknown[] = [];
    const client = connect("spoke:a:steps");
    client.addEventListener("step:1", (event) => void seen.push(event.detail.payload));
    for (let i = 0; i < 200; i++) {
      pubsub.publish("step", "1", i);
      if (i % 50 === 25) {
        await eventually("something arrived", () => seen.length > i - 25);
        for (const socket of server.clients) socket.terminate();
      }
    }
    await eventually("all are there", () => seen.length >= 200);
    expect(seen).toEqual([...Array(200).keys()]);
  });
});
