import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "@alkdev/honker";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import { importRedisStream } from "@alkdev/transfer";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { REDIS_URL, uniqueName } from "./services.ts";

const CHILD = fileURLToPath(new URL("children/import-stream.ts", import.meta.url));

/** A Redis Stream of its own with `count` entries, gone when the test ends. */
async function redisStream(count: number): Promise<{ redis: Redis; key: string }> {
  const redis = new Redis(REDIS_URL);
  const key = uniqueName("transfer-stream");
  onTestFinished(async () => {
    await redis.del(key);
    redis.disconnect();
  });
  for (let from = 0; from < count; from += 1_000) {
    const pipeline = redis.pipeline();
    for (let i = from; i < Math.min(count, from + 1_000); i++) {
      pipeline.xadd(key, "*", "n", String(i), "text", `event ${i} 🙂`);
    }
    await pipeline.exec();
  }
  return { redis, key };
}

describe("importRedisStream (M38)", () => {
  it("keeps the order and the id of every entry, in batches of any size", async () => {
    const { redis, key } = await redisStream(2_500);
    const db = tempDatabase();
    const report = await importRedisStream({ url: REDIS_URL, key, db, batchSize: 7 });
    const ids = (await redis.xrange(key, "-", "+")).map(([id]) => id);
    expect(report).toMatchObject({ imported: 2_500, total: 2_500, trimmed: 0, lastId: ids.at(-1) });
    const events = [...db.stream<{ n: string }>(key).replay()];
    expect(events.map(({ headers }) => headers["redis-id"])).toEqual(ids);
    expect(events.map(({ payload }) => Number(payload.n))).toEqual(ids.map((_, n) => n));
    expect(events[3]?.payload).toEqual({ n: "3", text: "event 3 🙂" });
  });

  it("goes on behind what it has, so that old and new producers can run side by side", async () => {
    const { redis, key } = await redisStream(100);
    const db = tempDatabase();
    const options = { url: REDIS_URL, key, db, stream: "events" };
    await importRedisStream(options);
    db.stream("events").publish({ new: "producer" });
    expect(await importRedisStream(options)).toMatchObject({ imported: 0, total: 100 });
    await redis.xadd(key, "*", "n", "100");
    expect(await importRedisStream(options)).toMatchObject({ imported: 1, total: 101 });
    const events = [...db.stream("events").replay()];
    expect(events.at(-2)?.payload).toEqual({ new: "producer" });
    expect(events.at(-1)?.payload).toEqual({ n: "100" });
  });

  it("lets consumer groups go on where they were, pending entries again", async () => {
    const { redis, key } = await redisStream(50);
    for (const group of ["at-the-start", "half-way", "with-pending", "done"]) {
      await redis.xgroup("CREATE", key, group, "0");
    }
    const read = async (group: string, count: number): Promise<string[]> => {
      const reply = await redis.xreadgroup(
        ...(["GROUP", group, "me", "COUNT", count, "STREAMS", key, ">"] as const),
      );
      const [[, entries]] = reply as unknown as [[string, [string, string[]][]]];
      return entries.map(([id]) => id);
    };
    await redis.xack(key, "half-way", ...(await read("half-way", 20)));
    const delivered = await read("with-pending", 10);
    await redis.xack(key, "with-pending", ...delivered.filter((_, index) => index !== 4));
    await redis.xack(key, "done", ...(await read("done", 50)));

    const db = tempDatabase();
    const stream = db.stream<{ n: string }>(key);
    db.stream("another").publish({});
    const { groups } = await importRedisStream({
      ...{ url: REDIS_URL, key, db, batchSize: 9 },
      consumerOf: (group) => `old:${group}`,
    });
    const next = (group: string) =>
      stream.readFromConsumer(`old:${group}`, 1).map(({ payload }) => Number(payload.n));
    expect(next("at-the-start")).toEqual([0]);
    expect(next("half-way")).toEqual([20]);
    expect(next("with-pending")).toEqual([4]);
    expect(next("done")).toEqual([]);
    expect(groups.find(({ group }) => group === "with-pending")?.pending).toBe(1);
    // a consumer that has gone on here is never set back
    stream.saveOffset("old:half-way", stream.info().lastOffset ?? 0);
    const again = await importRedisStream({
      url: REDIS_URL,
      key,
      db,
      consumerOf: (g) => `old:${g}`,
    });
    expect(again.groups.find(({ group }) => group === "half-way")?.moved).toBe(false);
    expect(next("half-way")).toEqual([]);
  });

  it("reports what Redis had trimmed, and keeps bytes, empty and repeated fields", async () => {
    const { redis, key } = await redisStream(10);
    await redis.xtrim(key, "MAXLEN", 4);
    await redis.xadd(
      key,
      "*",
      "raw",
      Buffer.from([0xff, 0x00]),
      "",
      "",
      "twice",
      "a",
      "twice",
      "b",
    );
    const db = tempDatabase();
    const report = await importRedisStream({ url: REDIS_URL, key, db });
    expect(report).toMatchObject({ imported: 5, trimmed: 6, encoded: 1 });
    expect([...db.stream(key).replay()].at(-1)?.payload).toEqual({
      ...{ raw: "base64:/wA=", "": "" },
      twice: ["a", "b"],
    });
  });

  it("decodes entries as it is told, and brings nothing of a batch in which that fails", async () => {
    const { key } = await redisStream(20);
    const db = tempDatabase();
    const decode = ({ fields }: { fields: readonly (readonly [string, string])[] }) => {
      const { n = "" } = Object.fromEntries(fields);
      if (n === "13") throw new Error("unlucky");
      return { payload: Number(n), key: `k${n}`, subject: "numbers.one" };
    };
    const options = { url: REDIS_URL, key, db, batchSize: 10 };
    await expect(importRedisStream({ ...options, decode })).rejects.toThrow("unlucky");
    const events = [...db.stream(key).replay()];
    expect(events).toHaveLength(10);
    expect(events[2]).toMatchObject({ payload: 2, key: "k2", subject: "numbers.one" });
  });

  it("brings every entry once when it is killed again and again", async () => {
    const { redis, key } = await redisStream(3_000);
    const path = join(tempFolder(), "events.db");
    const run = async (batches: number): Promise<void> => {
      const child = fork(CHILD, [REDIS_URL, key, path], {
        execArgv: ["--conditions=@alkdev/source"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      let seen = 0;
      child.on("message", () => {
        seen += 1;
        if (seen === batches) child.kill("SIGKILL");
      });
      await exited(child);
    };
    for (const batches of [1, 7, 20, 3]) await run(batches);
    await run(Number.POSITIVE_INFINITY);
    const db = open(path);
    onTestFinished(() => db.close());
    const ids = (await redis.xrange(key, "-", "+")).map(([id]) => id);
    const events = [...db.stream(key).replay()];
    expect(events.map(({ headers }) => headers["redis-id"])).toEqual(ids);
  }, 120_000);

  it("says what is wrong with the source", async () => {
    const { redis, key } = await redisStream(0);
    const db = tempDatabase();
    const at = (url: string) => importRedisStream({ url, key, db });
    await expect(at(REDIS_URL)).rejects.toMatchObject({ code: "SOURCE_SHAPE" });
    await redis.set(key, "a string");
    await expect(at(REDIS_URL)).rejects.toMatchObject({ code: "SOURCE_SHAPE" });
    const nowhere = at("redis://:secret@127.0.0.1:1");
    await expect(nowhere).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    await expect(nowhere).rejects.not.toThrow(/secret/);
  });
});

async function exited(child: ChildProcess): Promise<void> {
  await once(child, "exit");
}
