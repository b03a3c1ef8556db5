import { fork } from "node:child_process";
import { once } from "node:events";
import { open } from "@alkdev/honker";
import { tempDatabase } from "@alkdev/testkit";
import { drizzle, int64 } from "drizzle-honker";
import { eq, inArray, sql } from "drizzle-orm";
import { Cache, type MutationOption } from "drizzle-orm/cache/core";
import { blob, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it, onTestFinished } from "vitest";

const users = sqliteTable("users", { id: integer().primaryKey(), name: text() });
const posts = sqliteTable("posts", { id: integer().primaryKey(), authorId: integer("author_id") });
const values = sqliteTable("vals", {
  big: int64(),
  bytes: blob({ mode: "buffer" }),
  at: integer({ mode: "timestamp" }),
  float: real(),
});

/** A cache that stores JSON, as one over the network would, and counts what it is asked. */
class JsonCache extends Cache {
  readonly #kind: "all" | "explicit";
  readonly #entries = new Map<string, { json: string; tables: string[] }>();
  hits = 0;
  misses = 0;

  constructor(kind: "all" | "explicit") {
    super();
    this.#kind = kind;
  }

  strategy(): "all" | "explicit" {
    return this.#kind;
  }

  async get(key: string): Promise<never[] | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.misses += 1;
    else this.hits += 1;
    return entry === undefined ? undefined : (JSON.parse(entry.json) as never[]);
  }

  async put(key: string, response: unknown, tables: string[]): Promise<void> {
    this.#entries.set(key, { json: JSON.stringify(response), tables });
  }

  async onMutate({ tables = [] }: MutationOption): Promise<void> {
    const written = [tables].flat().map(String);
    for (const [key, entry] of this.#entries) {
      if (entry.tables.some((table) => written.includes(table))) this.#entries.delete(key);
    }
  }
}

function setup(kind: "all" | "explicit" = "all") {
  const client = tempDatabase();
  for (const ddl of [
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES users(id) ON DELETE CASCADE)",
    "CREATE TABLE vals (big INTEGER, bytes BLOB, at INTEGER, float REAL)",
  ]) {
    client.execute(ddl);
  }
  const cache = new JsonCache(kind);
  const db = drizzle(client, { cache });
  db.insert(users).values({ id: 1, name: "Ada" }).run();
  db.insert(posts).values({ id: 1, authorId: 1 }).run();
  return { client, cache, db };
}

describe("M17: the query cache", () => {
  it("answers awaited selects of strategy all, until a commit wrote their table", async () => {
    const { db, cache } = setup();
    const query = () => db.select().from(users);
    expect(await query()).toEqual([{ id: 1, name: "Ada" }]);
    expect(await query()).toEqual([{ id: 1, name: "Ada" }]);
    expect(cache.hits).toBe(1);
    db.insert(posts).values({}).run();
    await query();
    expect(cache.hits).toBe(2);
    db.update(users).set({ name: "Eve" }).run();
    expect(await query()).toEqual([{ id: 1, name: "Eve" }]);
    expect(cache.hits).toBe(2);
  });

  it("asks only where $withCache() says so, with strategy explicit, and not where it says false", async () => {
    const explicit = setup("explicit");
    await explicit.db.select().from(users);
    expect(explicit.cache.misses).toBe(0);
    await explicit.db.select().from(users).$withCache();
    await explicit.db.selectDistinct().from(users).$withCache();
    await explicit.db.select().from(users).$withCache();
    expect(explicit.cache).toMatchObject({ hits: 1, misses: 2 });
    const all = setup("all");
    await all.db.select().from(users).$withCache(false);
    expect(all.cache.misses).toBe(0);
  });

  it("is dropped by raw SQL, by cascades, and by tables used only in a condition", async () => {
    const { db, client } = setup();
    const authors = () =>
      db
        .select()
        .from(users)
        .where(inArray(users.id, db.select({ id: posts.authorId }).from(posts)));
    expect(await authors()).toHaveLength(1);
    client.execute("UPDATE posts SET author_id = NULL");
    expect(await authors()).toHaveLength(0);
    client.execute("UPDATE posts SET author_id = 1");
    const all = () => db.select().from(posts);
    expect(await all()).toHaveLength(1);
    db.delete(users).run();
    expect(await all()).toHaveLength(0);
  });

  it("keeps nothing of a transaction, and drops nothing when it is rolled back", async () => {
    const { db, client, cache } = setup();
    const query = () => db.select().from(users);
    await query();
    const tx = client.transaction();
    db.update(users).set({ name: "not committed" }).run();
    expect(await query()).toEqual([{ id: 1, name: "not committed" }]);
    tx.rollback();
    expect(await query()).toEqual([{ id: 1, name: "Ada" }]);
    expect(cache.hits).toBe(1);
  });

  it("is dropped by commits of another process", async () => {
    const { db, client, cache } = setup();
    const query = () => db.select().from(users).where(eq(users.id, 1));
    await query();
    const child = fork(new URL("./children/run-sql.ts", import.meta.url), [client.path], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "message");
    await query();
    child.send("UPDATE users SET name = 'from there'");
    await once(child, "message");
    const hits = cache.hits;
    expect(await query()).toEqual([{ id: 1, name: "from there" }]);
    expect(cache.hits).toBe(hits);
    child.disconnect();
    await once(child, "exit");
  });

  it("gives back bytes, bigints, dates and infinity through JSON, and fresh objects each time", async () => {
    const { db, cache } = setup();
    const row = {
      big: 2n ** 63n - 1n,
      bytes: Buffer.from([0, 255]),
      at: new Date(1_700_000_000_000),
      float: Number.POSITIVE_INFINITY,
    };
    db.insert(values).values(row).run();
    const first = await db.select().from(values);
    expect(first).toEqual([row]);
    (first[0] as { float: number }).float = 0;
    expect(await db.select().from(values)).toEqual([row]);
    expect(cache.hits).toBe(1);
  });

  it("does not mix up databases that share one cache", async () => {
    const first = setup();
    const client = open(`${first.client.path}.other`);
    onTestFinished(() => client.close());
    client.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)");
    const second = drizzle(client, { cache: first.cache });
    expect(await first.db.select().from(users)).toHaveLength(1);
    expect(await second.select().from(users)).toHaveLength(0);
  });

  it("can be invalidated by hand, and leaves synchronous reads alone", async () => {
    const { db, cache } = setup();
    await db.select().from(users).$withCache({ tag: "names", autoInvalidate: false });
    await db.$cache.invalidate({ tables: users });
    db.select().from(users).all();
    db.run(sql`select 1`);
    expect(cache.misses).toBe(1);
  });
});
