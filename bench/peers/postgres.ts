// pg-boss, graphile-worker, BullMQ's PostgreSQL backend and LISTEN/NOTIFY.
import { createPostgresBackend, type PostgresConnectionOptions, Queue, Worker } from "bullmq";
import { Logger, makeWorkerUtils, run, type WorkerUtils } from "graphile-worker";
import pg from "pg";
import { PgBoss } from "pg-boss";
import {
  type DurabilityOf,
  NOT_KEPT,
  POSTGRES_ASYNC,
  POSTGRES_SYNC,
} from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { Peer, PubSubPeer, QueuePeer } from "../harness/peer.ts";
import { serverPort } from "../harness/servers.ts";

/** `synchronous_commit`, the only setting that differs from the server's defaults. */
export type Commit = "on" | "off";

const POOL = 12;
const silent = new Logger(() => () => {});

interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly options: string;
}

export function config(commit: Commit): Connection {
  return {
    host: "127.0.0.1",
    port: serverPort("postgres"),
    user: "bench",
    database: "postgres",
    options: `-c synchronous_commit=${commit}`,
  };
}

function url(commit: Commit): string {
  const options = encodeURIComponent(`-c synchronous_commit=${commit}`);
  return `postgres://bench@127.0.0.1:${serverPort("postgres")}/postgres?options=${options}`;
}

export async function sql(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(config("on"));
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}

interface BossOptions {
  readonly commit: Commit;
  /** Jobs per fetch, and how many workers fetch. */
  readonly batchSize: number;
  readonly workers: number;
}

function pgBoss({ commit, batchSize, workers }: BossOptions): QueuePeer {
  const started = async (): Promise<PgBoss> => {
    const boss = new PgBoss({ ...config(commit), max: POOL, useListenNotify: true });
    boss.on("error", (error) => console.error("pg-boss", error));
    await boss.start();
    return boss;
  };
  const stopped = (boss: PgBoss): Promise<void> => boss.stop({ graceful: false, close: true });
  return {
    async prepare({ name }) {
      await sql("DROP SCHEMA IF EXISTS pgboss CASCADE");
      const boss = await started();
      await boss.createQueue(name, { notify: true });
      await stopped(boss);
    },
    async producer({ name }) {
      const boss = await started();
      return {
        sync: false,
        add: (job) => boss.send(name, job),
        addMany: (jobs) =>
          boss.insert(
            name,
            jobs.map((data) => ({ data })),
          ),
        close: () => stopped(boss),
      };
    },
    async worker({ name }, { handler }) {
      const boss = await started();
      const options = {
        batchSize,
        localConcurrency: workers,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
      };
      await boss.work<Payload>(name, options, async (jobs) => {
        for (const { data } of jobs) await handler(data);
      });
      return { close: () => stopped(boss) };
    },
    async claimer({ name }) {
      const boss = await started();
      return {
        sync: false,
        async claimAndAck() {
          const [job] = await boss.fetch(name);
          if (job === undefined) return false;
          await boss.complete(name, job.id);
          return true;
        },
        close: () => stopped(boss),
      };
    },
  };
}

