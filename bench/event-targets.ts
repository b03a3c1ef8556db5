// Event targets: composite delivery in this process, fan-out over WebSocket beside a plain `ws` broadcast,
// and the replay of a durable target. Run: npm run bench:events [-- --events 1000000]
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { open } from "@alkdev/honker";
import { createInProcessEventTarget, type EnvelopeEvent } from "@alkdev/pubsub";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
import { createCompositeEventTarget, createHonkerEventTarget } from "@alkdev/storage/sqlite";
import { WebSocket, WebSocketServer } from "ws";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    clients: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
  },
});
const ROUNDS = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "bench-events-"));
let files = 0;
const freshFile = (): string => join(folder, `${files++}.db`);

const eventOf = (topic: string, payload: unknown): EnvelopeEvent => {
  const colon = topic.indexOf(":");
  return new CustomEvent(topic, {
    detail: { type: topic.slice(0, colon), id: topic.slice(colon + 1), payload },
  });
};

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

const median = (samples: readonly number[]): number => percentile(samples, 0.5);

function row(name: string, ...cells: string[]): void {
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

/** From before the dispatch, its commit included, to the listener in the same process. */
async function compositeDelivery(mode: "ephemeral" | "durable"): Promise<void> {
  const db = open(freshFile());
  const target = createCompositeEventTarget({
    db,
    mode,
    streamName: "events",
    consumerName: "bench:1:composite",
  });
  let at = 0;
  target.addEventListener("step:1", () => {
    at = performance.now();
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const samples: number[] = [];
  for (let i = 0; i < 3_000; i++) {
    const before = performance.now();
    target.dispatchEvent(eventOf("step:1", { i, text: "x".repeat(150) }));
    samples.push(at - before);
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  target.close();
  db.close();
  const counted = samples.slice(500);
  row(
    `composite, ${mode}`,
    `${percentile(counted, 0.5).toFixed(3)} ms`,
    `${percentile(counted, 0.99).toFixed(3)} ms`,
  );
}

/** One event to every client, again and again: time until the last client has it. */
async function fanOut(kind: "target" | "plain"): Promise<{ p99: number; perSecond: number }> {
  const clients = Number(values.clients);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const upstream = createInProcessEventTarget();
  const target = createWebSocketServerEventTarget({ upstream, heartbeatMs: 0 });
  if (kind === "target") server.on("connection", (socket) => void target.addConnection(socket));
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let received = 0;
  let done = (): void => undefined;
  let expected = 0;
  const sockets = await Promise.all(
    Array.from({ length: clients }, async () => {
      const socket = new WebSocket(url);
      await once(socket, "open");
      if (kind === "target") {
        socket.send(JSON.stringify({ type: "__subscribe", id: "", payload: { topic: "step:1" } }));
      }
      socket.on("message", () => {
        received += 1;
        if (received === expected) done();
      });
      return socket;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    received = 0;
    expected = clients;
    const event = eventOf("step:1", { i, text: "x".repeat(150) });
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const before = performance.now();
    if (kind === "target") upstream.dispatchEvent(event);
    else {
      const frame = Buffer.from(JSON.stringify(event.detail));
      for (const socket of server.clients) socket.send(frame, { binary: false });
    }
    await all;
    if (i >= 10) times.push(performance.now() - before);
  }
  for (const socket of sockets) socket.terminate();
  await target.close();
  server.close();
  return { p99: percentile(times, 0.99), perSecond: (clients * 1_000) / median(times) };
}

/** A durable target that has everything still before it. */
async function replay(): Promise<void> {
  const events = Number(values.events);
  const db = open(freshFile());
  const stream = db.stream("events");
  for (let i = 0; i < events; i += 10_000) {
    stream.publishMany(
      Array.from({ length: Math.min(10_000, events - i) }, (_, k) => ({
        type: "step",
        id: "1",
        payload: { i: i + k },
      })),
      { key: "step:1" },
    );
  }
  const before = process.memoryUsage().rss;
  let most = before;
  const target = createHonkerEventTarget({
    db,
    mode: "durable",
    streamName: "events",
    consumerName: "bench:1:replay",
  });
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let seen = 0;
    target.addEventListener("step:1", () => {
      seen += 1;
      if (seen % 50_000 === 0) most = Math.max(most, process.memoryUsage().rss);
      if (seen === events) resolve();
    });
  });
  const seconds = (performance.now() - started) / 1_000;
  target.close();
  db.close();
  row(
    `replay of ${events} events`,
    `${Math.round(events / seconds).toLocaleString("en")} events/s`,
    `resident memory ${Math.round(before / 2 ** 20)} → at most ${Math.round(most / 2 ** 20)} MiB`,
  );
}

try {
  console.log("| local delivery, from the call | p50 | p99 |\n| --- | --- | --- |");
  await compositeDelivery("ephemeral");
  await compositeDelivery("durable");
  const rounds = { target: [] as number[], plain: [] as number[], ratio: [] as number[] };
  const p99 = { target: [] as number[], plain: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? (["target", "plain"] as const) : (["plain", "target"] as const);
    const speed = { target: 0, plain: 0 };
    for (const kind of order) {
      const result = await fanOut(kind);
      speed[kind] = result.perSecond;
      rounds[kind].push(result.perSecond);
      p99[kind].push(result.p99);
    }
    rounds.ratio.push(speed.target / speed.plain);
  }
  console.log(
    `\n| one event to ${values.clients} clients | messages/s | p99 until the last has it |`,
  );
  console.log("| --- | --- | --- |");
  for (const kind of ["target", "plain"] as const) {
    const name = kind === "target" ? "WebSocket server target" : "plain ws broadcast";
    const perSecond = Math.round(median(rounds[kind])).toLocaleString("en");
    row(name, perSecond, `${median(p99[kind]).toFixed(1)} ms`);
  }
  row("ratio", median(rounds.ratio).toFixed(2), "");
  console.log("\n| durable target | | |\n| --- | --- | --- |");
  await replay();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
