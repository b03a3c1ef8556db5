// One business row and one job: in one transaction where the peer can, else one after the other.
import { Queue } from "bullmq";
import pg from "pg";
import { POSTGRES_SYNC, REDIS_EVERYSEC, SQLITE_NORMAL } from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type { OutboxPeer, Peer } from "../harness/peer.ts";
import { openPlainjob, plainjob } from "./plainjob.ts";
import { config, graphileWorker, sql } from "./postgres.ts";
import { bullmq, connection, emptied } from "./redis.ts";

const SQLITE_ORDERS =
  "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)";
const SQLITE_ORDER = "INSERT INTO orders (id, item, quantity) VALUES (?, ?, ?)";
const PG_ORDERS =
  "CREATE TABLE orders (id bigint PRIMARY KEY, item text NOT NULL, quantity integer NOT NULL)";
const PG_ORDER = {
  name: "order",
  text: "INSERT INTO orders (id, item, quantity) VALUES ($1, $2, $3)",
};
const GRAPHILE_JOBS = `SELECT payload FROM graphile_worker._private_jobs AS jobs
  JOIN graphile_worker._private_tasks AS tasks ON tasks.id = jobs.task_id WHERE identifier = $1`;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // the signal is delivered before the call returns; this tells the compiler
  throw new Error("not reached");
}

function order(seq: number): unknown[] {
  return [seq, `item ${seq}`, 1];
}

async function orders(): Promise<number[]> {
  return (await sql("SELECT id FROM orders")).rows.map(({ id }) => Number(id));
}

const withPlainjob: OutboxPeer = {
  crashPoints: ["between", "before commit"],
  prepare(context) {
    const { queue, database } = openPlainjob(context);
    database.exec(SQLITE_ORDERS);
    queue.close();
  },
  writer(context) {
    const { queue, database } = openPlainjob(context);
    const insert = database.prepare(SQLITE_ORDER);
    const both = database.transaction((message: Payload) => {
      insert.run(...order(message.seq));
      queue.add(context.name, message);
    });
    return {
      sync: true,
      write: (message) => both.immediate(message),
      crash(seq, point) {
        database.exec("BEGIN IMMEDIATE");
        insert.run(...order(seq));
        if (point === "between") die();
        queue.add(context.name, { seq });
        die();
      },
      close: () => queue.close(),
    };
  },
  worker: (context, options) => plainjob({ pollMs: 10 }).worker(context, options),
  audit(context) {
    const { queue, database } = openPlainjob(context);
    try {
      const rows = database.prepare("SELECT id FROM orders").pluck().all() as number[];
      const jobs = database
        .prepare("SELECT data FROM plainjob_jobs WHERE type = ?")
        .pluck()
        .all(context.name) as string[];
      return { rows, jobs: jobs.map((data) => (JSON.parse(data) as Payload).seq) };
    } finally {
      queue.close();
    }
  },
};

const withGraphileWorker: OutboxPeer = {
  crashPoints: ["between", "before commit"],
  async prepare(context) {
    await graphileWorker("on").prepare(context);
    await sql("DROP TABLE IF EXISTS orders");
    await sql(PG_ORDERS);
  },
  writer({ name }) {
    const pool = new pg.Pool({ ...config("on"), max: 10 });
    const both = async (
      client: pg.PoolClient,
      message: Pick<Payload, "seq">,
      stop?: string,
    ): Promise<void> => {
      await client.query("BEGIN");
      await client.query({ ...PG_ORDER, values: order(message.seq) });
      if (stop === "between") die();
      await client.query({
        name: "job",
        text: "SELECT graphile_worker.add_job($1, payload := $2::json)",
        values: [name, JSON.stringify(message)],
      });
      if (stop !== undefined) die();
      await client.query("COMMIT");
    };
    return {
      sync: false,
      async write(message) {
        const client = await pool.connect();
        try {
          await both(client, message);
        } finally {
          client.release();
        }
      },
      async crash(seq, point) {
        await both(await pool.connect(), { seq }, point);
      },
      close: () => pool.end(),
    };
  },
  worker: (context, options) => graphileWorker("on").worker(context, options),
  async audit({ name }) {
    const { rows } = await sql(GRAPHILE_JOBS, [name]);
    return { rows: await orders(), jobs: rows.map(({ payload }) => (payload as Payload).seq) };
  },
};

const postgresThenRedis: OutboxPeer = {
  crashPoints: ["row first", "job first"],
  async prepare() {
    await emptied("redis-aof");
    await sql("DROP TABLE IF EXISTS orders");
    await sql(PG_ORDERS);
  },
  async writer({ name }) {
    const pool = new pg.Pool({ ...config("on"), max: 10 });
    const queue = new Queue(name, {
      connection: connection("redis-aof"),
      defaultJobOptions: { removeOnComplete: true },
    });
    await queue.waitUntilReady();
    const row = (seq: number): Promise<unknown> => pool.query({ ...PG_ORDER, values: order(seq) });
    return {
      sync: false,
      async write(message) {
        await row(message.seq);
        await queue.add("job", message);
      },
      async crash(seq, point) {
        if (point === "row first") await row(seq);
        else await queue.add("job", { seq });
        die();
      },
      async close() {
        await queue.close();
        await pool.end();
      },
    };
  },
  worker: (context, options) => bullmq("redis-aof").worker(context, options),
  async audit({ name }) {
    const queue = new Queue(name, { connection: connection("redis-aof") });
    const jobs = await queue.getJobs(["waiting", "prioritized", "delayed"]);
    await queue.close();
    return { rows: await orders(), jobs: jobs.map(({ data }) => (data as Payload).seq) };
  },
};

export const peers: readonly Peer[] = [
  {
    id: "plainjob-outbox",
    settings:
      "one better-sqlite3 transaction: row and plainjob add; 10 workers polling every 10 ms",
    ...SQLITE_NORMAL,
    outbox: withPlainjob,
  },
  {
    id: "graphile-worker-outbox",
    settings:
      "BEGIN, INSERT, graphile_worker.add_job, COMMIT on a pool of 10; worker with defaults",
    ...POSTGRES_SYNC,
    needs: ["postgres"],
    outbox: withGraphileWorker,
  },
  {
    id: "postgres-then-bullmq",
    settings:
      "INSERT with its own commit (synchronous_commit=on), then BullMQ add on Redis with AOF",
    ...REDIS_EVERYSEC,
    needs: ["postgres", "redis-aof"],
    outbox: postgresThenRedis,
  },
];
