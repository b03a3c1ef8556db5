// A hub is killed under load, and attacked. What it acknowledged is there once, whoever asks again gets
// the same answer, and whoever means no good is refused, counted and written down.
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { connectHub } from "@alkdev/hub/spoke";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Hostile } from "./hub-faults/hostile.ts";
import { HubProcess } from "./hub-faults/hub-process.ts";
import { addNeighbour } from "./hub-faults/neighbour.ts";

const KILLS = 3;
const SUBSCRIBED = 20;
/** Between two tries of a call that got no answer. */
const AGAIN_MS = 20;

/** One call with an idempotency key: the id that it made. */
type Make = (name: string) => Promise<string>;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

async function post(
  { url }: HubProcess,
  operation: string,
  options: { key?: string; org?: string; requestId?: string; input?: unknown } = {},
): Promise<Answer> {
  const { key, org, requestId, input = {} } = options;
  const response = await fetch(`${url}/call/${operation}`, {
    method: "POST",
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(org === undefined ? {} : { "alkdev-org": org }),
      ...(requestId === undefined ? {} : { "idempotency-key": requestId }),
    },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: await response.json() };
}

async function metricsOf({ url }: HubProcess): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

/** What the hub's process holds open: clients that do not read never hear that they were cut off. */
async function openDescriptors(hub: HubProcess): Promise<number> {
  return Number(/^process_open_fds (\d+)/m.exec(await metricsOf(hub))?.[1]);
}

/** How many were refused with a code. */
function refusals(metrics: string, code: string): number {
  return Number(new RegExp(`alkdev_refused_total\\{code="${code}"\\} (\\d+)`).exec(metrics)?.[1]);
}

