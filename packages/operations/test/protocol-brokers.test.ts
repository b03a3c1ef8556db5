import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createConnection } from "node:net";
import { pipe, type RemoteEventTarget, toArray } from "@alkdev/pubsub";
import { createJetStreamEventTarget, createNatsEventTarget } from "@alkdev/pubsub/nats";
import { createRedisEventTarget, createRedisStreamEventTarget } from "@alkdev/pubsub/redis";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCaller, createCallHandler } from "../src/index.ts";
import { ada, addSpec, countSpec, quietRegistry } from "./fixtures.ts";
import { aborted, deferred, upTo, workSpec } from "./protocol-fixtures.ts";

const REDIS_URL = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379";
const NATS_URL = process.env["NATS_URL"] ?? "nats://127.0.0.1:4222";

async function reachable(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  const connected = once(socket, "connect").then(
    () => true,
    () => false,
  );
  return connected.finally(() => socket.destroy());
}

const redis = await reachable(REDIS_URL);
const nats = await reachable(NATS_URL);

function redisClient(): Redis {
  const client = new Redis(REDIS_URL);
  onTestFinished(() => client.disconnect());
  return client;
}

async function natsClient() {
  const client = await connect({ servers: NATS_URL.replace("nats://", "") });
  onTestFinished(() => client.close());
  return client;
}

/** Makes the target of one side; `name` is what both sides share. */
type Make = (side: "caller" | "handler", name: string) => Promise<RemoteEventTarget>;

const redisPubSub: Make = async (_, name) =>
  createRedisEventTarget({
    publishClient: redisClient(),
    subscribeClient: redisClient(),
    prefix: `${name}:`,
  });

const redisStreams: Make = async (side, name) => {
  const client = redisClient();
  onTestFinished(async () => void (await client.del(name, `${name}:dead`)));
  return createRedisStreamEventTarget({ client, stream: name, group: side, consumer: side });
};

const natsCore: Make = async (_, name) =>
  createNatsEventTarget({ connection: await natsClient(), prefix: name });

const jetStream: Make = async (side, name) => {
  const connection = await natsClient();
  onTestFinished(async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.delete(name).catch(() => {});
    await manager.streams.delete(`${name}-dead`).catch(() => {});
  });
  return createJetStreamEventTarget({ connection, stream: name, consumer: side });
};

describe.each([
  ["Redis", redis, redisPubSub],
  ["Redis Streams", redis, redisStreams],
  ["NATS", nats, natsCore],
  ["JetStream", nats, jetStream],
] as const)("calls over %s (M40)", (_, available, make) => {
  it.skipIf(!available)("are answered, and end on the other side when taken back", async () => {
    const name = `test-${randomUUID()}`;
    const [here, there] = [await make("caller", name), await make("handler", name)];
    const { registry } = quietRegistry();
    const ended = deferred();
    registry.register({ ...addSpec, handler: ({ a, b }) => a + b });
    registry.register({ ...countSpec, handler: upTo });
    registry.register({
      ...workSpec,
      handler: async (_input, { signal }) => {
        await aborted(signal);
        ended.resolve();
      },
    });
    const handler = createCallHandler({ registry, eventTarget: there, identityOf: () => ada });
    const caller = createCaller({ eventTarget: here, replyTo: "caller" });
    onTestFinished(async () => {
      caller.close();
      await handler.close({ drainMs: 0 });
      await Promise.all([here.close(), there.close()]);
    });
    await Promise.all([here.settled(), there.settled()]);
    const numbers = Array.from({ length: 50 }, (_, n) => n + 1);
    const sums = await Promise.all(numbers.map((n) => caller.call(addSpec, { a: n, b: n })));
    expect(sums.map(({ data }) => data)).toEqual(numbers.map((n) => 2 * n));
    const answers = caller.subscribe(countSpec, { to: 50 }, { window: 8 });
    expect((await pipe(answers, toArray())).map(({ data }) => data)).toEqual(numbers);
    const late = caller.call(workSpec, null, { timeoutMs: 200 });
    await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
    await ended.promise;
    expect(caller.stats()).toMatchObject({ pending: 0, malformed: 0 });
  });
});
