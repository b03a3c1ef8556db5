import { setImmediate } from "node:timers/promises";
import type { Database, Stream } from "@alkdev/honker";
import { TransferError } from "../errors.ts";
import { requireText, requireWhole } from "../import/import-options.ts";
import { shownUrl } from "../postgres/source.ts";
import type { TransferOptions } from "../progress.ts";
import {
  groupPositions,
  type ImportedGroup,
  REDIS_ID,
  saveConsumers,
} from "./consumer-positions.ts";
import { type EntryEvent, fieldsEvent, type RedisEntry, redisEntry } from "./redis-entry.ts";
import { openRedis } from "./redis-source.ts";

/** Options of `importRedisStream()`. */
export interface ImportRedisStreamOptions extends TransferOptions {
  /** Where Redis is: `redis://:password@host:6379/0`. */
  readonly url: string;
  /** Key of the Redis Stream. */
  readonly key: string;
  /** The database that gets the events: `system.db` or a tenant's. You keep it. */
  readonly db: Database;
  /** The stream they are published to, default `key`. */
  readonly stream?: string;
  /**
   * What an entry becomes. Default: an object of its fields, values as text. An entry for which it throws
   * ends the import.
   */
  readonly decode?: (entry: RedisEntry) => EntryEvent;
  /** Name of the consumer that goes on for a group, default the group's own name. */
  readonly consumerOf?: (group: string) => string;
  /** Entries per commit, default 2,000. */
  readonly batchSize?: number;
}

/** What came over. JSON. */
export interface RedisStreamReport {
  readonly source: { readonly url: string; readonly key: string };
  readonly stream: string;
  /** Entries that this call brought over. */
  readonly imported: number;
  /** Entries of the source with an id up to the last one that was brought over, by this call or before. */
  readonly total: number;
  /** The last entry that was brought over; null when there is none. */
  readonly lastId: string | null;
  /** Entries that Redis had once and has no more. They are not here either. */
  readonly trimmed: number;
  /** Entries with bytes that are no UTF-8; they became `base64:…`. */
  readonly encoded: number;
  readonly groups: readonly ImportedGroup[];
}

interface ImportMark {
  readonly lastId: string;
  readonly total: number;
  readonly encoded: number;
}

/**
 * Brings the entries of a Redis Stream into a stream of a database file, in their order (M38). The id of
 * an entry is the header `redis-id` of its event; consumer groups go on as consumers, behind the last
 * entry before any that was delivered and not acknowledged.
 *
 * Every batch is one commit with how far it came. Ended or killed, it goes on from there; called again
 * later it brings what is new, so it can run again and again until the old producers are switched off.
 *
 * @throws {@link TransferError} `INVALID_ARGUMENT`, `SOURCE_UNAVAILABLE`, `SOURCE_SHAPE` when the key is
 * no stream; the reason of `signal`; errors of Redis and of the engine
 * @example
 * ```ts
 * const report = await importRedisStream({
 *   url: "redis://127.0.0.1:6379",
 *   key: "call-protocol",
 *   db,
 *   decode: ({ fields }) => ({ payload: JSON.parse(Object.fromEntries(fields)["detail"] ?? "null") }),
 * });
 * ```
 */
export async function importRedisStream(
  options: ImportRedisStreamOptions,
): Promise<RedisStreamReport> {
  const { url, key, db, batchSize = 2_000, decode = fieldsEvent, signal, onProgress } = options;
  requireText(url, "url");
  requireText(key, "key");
  requireWhole(batchSize, "batchSize", 100_000);
  const name = requireText(options.stream ?? key, "stream");
  const { consumerOf = (group: string) => group } = options;
  const stream = db.stream(name);
  const marks = db.stream<ImportMark>(`transfer:redis:${key}:${name}`, {
    retention: { maxCount: 10, force: true },
  });
  const redis = await openRedis(url);
  try {
    await requireStream(redis, key);
    let mark = lastMark(marks) ?? { lastId: "0-0", total: 0, encoded: 0 };
    const before = mark.total;
    const length = await redis.xlen(key);
    for (;;) {
      signal?.throwIfAborted();
      const entries = await redis.xrangeBuffer(key, `(${mark.lastId}`, "+", "COUNT", batchSize);
      if (entries.length === 0) break;
      mark = importBatch({ db, stream, marks }, { entries, mark, decode });
      onProgress?.({
        phase: "read",
        item: key,
        done: mark.total,
        total: Math.max(length, mark.total),
      });
      // other work of the process, such as renewing locks, gets its turn
      await setImmediate();
    }
    const groups = saveConsumers(stream, await groupPositions(redis, key), consumerOf);
    const added = await entriesAdded(redis, key);
    return {
      source: { url: shownUrl(url), key },
      stream: name,
      imported: mark.total - before,
      total: mark.total,
      lastId: mark.total === 0 ? null : mark.lastId,
      trimmed: Math.max(0, added - mark.total),
      encoded: mark.encoded,
      groups,
    };
  } finally {
    redis.disconnect();
  }
}

function importBatch(
  {
    db,
    stream,
    marks,
  }: {
    readonly db: Database;
    readonly stream: Stream<unknown>;
    readonly marks: Stream<ImportMark>;
  },
  batch: {
    readonly entries: readonly (readonly [Buffer, readonly Buffer[]])[];
    readonly mark: ImportMark;
    readonly decode: (entry: RedisEntry) => EntryEvent;
  },
): ImportMark {
  const { entries, mark, decode } = batch;
  const read = entries.map(redisEntry);
  const events = read.map(({ entry }) => decode(entry));
  const next: ImportMark = {
    lastId: read.at(-1)?.entry.id ?? mark.lastId,
    total: mark.total + read.length,
    encoded: mark.encoded + read.filter(({ encoded }) => encoded).length,
  };
  db.transaction((tx) => {
    // another import of the same stream may have been here meanwhile
    const now = lastMark(marks);
    if (now !== null && now.lastId !== mark.lastId) {
      throw new TransferError(
        "BUSY",
        `another import brings entries into stream "${stream.name}"`,
        {
          hint: "Wait for its end",
        },
      );
    }
    stream.publishManyTx(
      tx,
      events.map(({ payload }) => payload),
      (_payload, index) => {
        const { key = null, subject } = events[index] as EntryEvent;
        const headers = { [REDIS_ID]: read[index]?.entry.id ?? "" };
        return { key, headers, ...(subject === undefined ? {} : { subject }) };
      },
    );
    marks.publishTx(tx, next);
  });
  return next;
}

function lastMark(marks: Stream<ImportMark>): ImportMark | null {
  const { lastOffset } = marks.info();
  if (lastOffset === null) return null;
  return marks.readSince(lastOffset - 1, 1)[0]?.payload ?? null;
}

async function requireStream(redis: Awaited<ReturnType<typeof openRedis>>, key: string) {
  const type = await redis.type(key);
  if (type === "stream") return;
  throw new TransferError(
    "SOURCE_SHAPE",
    type === "none" ? `there is no key "${key}"` : `key "${key}" is a ${type}, not a stream`,
    { details: { key, type } },
  );
}

/** How many entries the stream ever had; its length where Redis before 7 does not say. */
async function entriesAdded(redis: Awaited<ReturnType<typeof openRedis>>, key: string) {
  const info = (await redis.xinfo("STREAM", key)) as unknown[];
  const at = info.indexOf("entries-added");
  return at === -1 ? 0 : Number(info[at + 1]);
}
