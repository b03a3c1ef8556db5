// What a call costs: in this process, of a worker thread and over WebSocket, with one call at a time and with
// 100 in flight. Run: npm run bench:calls [-- --seconds 2 --rounds 5]
import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  type Caller,
  createCaller,
  createCallHandler,
  defineSpec,
  OperationRegistry,
} from "@alkdev/operations";
import { createInProcessEventTarget, type TypedEventTarget } from "@alkdev/pubsub";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { createWebSocketServerEventTarget } from "@alkdev/pubsub/websocket-server";
import { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "@alkdev/pubsub/worker";
import { Type } from "@sinclair/typebox";
import { WebSocket, WebSocketServer } from "ws";

const IN_FLIGHT = 100;

const identity = { id: "bench", scopes: ["math:*"] };
const addSpec = defineSpec({
  namespace: "math",
  name: "add",
  version: "1.0.0",
  type: "query",
  description: "Adds two numbers.",
  inputSchema: Type.Object({ a: Type.Number(), b: Type.Number() }),
  outputSchema: Type.Number(),
  accessControl: { requiredScopes: ["math:read"] },
});

function registryWithAdd(): OperationRegistry {
  const registry = new OperationRegistry();
  registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
  return registry;
}

function serve(eventTarget: TypedEventTarget): void {
  createCallHandler({ registry: registryWithAdd(), eventTarget, identityOf: () => identity });
}

/** One way to have two numbers added elsewhere. */
interface Way {
  readonly name: string;
  add(a: number, b: number): Promise<number>;
  close?(): Promise<unknown>;
}

const byCaller = (name: string, caller: Caller, close?: () => Promise<unknown>): Way => ({
  name,
  add: async (a, b) => (await caller.call(addSpec, { a, b })).data,
  ...(close ? { close } : {}),
});

/** The least that one would write by hand: ids, a map and a timer per call. */
function emitterRpc(): Way {
  const emitter = new EventEmitter();
  const pending = new Map<string, { resolve(value: number): void; timer: NodeJS.Timeout }>();
  emitter.on("request", async ({ id, a, b }) => emitter.emit("response", { id, value: a + b }));
  emitter.on("response", ({ id, value }) => {
    const waiting = pending.get(id);
    if (waiting === undefined) return;
    pending.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(value);
  });
  return {
    name: "EventEmitter by hand, nothing checked",
    add: (a, b) =>
      new Promise((resolve, reject) => {
        const id = crypto.randomUUID();
        const timer = setTimeout(() => reject(new Error("timeout")), 30_000);
        pending.set(id, { resolve, timer });
        emitter.emit("request", { id, a, b });
      }),
  };
}

async function startThread(kind: "worker" | "websocket") {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: kind,
    execArgv: ["--conditions=@alkdev/source"],
  });
  const [ready] = await once(worker, "message");
  return { worker, ready: ready as unknown };
}

async function workerWay(name: string, replyTo?: string): Promise<Way> {
  const { worker } = await startThread("worker");
  const eventTarget = createWorkerHostEventTarget(worker);
  await eventTarget.settled();
  const caller = createCaller({ eventTarget, ...(replyTo ? { replyTo } : {}) });
  return byCaller(name, caller, () => worker.terminate());
}

async function webSocketWay(name: string, replyTo?: string): Promise<Way> {
  const { worker, ready } = await startThread("websocket");
  const eventTarget = createWebSocketClientEventTarget({
    url: `ws://127.0.0.1:${ready}`,
    createSocket: (url) => new WebSocket(url),
  });
  await eventTarget.settled();
  const caller = createCaller({ eventTarget, ...(replyTo ? { replyTo } : {}) });
  const close = async (): Promise<void> => {
    await eventTarget.close();
    await worker.terminate();
  };
  return byCaller(name, caller, close);
}