export function graphileWorker(commit: Commit, preset: object = {}): QueuePeer {
  const utils = (): Promise<WorkerUtils> =>
    makeWorkerUtils({ connectionString: url(commit), logger: silent });
  return {
    async prepare() {
      await sql("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
      const made = await utils();
      await made.migrate();
      await made.release();
    },
    async producer({ name }) {
      const made = await utils();
      return {
        sync: false,
        add: (payload) => made.addJob(name, payload),
        addMany: (payloads) =>
          made.addJobs(payloads.map((payload) => ({ identifier: name, payload }))),
        close: () => made.release(),
      };
    },
    async worker({ name }, { concurrency, handler }) {
      const runner = await run({
        taskList: {
          [name]: async (payload) => {
            await handler(payload as Payload);
          },
        },
        noHandleSignals: true,
        preset: {
          worker: {
            connectionString: url(commit),
            concurrentJobs: concurrency,
            maxPoolSize: POOL,
            logger: silent,
            ...preset,
          },
        },
      });
      return { close: () => runner.stop() };
    },
  };
}

function bullmq(commit: Commit): QueuePeer {
  const schema = `bullmq_${commit}`;
  // its types leave out what pg itself takes
  const connection = (): PostgresConnectionOptions =>
    ({ ...config(commit), schema, max: POOL }) as unknown as PostgresConnectionOptions;
  return {
    async prepare() {
      await sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      const queue = new Queue(
        "prepare",
        { connection: Object.assign(connection(), { migrate: true }) },
        createPostgresBackend,
      );
      await queue.waitUntilReady();
      await queue.close();
    },
    async producer({ name }) {
      const queue = new Queue(
        name,
        {
          connection: connection(),
          defaultJobOptions: { removeOnComplete: true, removeOnFail: 100 },
        },
        createPostgresBackend,
      );
      await queue.waitUntilReady();
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
        { connection: connection(), concurrency },
        createPostgresBackend,
      );
      await worker.waitUntilReady();
      return worker;
    },
  };
}

const notify: PubSubPeer = {
  prepare() {},
  async connect({ name }) {
    const publisher = new pg.Client(config("on"));
    const subscriber = new pg.Client(config("on"));
    await publisher.connect();
    await subscriber.connect();
    return {
      publish: (message) =>
        publisher.query("SELECT pg_notify($1, $2)", [name, JSON.stringify(message)]),
      async subscribe(handler) {
        subscriber.on("notification", ({ payload }) =>
          handler(JSON.parse(payload ?? "") as Payload),
        );
        await subscriber.query(`LISTEN ${name}`);
      },
      async close() {
        await publisher.end();
        await subscriber.end();
      },
    };
  },
};

const BOSS = "pg-boss 12.38.0, LISTEN/NOTIFY on, burstWhenBatchFull, poll 0.5 s";
const GRAPHILE = "graphile-worker 0.18.0, LISTEN/NOTIFY, maxPoolSize 12";
const TUNED = { localQueue: { size: 500 }, completeJobBatchDelay: 0 };

const COMMITS: readonly (readonly [Commit, string, DurabilityOf])[] = [
  ["off", "-async", POSTGRES_ASYNC],
  ["on", "", POSTGRES_SYNC],
];

export const peers: readonly Peer[] = [
  ...COMMITS.flatMap(([commit, suffix, durability]): Peer[] => [
    {
      id: `pg-boss${suffix}`,
      settings: `${BOSS}, 10 workers of one job each`,
      ...durability,
      needs: ["postgres"],
      only: ["queue-enqueue", "queue-latency", "claim-depth"],
      queue: pgBoss({ commit, batchSize: 1, workers: 10 }),
    },
    {
      id: `pg-boss-batches${suffix}`,
      settings: `${BOSS}, 2 workers with batchSize 1,000, the jobs of a batch one after the other`,
      ...durability,
      needs: ["postgres"],
      only: ["queue-throughput"],
      queue: pgBoss({ commit, batchSize: 1_000, workers: 2 }),
    },
    {
      id: `graphile-worker${suffix}`,
      settings: `${GRAPHILE}, otherwise defaults`,
      ...durability,
      needs: ["postgres"],
      queue: graphileWorker(commit),
    },
    {
      id: `graphile-worker-batches${suffix}`,
      settings: `${GRAPHILE}, localQueue.size 500, completeJobBatchDelay 0`,
      ...durability,
      needs: ["postgres"],
      only: ["queue-throughput"],
      queue: graphileWorker(commit, TUNED),
    },
    {
      id: `bullmq-postgres${suffix}`,
      settings: "BullMQ 6.7.0 PostgreSQL backend, removeOnComplete, pool 12",
      ...durability,
      needs: ["postgres"],
      queue: bullmq(commit),
    },
  ]),
  {
    id: "pg-notify",
    settings: "pg 8.23.1 LISTEN and NOTIFY on two connections, synchronous_commit=on",
    ...NOT_KEPT,
    needs: ["postgres"],
    pubsub: notify,
  },
];
