// From dispatch in one process to the listener in another, through every event target. Redis and NATS at
// REDIS_URL and NATS_URL, default ports. Run: npm run bench:event-latency [-- --events 500 --rounds 5]
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isMainThread, Worker } from "node:worker_threads";
import { open } from "@alkdev/honker";
import type { EnvelopeEvent } from "@alkdev/pubsub";
import { createJetStreamEventTarget, createNatsEventTarget } from "@alkdev/pubsub/nats";
import { createRedisEventTarget, createRedisStreamEventTarget } from "@alkdev/pubsub/redis";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
import { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "@alkdev/pubsub/worker";
import {
  createCompositeEventTarget,
  createHonkerEventTarget,
  createStreamSource,
} from "@alkdev/storage/sqlite";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const TOPIC = "step:1";
const PACE_MS = 4;
const REDIS_URL = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const NATS_URL = process.env.NATS_URL ?? "nats://127.0.0.1:4222";

/** One side's target and what ends it. */
interface Side {
  readonly target: Pick<EventTarget, never> & {
    addEventListener(type: string, callback: (event: EnvelopeEvent) => void): void;
    dispatchEvent(event: EnvelopeEvent): boolean;
  };
  close(): unknown;
}

/** A transport: what the publishing process makes, and the listening one from `address`. */
interface Transport {
  readonly name: string;
  publisher(address: string): Promise<Side & { readonly url?: string }>;
  listener(address: string): Promise<Side>;
}

const honker = (name: string, mode: "ephemeral" | "durable"): Transport => {
  const make = async (address: string, role: string): Promise<Side> => {
    const db = open(address);
    const target = createHonkerEventTarget({
      db,
      mode,
      streamName: "events",
      consumerName: `bench:${role}:latency`,
    });
    return {
      target,
      close: () => {
        target.close();
        db.close();
      },
    };
  };
  return {
    name,
    publisher: (address) => make(address, "publisher"),
    listener: (address) => make(address, "listener"),
  };
};

const webSocket = (name: string, durable: boolean): Transport => ({
  name,
  async publisher(address) {
    const db = open(address);
    const upstream = createCompositeEventTarget({
      db,
      mode: durable ? "durable" : "ephemeral",
      streamName: "events",
      consumerName: "bench:hub:latency",
    });
    const target = createWebSocketServerEventTarget({
      upstream,
      ...(durable ? { durable: { source: createStreamSource({ db, streamName: "events" }) } } : {}),
    });
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    server.on("connection", (socket) => void target.addConnection(socket));
    await once(server, "listening");
    const close = async (): Promise<void> => {
      await target.close();
      upstream.close();
      server.close();
      db.close();
    };
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { target: upstream, url, close };
  },
  async listener(url) {
    const target = createWebSocketClientEventTarget({
      url,
      ...(durable ? { durable: { consumer: "bench:spoke:latency" } } : {}),
    });
    return { target, close: () => target.close() };
  },
});

async function natsConnection() {
  return connect({ servers: NATS_URL.replace("nats://", "") });
}

const redisStreams = async (address: string, consumer: string): Promise<Side> => {
  const client = new Redis(REDIS_URL);
  const stream = `bench:${address}`;
  const target = createRedisStreamEventTarget({ client, stream, group: consumer, consumer });
  const close = async (): Promise<void> => {
    await target.close();
    await client.del(stream);
    client.disconnect();
  };
  return { target, close };
};

const redisPubSub = async (): Promise<Side> => {
  const [publishClient, subscribeClient] = [new Redis(REDIS_URL), new Redis(REDIS_URL)];
  const target = createRedisEventTarget({ publishClient, subscribeClient, prefix: "bench:" });
  const close = async (): Promise<void> => {
    await target.close();
    publishClient.disconnect();
    subscribeClient.disconnect();
  };
  return { target, close };
};

const nats = async (): Promise<Side> => {
  const connection = await natsConnection();
  const target = createNatsEventTarget({ connection, prefix: "bench" });
  const close = async (): Promise<void> => {
    await target.close();
    await connection.close();
  };
  return { target, close };
};

const jetStream = async (address: string, consumer: string): Promise<Side> => {
  const connection = await natsConnection();
  const stream = `bench-${address.replace(/[^a-z0-9]/gi, "")}`;
  const target = createJetStreamEventTarget({ connection, stream, consumer });
  const close = async (): Promise<void> => {
    await target.close();
    const manager = await jetstreamManager(connection);
    await manager.streams.delete(stream).catch(() => undefined);
    await connection.close();
  };
  return { target, close };
};

const TRANSPORTS: readonly Transport[] = [
  honker("Honker, ephemeral", "ephemeral"),
  honker("Honker, durable", "durable"),
  webSocket("WebSocket", false),
  webSocket("WebSocket, durable topics", true),
  { name: "Redis pub/sub", publisher: redisPubSub, listener: redisPubSub },
  {
    name: "Redis Streams",
    publisher: (address) => redisStreams(address, "publisher"),
    listener: (address) => redisStreams(address, "listener"),
  },
  { name: "NATS", publisher: nats, listener: nats },
  {
    name: "JetStream",
    publisher: (address) => jetStream(address, "publisher"),
    listener: (address) => jetStream(address, "listener"),
  },
];

/** Milliseconds on the monotonic clock that all processes of a machine share. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function event(payload: unknown): EnvelopeEvent {
  return new CustomEvent(TOPIC, { detail: { type: "step", id: "1", payload } });
}

/** Collects delays; the first events only find out when the connection is up. */
function collect(side: Side, done: (delays: number[]) => void, events: number): void {
  const delays: number[] = [];
  side.target.addEventListener(TOPIC, ({ detail }) => {
    const { at, counted } = detail.payload as { at: number; counted: boolean };
    if (!counted) return;
    delays.push(nowMs() - at);
    if (delays.length === events) done(delays);
  });
}

async function publish(side: Side, events: number): Promise<void> {
  const text = "x".repeat(150);
  for (let i = -50; i < events; i++) {
    side.target.dispatchEvent(event({ at: nowMs(), counted: i >= 0, text }));
    await sleep(PACE_MS);
  }
}

async function measure(transport: Transport, address: string, events: number): Promise<number[]> {
  const side = await transport.publisher(address);
  const child = fork(new URL(import.meta.url), {
    execArgv: ["--conditions=@alkdev/source"],
    env: {
      ...process.env,
      LISTEN: JSON.stringify([transport.name, side.url ?? address, events]),
    },
  });
  try {
    await once(child, "message");
    await sleep(300);
    const delays = once(child, "message");
    await publish(side, events);
    return ((await Promise.race([delays, late(child)])) as [number[]])[0];
  } finally {
    child.kill();
    await side.close();
  }
}

async function late(child: ChildProcess): Promise<never> {
  await sleep(20_000, undefined, { ref: false });
  child.kill("SIGKILL");
  throw new Error("events are missing");
}

async function measureWorker(events: number): Promise<number[]> {
  const worker = new Worker(new URL(import.meta.url), {
    execArgv: ["--conditions=@alkdev/source"],
    env: { ...process.env, LISTEN: JSON.stringify(["worker", "", events]) },
  });
  const target = createWorkerHostEventTarget(worker);
  const side: Side = { target, close: () => target.close() };
  // answered only when the thread's side is there and has said what it listens to
  await target.settled();
  const delays = new Promise<number[]>((resolve) => {
    target.addEventListener("delays:1", ({ detail }) => resolve(detail.payload as number[]));
  });
  await publish(side, events);
  const result = await delays;
  await worker.terminate();
  return result;
}

/** The listening side: a child process, or a thread. */
async function listen([name, address, events]: [string, string, number]): Promise<void> {
  if (name === "worker") {
    const target = createWorkerThreadEventTarget();
    collect(
      { target, close: () => undefined },
      (delays) => {
        const detail = { type: "delays", id: "1", payload: delays };
        target.dispatchEvent(new CustomEvent("delays:1", { detail }));
      },
      events,
    );
    return;
  }
  const transport = TRANSPORTS.find((known) => known.name === name);
  if (transport === undefined) throw new Error(`no transport "${name}"`);
  const side = await transport.listener(address);
  collect(side, (delays) => process.send?.(delays), events);
  process.send?.("listening");
}

const median = (values: readonly number[]): number => percentile(values, 0.5);

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: "string", default: "500" },
      rounds: { type: "string", default: "5" },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "bench-latency-"));
  const figures = new Map<string, { p50: number[]; p99: number[] }>();
  const names = [...TRANSPORTS.map(({ name }) => name), "worker threads"];
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      for (let i = 0; i < names.length; i++) {
        const at = (i + round) % names.length;
        const name = names[at] as string;
        const transport = TRANSPORTS[at];
        const address = join(folder, `${round}-${at}.db`);
        console.error(`round ${round + 1}: ${name}`);
        const delays =
          transport === undefined
            ? await measureWorker(Number(values.events))
            : await measure(transport, address, Number(values.events));
        const figure = figures.get(name) ?? { p50: [], p99: [] };
        figure.p50.push(percentile(delays, 0.5));
        figure.p99.push(percentile(delays, 0.99));
        figures.set(name, figure);
      }
    }
    console.log("| event target | p50 | p99 |\n| --- | --- | --- |");
    for (const name of names) {
      const { p50, p99 } = figures.get(name) ?? { p50: [], p99: [] };
      console.log(`| ${name} | ${median(p50).toFixed(2)} ms | ${median(p99).toFixed(2)} ms |`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const role = process.env.LISTEN;
if (role !== undefined) await listen(JSON.parse(role));
else if (isMainThread) await main();
