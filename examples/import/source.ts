import { seedPostgresHub } from "@alkdev/transfer";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { Client } from "pg";
import type { ProgressLine } from "../package-graph/progress.ts";

/** Where the old hub's data is. */
export interface Source {
  readonly postgresUrl: string;
  readonly redisUrl: string;
  /** The schema, and what the keys in Redis begin with. */
  readonly name: string;
}

/** What was seeded. */
export interface Seeded {
  readonly rows: number;
  readonly entries: number;
  readonly jobs: number;
}

const ENTRIES = 2_000;
const WAITING = 300;
const DELAYED = 50;

/** Key of the Redis Stream. */
export const streamKey = ({ name }: Source): string => `${name}:events`;
/** Name of the queue of BullMQ. */
export const queueName = ({ name }: Source): string => `${name}-mails`;

/** Options of {@link seedSource}. */
export interface SeedOptions {
  readonly rows: number;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

/** Makes what is not there yet: a hub in PostgreSQL, a stream with a consumer group, and jobs. */
export async function seedSource(source: Source, options: SeedOptions): Promise<Seeded> {
  const { rows, progress, signal } = options;
  const postgres = new Client({ connectionString: source.postgresUrl });
  await reached("PostgreSQL", source.postgresUrl, () => postgres.connect());
  try {
    if (!(await hasSchema(postgres, source.name))) {
      await seedPostgresHub({
        url: source.postgresUrl,
        schema: source.name,
        rows,
        signal,
        onProgress: ({ done, total }) =>
          progress.update({ phase: "seeding PostgreSQL", done, total: total ?? done }),
      });
    }
    return { rows: await countRows(postgres, source.name), ...(await seedRedis(source)) };
  } finally {
    await postgres.end();
  }
}

/** Removes what was seeded. */
export async function dropSource(source: Source): Promise<void> {
  const postgres = new Client({ connectionString: source.postgresUrl });
  await reached("PostgreSQL", source.postgresUrl, () => postgres.connect());
  await postgres.query(`DROP SCHEMA IF EXISTS ${postgres.escapeIdentifier(source.name)} CASCADE`);
  await postgres.end();
  const redis = await connectRedis(source);
  await redis.del(streamKey(source));
  redis.disconnect();
  const queue = new Queue(queueName(source), { connection: { url: source.redisUrl } });
  await queue.obliterate({ force: true });
  await queue.close();
}

async function seedRedis(source: Source): Promise<Omit<Seeded, "rows">> {
  const redis = await connectRedis(source);
  const key = streamKey(source);
  const begin = await redis.xlen(key);
  for (let n = begin; n < ENTRIES; n += 1) {
    const event = { type: "session.updated", sessionId: `s-${n % 50}`, n };
    await redis.xadd(key, "*", "detail", JSON.stringify(event));
    if (n === ENTRIES / 2 - 1) await redis.xgroup("CREATE", key, "projector", "$");
  }
  const entries = await redis.xlen(key);
  redis.disconnect();
  const queue = new Queue(queueName(source), { connection: { url: source.redisUrl } });
  const jobId = (n: number): string => `mail-${n}`; // added again it is the same job
  await queue.addBulk(
    Array.from({ length: WAITING + DELAYED }, (_, n) => ({
      name: "mail",
      data: { to: `user${n}@example.com`, n },
      opts: { jobId: jobId(n), ...(n < WAITING ? {} : { delay: 3_600_000 }) },
    })),
  );
  const { waiting = 0, delayed = 0 } = await queue.getJobCounts("waiting", "delayed");
  await queue.close();
  return { entries, jobs: waiting + delayed };
}

async function hasSchema(postgres: Client, name: string): Promise<boolean> {
  const { rowCount } = await postgres.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [
    name,
  ]);
  return rowCount === 1;
}

async function countRows(postgres: Client, schema: string): Promise<number> {
  const tables = await postgres.query<{ tablename: string }>(
    "SELECT tablename FROM pg_tables WHERE schemaname = $1",
    [schema],
  );
  let rows = 0;
  for (const { tablename } of tables.rows) {
    const table = `${postgres.escapeIdentifier(schema)}.${postgres.escapeIdentifier(tablename)}`;
    const { rows: counted } = await postgres.query<{ n: string }>(
      `SELECT count(*) n FROM ${table}`,
    );
    rows += Number(counted[0]?.n);
  }
  return rows;
}

async function connectRedis({ redisUrl }: Source): Promise<Redis> {
  const redis = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined); // connect() rejects with it
  await reached("Redis", redisUrl, () => redis.connect());
  return redis;
}

async function reached(name: string, url: string, connect: () => Promise<unknown>): Promise<void> {
  try {
    await connect();
  } catch (error) {
    const where = new URL(url).host;
    const reason = (error as Error).message || (error as { readonly code?: string }).code;
    const message = `${name} at ${where} does not answer: ${reason}. Start it, or set its URL in the environment`;
    throw Object.assign(new Error(message), { code: "UNREACHABLE" });
  }
}
