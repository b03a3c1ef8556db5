// BullMQ on Redis, Redis pub/sub and Redis Streams, through ioredis.
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import {
  type DurabilityOf,
  NOT_KEPT,
  REDIS_ALWAYS,
  REDIS_EVERYSEC,
  REDIS_MEMORY,
} from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { Peer, PubSubPeer, QueuePeer, StreamPeer } from "../harness/peer.ts";
import { type ServerName, serverPort } from "../harness/servers.ts";

type RedisServer = Extract<ServerName, `redis${string}`>;

const READ = 256;

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly maxRetriesPerRequest: null;
}

export function connection(server: RedisServer): Connection {
  return { host: "127.0.0.1", port: serverPort(server), maxRetriesPerRequest: null };
}

export async function emptied(server: RedisServer): Promise<void> {
  const redis = new Redis(connection(server));
  await redis.flushall();
  redis.disconnect();
}

export function bullmq(server: RedisServer): QueuePeer {
  const queueOf = async (name: string): Promise<Queue> => {
    const queue = new Queue(name, {
      connection: connection(server),
      defaultJobOptions: { removeOnComplete: true, removeOnFail: 100 },
    });
    await queue.waitUntilReady();
    return queue;
  };
  return {
    prepare: () => emptied(server),
    async producer({ name }) {
      const queue = await queueOf(name);
      return {
        sync: false,
        add: (job) => queue.add("job", job),
        addMany: (jobs) => queue.addBulk(jobs.map((data) => ({ name: "job", data }))),
        close: () => queue.close(),
      };
    },
    async worker({ name }, { concurrency, handler }) {
      const worker = new Worker(
        name,
        async (job) => {
          await handler(job.data as Payload);
        },
        { connection: connection(server), concurrency },
      );
      await worker.waitUntilReady();
      return worker;
    },
    async claimer({ name }) {
      const worker = new Worker(name, null, { connection: connection(server) });
      await worker.waitUntilReady();
      return {
        sync: false,
        async claimAndAck() {
          const job = await worker.getNextJob("bench", { block: false });
          if (job === undefined) return false;
          await job.moveToCompleted(null, "bench", false);
          return true;
        },
        close: () => worker.close(true),
      };
    },
  };
}

const pubsub: PubSubPeer = {
  prepare: () => emptied("redis"),
  async connect({ name }) {
    const publisher = new Redis(connection("redis"));
    const subscriber = new Redis(connection("redis"));
    await publisher.ping();
    return {
      publish: (message) => publisher.publish(name, JSON.stringify(message)),
      async subscribe(handler) {
        subscriber.on("message", (_channel, text) => handler(JSON.parse(text) as Payload));
        await subscriber.subscribe(name);
      },
      close() {
        publisher.disconnect();
        subscriber.disconnect();
      },
    };
  },
};

type Entries = [stream: string, entries: [id: string, fields: string[]][]][] | null;

class RedisLog {
  readonly sync = false;
  readonly #redis: Redis;
  readonly #key: string;
  #on = true;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  static async open(server: RedisServer, key: string): Promise<RedisLog> {
    const redis = new Redis(connection(server));
    try {
      await redis.xgroup("CREATE", key, "group", "0", "MKSTREAM");
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes("BUSYGROUP")) throw error;
    }
    return new RedisLog(redis, key);
  }

  append(message: Payload): Promise<unknown> {
    return this.#redis.xadd(this.#key, "*", "data", JSON.stringify(message));
  }

  async appendMany(messages: readonly Payload[]): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const message of messages) pipeline.xadd(this.#key, "*", "data", JSON.stringify(message));
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  async read(limit: number): Promise<Payload[]> {
    const group = ["GROUP", "group", "consumer", "COUNT", limit] as const;
    const found = (await this.#redis.xreadgroup(...group, "STREAMS", this.#key, ">")) as Entries;
    return this.#acknowledged(found);
  }

  async follow(handler: (payload: Payload) => void): Promise<void> {
    const group = ["GROUP", "group", "consumer", "COUNT", READ, "BLOCK", 1_000] as const;
    while (this.#on) {
      const found = (await this.#redis
        .xreadgroup(...group, "STREAMS", this.#key, ">")
        .catch(() => null)) as Entries;
      for (const message of await this.#acknowledged(found)) handler(message);
    }
  }

  close(): void {
    this.#on = false;
    this.#redis.disconnect();
  }

  async #acknowledged(found: Entries): Promise<Payload[]> {
    const entries = found?.[0]?.[1] ?? [];
    if (entries.length > 0)
      await this.#redis.xack(this.#key, "group", ...entries.map(([id]) => id));
    return entries.map(([, fields]) => JSON.parse(fields[1] ?? "") as Payload);
  }
}

function streams(server: RedisServer): StreamPeer {
  return {
    prepare: () => emptied(server),
    connect: ({ name }) => RedisLog.open(server, name),
    async follow({ name }, handler) {
      const log = await RedisLog.open(server, name);
      void log.follow(handler);
      return log;
    },
  };
}

const SERVERS: readonly (readonly [RedisServer, DurabilityOf])[] = [
  ["redis", REDIS_MEMORY],
  ["redis-aof", REDIS_EVERYSEC],
  ["redis-always", REDIS_ALWAYS],
];

export const peers: readonly Peer[] = [
  ...SERVERS.flatMap(([server, durability]): Peer[] => [
    {
      id: `bullmq-${server}`,
      settings: "BullMQ 6.7.0 on ioredis 6.0.0, removeOnComplete, otherwise defaults",
      ...durability,
      needs: [server],
      queue: bullmq(server),
    },
    {
      id: server.replace("redis", "redis-streams"),
      settings:
        "ioredis 6.0.0: XADD of one JSON field (1,024 per call: one pipeline), XREADGROUP COUNT 256, one XACK per batch",
      ...durability,
      needs: [server],
      stream: streams(server),
    },
  ]),
  {
    id: "redis-pubsub",
    settings: "ioredis 6.0.0 PUBLISH and SUBSCRIBE on two connections",
    ...NOT_KEPT,
    needs: ["redis"],
    pubsub,
  },
];
