import assert from "node:assert/strict";
import { join } from "node:path";
import { eq, lte, sql } from "drizzle-orm";
import type { Measure, Measures, Metric, OneGoBench } from "../harness/bench.ts";
import { now, secondsSince } from "../harness/clock.ts";
import { freshFolder } from "../harness/context.ts";
import type { DriverPeer, OpenDriver, OpenRaw } from "../harness/driver-peer.ts";
import { AUTHORS, DDL, POSTS_EACH, posts, sink, USERS, users } from "../harness/driver-schema.ts";

const MADE = new Date(1_700_000_000_000);
const IN_TRANSACTION = 200;
const RIVALS = ["drizzle-better-sqlite3"];

export const driver: OneGoBench = {
  name: "driver",
  question:
    "Microseconds per operation through a Drizzle driver: 5,000 users, the first 50 with 100 posts each, two tables with equal column names. Every operation is checked, warmed and then timed for 0.3 s. The bare driver stands beside as a floor.",
  metrics: {
    get: operation("get by key, unprepared", 1.3),
    getPrepared: operation("get by key, prepared", 1),
    rows1000: operation("1,000 rows × 6", 1.2),
    join1000: operation("join, 1,000 rows, equal names", 1.2),
    relational: operation("relational 50 × 100", 1),
    insert: operation("insert, unprepared, own commit", 1.5),
    insertPrepared: operation("insert, prepared, own commit", 1),
    update: operation("update, unprepared, own commit", 1),
    insert200: operation("200 inserts in a transaction", 1),
  },
  takesPart: (peer) => peer.driver !== undefined,
  async run(peer, { quick }) {
    const { driver: tried } = peer;
    if (tried === undefined) throw new Error(`${peer.id} has no driver`);
    const file = join(freshFolder("driver"), "driver.db");
    const timer = new Timer(quick ? 0.05 : 0.3, tried.sync);
    if (tried.open !== undefined) return withDrizzle(await tried.open(file), tried, timer);
    if (tried.openRaw !== undefined) return withoutDrizzle(tried.openRaw(file), timer);
    throw new Error(`${peer.id} opens nothing`);
  },
};

function operation(title: string, ratio: number): Metric {
  return { title, unit: "µs", better: "less", goal: { ratio, against: RIVALS } };
}

/** Runs an operation for a fixed time, after a warm-up of the same length. */
class Timer {
  readonly #seconds: number;
  readonly #sync: boolean;

  constructor(seconds: number, sync: boolean) {
    this.#seconds = seconds;
    this.#sync = sync;
  }

  async time(run: (i: number) => unknown): Promise<Measure> {
    await this.#loop(run);
    return this.#loop(run);
  }

  async #loop(run: (i: number) => unknown): Promise<Measure> {
    const start = now();
    const end = start + this.#seconds * 1e9;
    let n = 0;
    if (this.#sync) while (now() < end) run(n++);
    else while (now() < end) await run(n++);
    return { value: (secondsSince(start) * 1e6) / n, n };
  }
}

/** Keys in an order that is not that of the table. */
function key(i: number): number {
  return ((i * 7919) % USERS) + 1;
}

function user(i: number): typeof users.$inferSelect {
  return {
    id: i,
    name: `user${i}`,
    email: `user${i}@example.com`,
    age: i % 90,
    score: i * 1.5,
    createdAt: MADE,
  };
}

function row(i: number): typeof sink.$inferInsert {
  return {
    name: `sink${i}`,
    email: `sink${i}@example.com`,
    age: i % 90,
    score: i * 1.25,
    createdAt: MADE,
  };
}