function inProcessWay(name: string, replyTo?: string): Way {
  const eventTarget = createInProcessEventTarget();
  serve(eventTarget);
  return byCaller(name, createCaller({ eventTarget, ...(replyTo ? { replyTo } : {}) }));
}

async function ways(): Promise<readonly Way[]> {
  const registry = registryWithAdd();
  const shared = "bench";
  return [
    { name: "async function", add: async (a, b) => a + b },
    emitterRpc(),
    {
      name: "registry.execute",
      add: async (a, b) => (await registry.execute(addSpec, { a, b }, { identity })).data,
    },
    inProcessWay("call in process"),
    inProcessWay("call in process, replyTo", shared),
    await workerWay("call of a worker"),
    await workerWay("call of a worker, replyTo", shared),
    await webSocketWay("call over WebSocket"),
    await webSocketWay("call over WebSocket, replyTo", shared),
  ];
}

async function rate(way: Way, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let calls = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (performance.now() < end) {
        // the plain function never leaves the microtasks
        for (let n = 0; n < 10; n += 1) await way.add(n, 1);
        calls += 10;
      }
    }),
  );
  return (calls * 1_000) / (performance.now() - start);
}

async function delays(way: Way, seconds: number): Promise<number[]> {
  const end = performance.now() + seconds * 1_000;
  const micros: number[] = [];
  for (let start = performance.now(); start < end; start = performance.now()) {
    await way.add(1, 2);
    micros.push((performance.now() - start) * 1_000);
  }
  return micros;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

/** What ten thousand calls that wait for their answer cost. */
async function openCalls(name: string, replyTo?: string): Promise<void> {
  const eventTarget = createInProcessEventTarget();
  const caller = createCaller({ eventTarget, ...(replyTo ? { replyTo } : {}) });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const start = performance.now();
  const calls = Array.from({ length: 10_000 }, (_, n) => caller.call(addSpec, { a: n, b: 1 }));
  const opened = performance.now() - start;
  globalThis.gc?.();
  const kilobytes = (process.memoryUsage().heapUsed - before) / 10_000 / 1_024;
  const closing = performance.now();
  caller.close();
  await Promise.allSettled(calls);
  const closed = performance.now() - closing;
  console.log(
    `10,000 open calls, ${name}: ${(opened / 10).toFixed(1)} µs each to open, ${kilobytes.toFixed(2)} KiB each, ${(closed / 10).toFixed(1)} µs each to take back`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
    },
  });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const all = await ways();
  const results = all.map((way) => ({ way, rates: [] as number[], micros: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    // another one begins each round, so that the machine's drift hits all of them
    for (let n = 0; n < results.length; n += 1) {
      const result = results[(round + n) % results.length] as (typeof results)[number];
      await delays(result.way, 0.2);
      for (const micros of await delays(result.way, seconds / 2)) result.micros.push(micros);
      result.rates.push(await rate(result.way, seconds / 2));
    }
  }
  console.log(
    `${"".padEnd(40)} calls/s (${IN_FLIGHT} in flight)   p50 µs   p99 µs (one at a time)`,
  );
  for (const { way, rates, micros } of results) {
    const sorted = ascending(micros);
    const perSecond = Math.round(at(ascending(rates), 0.5)).toLocaleString("en");
    console.log(
      `${way.name.padEnd(40)} ${perSecond.padStart(23)} ${at(sorted, 0.5).toFixed(1).padStart(8)} ${at(sorted, 0.99).toFixed(1).padStart(8)}`,
    );
    await way.close?.();
  }
  await openCalls("topics of their own");
  await openCalls("replyTo", "bench");
}

if (isMainThread) await main();
else if (workerData === "worker") {
  serve(createWorkerThreadEventTarget());
  parentPort?.postMessage("ready");
} else {
  const target = createWebSocketServerEventTarget();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => void target.addConnection(socket));
  await once(server, "listening");
  serve(target);
  parentPort?.postMessage((server.address() as AddressInfo).port);
}