/** Makes graphs by HTTP, again while the hub is away. */
function byHttp(hub: HubProcess, graphTypeId: string): Make {
  return async (name) => {
    for (;;) {
      const input = { graphTypeId, name };
      const options = { key: hub.key, requestId: name, input };
      const answer = await post(hub, "graphs.create", options).catch(() => null);
      if (answer?.status === 200) return answer.body.data.id;
      if (answer !== null && answer.status !== 503) throw new Error(JSON.stringify(answer));
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  };
}

/** Makes graphs over one WebSocket, which comes back by itself. */
function bySocket({ url, key }: HubProcess, graphTypeId: string): Make {
  const client = connectHub({
    hub: url,
    key,
    reconnect: { baseMs: 20, maxMs: 100 },
    onError: () => undefined,
  });
  onTestFinished(() => client.close());
  return async (name) => {
    const options = { requestId: name, timeoutMs: 60_000 };
    const { data } = await client.call("graphs.create", { graphTypeId, name }, options);
    return (data as { id: string }).id;
  };
}

async function graphType(hub: HubProcess): Promise<string> {
  return (await post(hub, "graph_types.list", { key: hub.key })).body.data.items[0].id;
}

describe("a hub that is killed under load (M42)", { timeout: 60_000 }, () => {
  it("keeps every write it acknowledged, once, and answers a key that comes again the same", async () => {
    const hub = new HubProcess();
    await hub.start();
    const typeId = await graphType(hub);
    const makes = { http: byHttp(hub, typeId), socket: bySocket(hub, typeId) };
    const made = new Map<string, string>();
    let stopped = false;
    const loops = Object.entries(makes).flatMap(([way, make]) =>
      [1, 2, 3].map(async (loop) => {
        for (let n = 0; !stopped; n++) {
          const name = `${way}-${loop}-${n}`;
          made.set(name, await make(name));
        }
      }),
    );
    const countOf = (way: string) => [...made.keys()].filter((name) => name.startsWith(way)).length;
    const more = async (count: number): Promise<void> => {
      const goals = ["http", "socket"].map((way) => [way, countOf(way) + count] as const);
      await eventually(
        "both ways go on",
        () => goals.every(([way, goal]) => countOf(way) >= goal),
        20_000,
      );
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await more(20);
      await hub.kill();
      await hub.start();
    }
    await more(30);
    stopped = true;
    await Promise.all(loops);
    // each of them once more, the other way round
    const again = await Promise.all(
      [...made.keys()].map(async (name) => {
        const make = name.startsWith("http") ? makes.socket : makes.http;
        return [name, await make(name)] as const;
      }),
    );
    expect(new Map(again)).toEqual(made);
    await hub.stop();
    using tenant = open(join(hub.dataFolder, "tenants", "tenant-acme.db"));
    const rows = tenant.query<{ id: string; name: string }>(
      "SELECT id, name FROM graphs WHERE name LIKE 'http-%' OR name LIKE 'socket-%'",
    );
    expect(new Map(rows.map(({ id, name }) => [name, id]))).toEqual(made);
    expect(rows).toHaveLength(made.size);
    expect((await tenant.integrityCheck()).ok).toBe(true);
  });
});

describe("a hub that is attacked (M41, M42)", { timeout: 60_000 }, () => {
  it("is not exhausted by clients that are slow, silent or deaf, and lets go of them", async () => {
    const hub = new HubProcess({
      headersTimeoutMs: 2_000,
      requestTimeoutMs: 3_000,
      callTimeoutMs: 3_000,
    });
    await hub.start();
    const host = `Host: 127.0.0.1:${hub.port}`;
    await post(hub, "graphs.list", { key: hub.key });
    const before = await openDescriptors(hub);
    const hostile = new Hostile(hub.port);
    hostile.drip(200, `GET /healthz HTTP/1.1\r\n${host}\r\nX-Slow: `);
    hostile.drip(100, `POST /call/graphs.list HTTP/1.1\r\n${host}\r\nContent-Length: 1000\r\n\r\n`);
    hostile.drip(100, "");
    const upgrade = `GET /ws HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    hostile.deaf(
      100,
      `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    const authorized = `${host}\r\nAuthorization: Bearer ${hub.key}\r\n`;
    const input = encodeURIComponent(JSON.stringify({ stream: "call-protocol", from: "start" }));
    hostile.deaf(
      SUBSCRIBED,
      `GET /subscribe/streams.tail?input=${input} HTTP/1.1\r\n${authorized}\r\n`,
    );
    hostile.deaf(200, "");
    await eventually("they are all there", async () => (await openDescriptors(hub)) > before + 400);
    let calls = 0;
    await eventually(
      "the hub has let go of all but those whose subscription the network still takes",
      async () => {
        expect((await post(hub, "graphs.list", { key: hub.key })).status).toBe(200);
        calls += 1;
        return (await openDescriptors(hub)) < before + SUBSCRIBED + 10;
      },
      20_000,
    );
    expect(calls).toBeGreaterThan(20);
    const metrics = await metricsOf(hub);
    // the hundred calls and the hundred connections that show no key
    expect(refusals(metrics, "UNAUTHENTICATED") + refusals(metrics, "RATE_LIMITED")).toBe(200);
    await hub.stop();
  });

  it("refuses wrong keys and the ids of others, counts them, and writes them down", async () => {
    const hub = new HubProcess();
    const neighbourKey = addNeighbour(hub.dataFolder);
    await hub.start();
    const { key } = hub;
    const input = { graphTypeId: await graphType(hub), name: "secret" };
    const { id } = (await post(hub, "graphs.create", { key, input })).body.data;
    const find = { key: neighbourKey, input: { id } };
    expect((await post(hub, "graphs.find", find)).body).toMatchObject({ data: null });
    for (const org of ["acme", "nowhere"]) {
      const { status, body } = await post(hub, "graphs.find", { ...find, org });
      expect([status, body.error.code]).toEqual([403, "FORBIDDEN"]);
    }
    const upgrade = await fetch(`${hub.url}/ws?org=acme&key=${key}`);
    expect(upgrade.status).toBe(404); // no key is read from a URL
    const refused = await Promise.all(
      Array.from({ length: 40 }, (_, n) => post(hub, "graphs.list", { key: `alk_wrong_${n}` })),
    );
    const statuses = refused.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    // those who are known go on
    expect((await post(hub, "graphs.list", { key })).status).toBe(200);
    const metrics = await metricsOf(hub);
    expect(refusals(metrics, "UNAUTHENTICATED")).toBe(
      statuses.filter((status) => status === 401).length,
    );
    expect(refusals(metrics, "RATE_LIMITED")).toBe(
      statuses.filter((status) => status === 429).length,
    );
    expect(refusals(metrics, "FORBIDDEN")).toBe(2);
    expect(metrics).not.toMatch(/acme|globex|alk_/);
    await hub.stop();
    using system = open(join(hub.dataFolder, "system.db"));
    const audited = system.rows(
      "SELECT owner_id, details ->> 'reason', sum(details ->> 'count') FROM audit_logs WHERE action = 'auth.failed' GROUP BY 1, 2",
    );
    expect(audited).toContainEqual(["neighbour", "no_access", 2]);
    const malformed = audited.find(([, reason]) => reason === "malformed");
    expect(malformed?.[2]).toBeGreaterThanOrEqual(20);
  });
});
