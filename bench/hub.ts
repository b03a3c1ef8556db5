// Calls per second and delays of the hub, over HTTP and WebSocket, beside tRPC on the same server library
// and a bare Hono handler that does the same work in the same engine. Then 1,000 subscriptions over one hub.
// Run: npm ci --prefix bench && npm run bench:hub [-- --seconds 2 --rounds 5]
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createCaller } from "@alkdev/operations";
import { createWebSocketClientEventTarget } from "@alkdev/pubsub/websocket-client";
import { WebSocket } from "ws";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    rounds: { type: "string", default: "5" },
  },
});
const SECONDS = Number(values.seconds);
const ROUNDS = Number(values.rounds);
const IN_FLIGHT = 50;
const folder = mkdtempSync(join(tmpdir(), "bench-hub-"));
const children: ChildProcess[] = [];

interface Server {
  readonly url: string;
  readonly key: string;
}

async function start(kind: string): Promise<Server> {
  const child = fork(new URL("hub/server.ts", import.meta.url), [kind, folder], {
    execArgv: ["--conditions=@alkdev/source"],
  });
  children.push(child);
  const [server] = await once(child, "message");
  return server as Server;
}

/** One way to have a note written and read. */
interface Way {
  readonly name: string;
  readonly add: () => Promise<number>;
  readonly get: (id: number) => Promise<unknown>;
  readonly close?: () => Promise<void>;
}

async function byHttp(name: string, kind: "hub" | "hono" | "trpc"): Promise<Way> {
  const { url, key } = await start(kind);
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const request = async (path: string, body: string | null): Promise<unknown> => {
    const method = body === null ? "GET" : "POST";
    const json = (await ask(`${url}${path}`, { agent, method, headers }, body)) as {
      data?: unknown;
      result?: { data: unknown };
    };
    return json.data ?? json.result?.data;
  };
  const input = JSON.stringify({ text: "a note of some length" });
  return kind === "trpc"
    ? {
        name,
        add: async () => ((await request("/trpc/add", input)) as { id: number }).id,
        get: (id) => request(`/trpc/get?input=${encodeURIComponent(JSON.stringify({ id }))}`, null),
      }
    : {
        name,
        add: async () => ((await request("/call/notes.add", input)) as { id: number }).id,
        get: (id) => request("/call/notes.get", JSON.stringify({ id })),
      };
}

function ask(url: string, options: RequestOptions, body: string | null): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, options, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${url}: ${answer.statusCode} ${text}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function hubTarget({ url, key }: Server) {
  return createWebSocketClientEventTarget({
    url: `${url.replace("http", "ws")}/ws`,
    createSocket: (to) => new WebSocket(to, { headers: { authorization: `Bearer ${key}` } }),
  });
}

async function hubBySocket(): Promise<Way> {
  const eventTarget = hubTarget(await start("hub"));
  await eventTarget.settled();
  const caller = createCaller({ eventTarget, replyTo: crypto.randomUUID() });
  return {
    name: "hub, WebSocket",
    add: async () =>
      ((await caller.call("notes.add", { text: "a note of some length" })).data as { id: number })
        .id,
    get: (id) => caller.call("notes.get", { id }),
    close: async () => {
      caller.close();
      await eventTarget.close();
    },
  };
}

/** What `trpc/client.ts` exports; peers are installed apart. */
interface TrpcClient {
  connectTrpc(server: Server): {
    add(text: string): Promise<number>;
    get(id: number): Promise<unknown>;
  };
}

async function trpcBySocket(): Promise<Way> {
  const { connectTrpc } = (await import(
    new URL("trpc/client.ts", import.meta.url).href
  )) as TrpcClient;
  const notes = connectTrpc(await start("trpc"));
  return {
    name: "tRPC, WebSocket",
    add: () => notes.add("a note of some length"),
    get: (id) => notes.get(id),
  };
}

