import { randomUUID } from "node:crypto";
import { eventually } from "@alkdev/testkit";
import { describeEventTarget, type TestedEventTarget } from "@alkdev/testkit/event-target-suite";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPubSub } from "../src/index.ts";
import {
  createRedisEventTarget,
  createRedisStreamEventTarget,
  type RedisStreamEventTargetOptions,
} from "../src/redis.ts";
import { ownServer, REDIS_URL, reachable, redisServer } from "./server-process.ts";
import { code, envelope } from "./websocket-fixtures.ts";

const available = await reachable(REDIS_URL);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

function connection(url = REDIS_URL): Redis {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {}); // reconnecting is what is tested
  onTestFinished(() => client.disconnect());
  return client;
}

/** Fresh keys, removed with the test. */
function streamTarget(options: Partial<RedisStreamEventTargetOptions> = {}) {
  const client = options.client ?? connection();
  const stream = options.stream ?? `test:${randomUUID()}`;
  const errors: unknown[] = [];
  const target = createRedisStreamEventTarget({
    client,
    stream,
    group: "g",
    consumer: "c",
    retry: { baseMs: 1, maxMs: 5 },
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(async () => {
    await target.close();
    if (client.status === "ready") await client.del(stream, `${stream}:dead`);
  });
  return { client, stream, target, errors };
}

const pendingOf = async (client: Redis, stream: string): Promise<number> =>
  ((await client.xpending(stream, "g")) as [number])[0];

describe.skipIf(!available)(`with Redis at ${REDIS_URL}`, () => {
  describeEventTarget({
    name: "Redis pub/sub",
    capabilities: { transport: true },
    create: async (onError) => {
      const prefix = `test:${randomUUID()}:`;
      const publishClient = connection();
      const publisher = createRedisEventTarget({
        publishClient,
        subscribeClient: connection(),
        prefix,
      });
      const subscriber = createRedisEventTarget({
        publishClient: connection(),
        subscribeClient: connection(),
        prefix,
        onError,
      });
      return {
        publisher: publisher as unknown as TestedEventTarget,
        subscriber: subscriber as unknown as TestedEventTarget,
        settle: () => subscriber.settled(),
        transportListeners: async (topic) => {
          const [, count] = await publishClient.pubsub("NUMSUB", prefix + topic);
          return Number(count);
        },
        close: () => Promise.all([publisher.close(), subscriber.close()]),
      };
    },
  });

  describeEventTarget({
    name: "Redis Streams",
    capabilities: { redelivers: true, topics: 2_000 },
    create: async (onError) => {
      const { target, stream } = streamTarget({ onError });
      const publisher = streamTarget({ stream, group: "publisher" }).target;
      return {
        publisher: publisher as unknown as TestedEventTarget,
        subscriber: target as unknown as TestedEventTarget,
        settle: () => target.settled(),
        close: () => target.close(),
      };
    },
  });

  describe("Redis pub/sub target (M23)", () => {
    it("refuses one connection for both, and reports messages that are not JSON", async () => {
      const client = connection();
      expect(() =>
        createRedisEventTarget({ publishClient: client, subscribeClient: client }),
      ).toThrow(code("INVALID_ARGUMENT") as never);
      const errors: unknown[] = [];
      const prefix = randomUUID();
      const target = createRedisEventTarget({
        publishClient: client,
        subscribeClient: connection(),
        prefix,
        onError: (error) => errors.push(error),
      });
      onTestFinished(() => target.close());
      target.addEventListener("a:", () => {});
      await target.settled();
      await client.publish(`${prefix}a:`, "not json");
      await eventually("it is reported", () => errors.length === 1);
      expect(errors[0]).toEqual(code("MALFORMED_FRAME"));
    });
  });

  describe("Redis Streams target (M23)", () => {
    it("refuses a consumer that this process already has, until it is closed", async () => {
      const { target, stream } = streamTarget();
      expect(() => streamTarget({ stream })).toThrow(code("CONSUMER_NAME_TAKEN") as never);
      await target.close();
      streamTarget({ stream });
    });

    it("delivers to each group once, and shares a group's events among its consumers", async () => {
      const { target, stream } = streamTarget({ batchSize: 4 });
      const second = streamTarget({ stream, consumer: "c2", batchSize: 4 }).target;
      const other = streamTarget({ stream, group: "other" }).target;
      const seen: unknown[][] = [[], [], []];
      for (const [index, each] of [target, second, other].entries()) {
        each.addEventListener("n:", (event) => void seen[index]?.push(event.detail.payload));
      }
      await Promise.all([target.settled(), second.settled(), other.settled()]);
      for (const n of numbers(0, 200)) target.dispatchEvent(envelope("n:", n));
      await eventually("all arrive", () => seen.flat().length >= 400);
      expect(seen[2]).toEqual(numbers(0, 200));
      const shared = [...(seen[0] ?? []), ...(seen[1] ?? [])] as number[];
      expect(shared.sort((a, b) => a - b)).toEqual(numbers(0, 200));
    });

    it("starts with the oldest entry, or with what comes", async () => {
      const { target, stream } = streamTarget();
      target.dispatchEvent(envelope("n:", 1));
      await target.settled();
      const now = streamTarget({ stream, group: "now", from: "now" }).target;
      const [all, fresh]: [unknown[], unknown[]] = [[], []];
      target.addEventListener("n:", (event) => void all.push(event.detail.payload));
      now.addEventListener("n:", (event) => void fresh.push(event.detail.payload));
      await Promise.all([target.settled(), now.settled()]);
      target.dispatchEvent(envelope("n:", 2));
      await eventually("all arrive", () => all.length === 2 && fresh.length === 1);
      expect({ all, fresh }).toEqual({ all: [1, 2], fresh: [2] });
    });

    it("confirms when the listeners have settled, and gives again what they had not", async () => {
      const { target, stream, client } = streamTarget();
      const pubsub = createPubSub<{ n: number }>({ eventTarget: target });
      const first = pubsub.subscribe("n", "", { buffer: { overflow: "wait" } });
      for (const n of [1, 2, 3]) pubsub.publish("n", "", n);
      expect((await first.next()).value?.payload).toBe(1);
      expect(await pendingOf(client, stream)).toBeGreaterThan(0);
      expect((await first.next()).value?.payload).toBe(2);
      await first.return();
      await target.close();
      const again = streamTarget({ stream }).target;
      const seen: unknown[] = [];
      again.addEventListener("n:", (event) => void seen.push(event.detail.payload));
      await eventually("the rest arrives", () => seen.length === 2);
      expect(seen).toEqual([2, 3]);
      await eventually("all is confirmed", async () => (await pendingOf(client, stream)) === 0);
    });

    it("takes over what a consumer that died had been given", async () => {
      const { target, stream, client } = streamTarget({ claimIdleMs: 50, blockMs: 20 });
      target.dispatchEvent(envelope("n:", 1));
      await target.settled();
      await client.xgroup("CREATE", stream, "g", "0");
      await client.xreadgroup("GROUP", "g", "dead", "COUNT", 10, "STREAMS", stream, ">");
      const seen: unknown[] = [];
      target.addEventListener("n:", (event) => void seen.push(event.detail.payload));
      await eventually("it arrives", () => seen.length === 1);
      await eventually("it is confirmed", async () => (await pendingOf(client, stream)) === 0);
    });

    it("does not lose an event to another consumer while a listener takes long", async () => {
      const { target, stream } = streamTarget({ claimIdleMs: 60, blockMs: 20 });
      const thief = streamTarget({
        stream,
        consumer: "thief",
        claimIdleMs: 60,
        blockMs: 20,
      }).target;
      const seen: string[] = [];
      target.dispatchEvent(envelope("n:", 1));
      target.addEventListener("n:", async () => {
        seen.push("slow begins");
        thief.addEventListener("n:", () => void seen.push("stolen"));
        await new Promise((resolve) => setTimeout(resolve, 300));
        seen.push("slow ends");
      });
      await eventually("it is done", () => seen.includes("slow ends"));
      expect(seen).toEqual(["slow begins", "slow ends"]);
    });

    it("buries what fails too often, what killed its consumers, and what is no event", async () => {
      const { target, stream, client, errors } = streamTarget({
        maxDeliveries: 3,
        claimIdleMs: 1,
        blockMs: 10,
      });
      await client.xgroup("CREATE", stream, "g", "0", "MKSTREAM");
      target.dispatchEvent(envelope("n:", "poison"));
      await target.settled();
      for (const _ of numbers(0, 3)) {
        await client.xreadgroup("GROUP", "g", "c", "COUNT", 1, "STREAMS", stream, "0");
        await client.xreadgroup("GROUP", "g", "c", "COUNT", 1, "STREAMS", stream, ">");
      }
      await client.xadd(stream, "*", "something", "else");
      for (const payload of ["fails", "works"]) target.dispatchEvent(envelope("n:", payload));
      const seen: unknown[] = [];
      target.addEventListener("n:", (event) => {
        seen.push(event.detail.payload);
        if (event.detail.payload === "fails") throw new Error("never works");
      });
      await eventually("all are dealt with", () => seen.includes("works"));
      await eventually("all is confirmed", async () => (await pendingOf(client, stream)) === 0);
      expect(seen).toEqual(["fails", "fails", "fails", "works"]);
      const dead = await client.xrange(`${stream}:dead`, "-", "+");
      expect(dead.map(([, fields]) => fields[3] && JSON.parse(fields[3]).payload)).toEqual([
        "poison",
        "",
        "fails",
      ]);
      expect(dead[2]?.[1]).toContain("Error: never works");
      expect(errors.filter((error) => String(error).includes("given up"))).toHaveLength(2);
    });

    it("reports what could not be stored, and says so in settled", async () => {
      const client = connection();
      const { target, errors } = streamTarget({ client });
      client.disconnect();
      target.dispatchEvent(envelope("n:", 1));
      await expect(target.settled()).rejects.toEqual(code("TRANSPORT"));
      expect(errors[0]).toEqual(code("TRANSPORT"));
    });
  });
});

describe.skipIf(redisServer === undefined)("with a Redis server that is killed (M23)", () => {
  const start = () =>
    ownServer(redisServer ?? "", (port, folder) => [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
      ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
    ]);

  it("pub/sub takes up its subscriptions again", { timeout: 15_000 }, async () => {
    const server = await start();
    const url = `redis://127.0.0.1:${server.port}`;
    const target = createRedisEventTarget({
      publishClient: connection(url),
      subscribeClient: connection(url),
      onError: () => {},
    });
    onTestFinished(() => target.close());
    const seen: unknown[] = [];
    target.addEventListener("a:", (event) => void seen.push(event.detail.payload));
    await target.settled();
    target.dispatchEvent(envelope("a:", "before"));
    await eventually("it works", () => seen.length === 1);
    await server.kill();
    target.addEventListener("b:", (event) => void seen.push(event.detail.payload));
    await server.start();
    await eventually("both topics are heard again", () => {
      target.dispatchEvent(envelope("a:", "after a"));
      target.dispatchEvent(envelope("b:", "after b"));
      return seen.includes("after a") && seen.includes("after b");
    });
  });

  it("streams lose nothing", { timeout: 20_000 }, async () => {
    const server = await start();
    const client = connection(`redis://127.0.0.1:${server.port}`);
    const { target } = streamTarget({ client, stream: "s" });
    const seen: number[] = [];
    target.addEventListener("n:", async (event) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(event.detail.payload as number);
    });
    for (const n of numbers(0, 300)) {
      target.dispatchEvent(envelope("n:", n));
      if (n % 100 === 50) {
        await eventually("some arrived", () => seen.length > n - 40);
        await server.kill();
        await server.start();
      }
    }
    await eventually("all have arrived", () => new Set(seen).size === 300, 10_000);
    expect([...new Set(seen)].sort((a, b) => a - b)).toEqual(numbers(0, 300));
    // an event sent again because the answer to its XADD was lost may come twice, no more
    expect(seen.length).toBeLessThan(310);
  });
});