async function withDrizzle(
  open: OpenDriver,
  { sync }: DriverPeer,
  timer: Timer,
): Promise<Measures> {
  const { db } = open;
  try {
    await open.script(DDL);
    const byKey = db
      .select()
      .from(users)
      .where(eq(users.id, sql.placeholder("id")))
      .prepare();
    assert.deepEqual(await byKey.get({ id: 7 }), user(7));
    const get = (i: number) =>
      db
        .select()
        .from(users)
        .where(eq(users.id, key(i)))
        .get();
    assert.deepEqual(await get(1), user(key(1)));
    const rows = () => db.select().from(users).limit(1_000).all();
    checkRows(await rows());
    const join1000 = () =>
      db.select().from(users).innerJoin(posts, eq(posts.userId, users.id)).limit(1_000).all();
    checkJoin((await join1000()) as JoinRow[]);
    const find = () =>
      db.query.users.findMany({ where: lte(users.id, AUTHORS), with: { posts: true } as object });
    const relational = (): unknown =>
      sync ? (find() as unknown as { sync(): unknown }).sync() : find();
    checkRelational((await relational()) as RelationalRow[]);
    const placeholders = db
      .insert(sink)
      .values({
        name: sql.placeholder("name"),
        email: sql.placeholder("email"),
        age: sql.placeholder("age"),
        score: sql.placeholder("score"),
        createdAt: sql.placeholder("createdAt"),
      })
      .prepare();
    const insert200 = sync
      ? () =>
          // the drivers' common type wants a promise; this one commits when the callback returns
          db.transaction(((tx: typeof db) => {
            for (let i = 0; i < IN_TRANSACTION; i++) tx.insert(sink).values(row(i)).run();
          }) as never)
      : () =>
          db.transaction(async (tx) => {
            for (let i = 0; i < IN_TRANSACTION; i++) await tx.insert(sink).values(row(i)).run();
          });
    const measures = {
      get: await timer.time(get),
      getPrepared: await timer.time((i) => byKey.get({ id: key(i) })),
      rows1000: await timer.time(rows),
      join1000: await timer.time(join1000),
      relational: await timer.time(relational),
      insert: await timer.time((i) => db.insert(sink).values(row(i)).run()),
      insertPrepared: await timer.time((i) => placeholders.run({ ...row(i) })),
      update: await timer.time((i) =>
        db
          .update(users)
          .set({ age: i % 90 })
          .where(eq(users.id, key(i)))
          .run(),
      ),
      insert200: await timer.time(insert200),
    };
    const [counted] = (await db.select({ n: sql<number>`count(*)` }).from(sink).all()) as [
      { n: number },
    ];
    assert.ok(counted.n > measures.insert.n + measures.insert200.n * IN_TRANSACTION);
    return measures;
  } finally {
    await open.close();
  }
}

const COLUMNS = "id, name, email, age, score, created_at";
const GET = `SELECT ${COLUMNS} FROM users WHERE id = ?`;
const ROWS = `SELECT ${COLUMNS} FROM users LIMIT 1000`;
const JOIN = `SELECT users.id, users.name, users.email, users.age, users.score, users.created_at,
  posts.id, posts.user_id, posts.name, posts.created_at
  FROM users INNER JOIN posts ON posts.user_id = users.id LIMIT 1000`;
const INSERT = "INSERT INTO sink (name, email, age, score, created_at) VALUES (?, ?, ?, ?, ?)";
const UPDATE = "UPDATE users SET age = ? WHERE id = ?";

async function withoutDrizzle(open: OpenRaw, timer: Timer): Promise<Measures> {
  try {
    await open.script(DDL);
    const get = open.rows(GET);
    const rows = open.rows(ROWS);
    const join1000 = open.rows(JOIN);
    assert.equal(join1000()[0]?.length, 10);
    const insert = open.run(INSERT);
    const add = (i: number): unknown =>
      insert(`sink${i}`, `sink${i}@example.com`, i % 90, i * 1.25, 1_700_000_000);
    const update = open.run(UPDATE);
    const begin = open.run("BEGIN IMMEDIATE");
    const commit = open.run("COMMIT");
    return {
      getPrepared: await timer.time((i) => get(key(i))),
      rows1000: await timer.time(() => rows()),
      join1000: await timer.time(() => join1000()),
      insertPrepared: await timer.time(add),
      update: await timer.time((i) => update(i % 90, key(i))),
      insert200: await timer.time(() => {
        begin();
        for (let i = 0; i < IN_TRANSACTION; i++) add(i);
        commit();
      }),
    };
  } finally {
    await open.close();
  }
}

interface JoinRow {
  readonly users: { readonly id: number; readonly name: string };
  readonly posts: { readonly id: number; readonly name: string; readonly userId: number };
}

interface RelationalRow {
  readonly id: number;
  readonly posts: readonly { readonly userId: number; readonly createdAt: Date }[];
}

function checkRows(found: readonly unknown[]): void {
  assert.equal(found.length, 1_000);
  assert.deepEqual(found[0], user(1));
}

function checkJoin(found: readonly JoinRow[]): void {
  assert.equal(found.length, 1_000);
  for (const { users: left, posts: right } of found) {
    assert.equal(left.name, `user${left.id}`);
    assert.equal(right.name, `post${right.id - 1_000_000}`);
    assert.equal(right.userId, left.id);
  }
}

function checkRelational(found: readonly RelationalRow[]): void {
  assert.equal(found.length, AUTHORS);
  for (const { id, posts: own } of found) {
    assert.equal(own.length, POSTS_EACH);
    assert.ok(own[0]?.createdAt instanceof Date);
    for (const { userId } of own) assert.equal(userId, id);
  }
}