async function rate(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  const end = begin + SECONDS * 1_000;
  let calls = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (performance.now() < end) {
        await call();
        calls += 1;
      }
    }),
  );
  return (calls * 1_000) / (performance.now() - begin);
}

async function delays(call: () => Promise<unknown>): Promise<number[]> {
  const end = performance.now() + SECONDS * 1_000;
  const millis: number[] = [];
  for (let begin = performance.now(); begin < end; begin = performance.now()) {
    await call();
    millis.push(performance.now() - begin);
  }
  return millis.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
const median = (numbers: readonly number[]): number =>
  at(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );

interface Result {
  readonly way: Way;
  readonly adds: number[];
  readonly gets: number[];
  readonly p50: number[];
  readonly p99: number[];
}

async function compare(ways: readonly Way[]): Promise<void> {
  const results: Result[] = ways.map((way) => ({ way, adds: [], gets: [], p50: [], p99: [] }));
  const ids = new Map<Way, number>();
  for (const way of ways) {
    ids.set(way, await way.add());
    for (let n = 0; n < 2_000; n += 1) await way.get(ids.get(way) as number);
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    // another one begins each round, so that the machine's drift hits all of them
    for (let n = 0; n < results.length; n += 1) {
      const { way, ...numbers } = results[(n + round) % results.length] as Result;
      const id = ids.get(way) as number;
      numbers.adds.push(await rate(way.add));
      numbers.gets.push(await rate(() => way.get(id)));
      const sorted = await delays(way.add);
      numbers.p50.push(at(sorted, 0.5));
      numbers.p99.push(at(sorted, 0.99));
    }
  }
  for (const { close } of ways) await close?.();
  console.log(
    "\n| way | writes/s | reads/s | write p50 ms | write p99 ms |\n| --- | --- | --- | --- | --- |",
  );
  for (const { way, adds, gets, p50, p99 } of results) {
    const [a, g] = [Math.round(median(adds)), Math.round(median(gets))];
    console.log(
      `| ${way.name} | ${a} | ${g} | ${median(p50).toFixed(2)} | ${median(p99).toFixed(2)} |`,
    );
  }
}

/** Many subscriptions over many connections, one of which never reads. */
async function subscriptions(): Promise<void> {
  const server = await start("hub");
  const [connections, each, everyMs] = [20, 50, 100];
  const late: number[] = [];
  const targets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const eventTarget = hubTarget(server);
      await eventTarget.settled();
      return eventTarget;
    }),
  );
  const stop = new AbortController();
  const readers = targets.flatMap((eventTarget) => {
    const caller = createCaller({ eventTarget, replyTo: crypto.randomUUID() });
    return Array.from({ length: each }, async () => {
      const answers = caller.subscribe("notes.ticks", { everyMs }, { signal: stop.signal });
      for await (const { data } of answers) late.push(Date.now() - (data as number));
    });
  });
  // reads nothing: its 256 answers and its socket fill up, and nobody else waits for it
  const slow = hubTarget(server);
  await slow.settled();
  const slowCaller = createCaller({ eventTarget: slow });
  await slowCaller.subscribe("notes.ticks", { everyMs: 1 }).next();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 2_000));
  stop.abort();
  await Promise.all(readers);
  const sorted = late.sort((a, b) => a - b);
  const perSecond = Math.round(late.length / (SECONDS * 2));
  console.log(
    `\n${connections * each} subscriptions over ${connections} connections, an answer every ${everyMs} ms each: ${perSecond} answers/s arrived, p50 ${at(sorted, 0.5)} ms, p99 ${at(sorted, 0.99)} ms late; beside one that reads nothing`,
  );
  slowCaller.close();
  await Promise.all([...targets, slow].map((target) => target.close()));
}

try {
  await compare([
    await byHttp("hub, HTTP", "hub"),
    await byHttp("tRPC on Hono, HTTP", "trpc"),
    await byHttp("bare Hono handler, HTTP", "hono"),
    await hubBySocket(),
    await trpcBySocket(),
  ]);
  await subscriptions();
} finally {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true, force: true });
}
