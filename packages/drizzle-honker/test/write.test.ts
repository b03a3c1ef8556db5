import { eq, gt, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { type AnyDb, ours, same, shareDatabases } from "./drivers.ts";
import { defaults, posts, tags, users } from "./schema.ts";

shareDatabases();

const named = (db: AnyDb) =>
  db.select({ id: users.id, name: users.name }).from(users).orderBy(users.id).all();
const three = (db: AnyDb) =>
  db
    .insert(users)
    .values([
      { id: 1, name: "a", email: "a@x" },
      { id: 2, name: "b" },
      { id: 3, name: "c" },
    ])
    .run();

describe("M15: insert", () => {
  same(
    "says what it changed",
    (db) => {
      const { changes, lastInsertRowid } = db.insert(users).values({ id: 7, name: "a" }).run();
      return { changes, lastInsertRowid };
    },
    { changes: 1, lastInsertRowid: 7 },
  );
  same(
    "adds many rows, with different columns given",
    (db) => {
      db.insert(users)
        .values([
          { name: "a", verified: true },
          { name: "b", email: "b@x" },
        ])
        .run();
      return db.select({ n: users.name, v: users.verified, e: users.email }).from(users).all();
    },
    [
      { n: "a", v: true, e: null },
      { n: "b", v: false, e: "b@x" },
    ],
  );
  same(
    "returns all columns, some, or expressions",
    (db) => [
      db.insert(users).values({ id: 1, name: "a" }).returning().all(),
      db.insert(users).values({ id: 2, name: "b" }).returning({ n: users.name }).get(),
      db
        .insert(users)
        .values([{ id: 3, name: "c" }])
        .returning({ up: sql<string>`upper(${users.name})`, v: users.verified })
        .all(),
      db.insert(users).values({ id: 4, name: "d" }).returning({ id: users.id }).values(),
    ],
    [
      [{ id: 1, name: "a", email: null, verified: false, managerId: null }],
      { n: "b" },
      [{ up: "C", v: false }],
      [[4]],
    ],
  );
  same(
    "fills in defaults: of SQL, of the schema, called, generated",
    (db) => {
      const returned = db.insert(defaults).values({}).returning().get();
      db.update(defaults).set({ nullable: "x" }).run();
      return [returned, db.select().from(defaults).get()];
    },
    [
      {
        id: 1,
        constant: "constant",
        computed: 2,
        called: "called",
        updated: "updated",
        nullable: null,
        doubled: 4,
      },
      {
        id: 1,
        constant: "constant",
        computed: 2,
        called: "called",
        updated: "updated",
        nullable: "x",
        doubled: 4,
      },
    ],
  );
  same(
    "takes expressions as values",
    (db) => {
      db.insert(users).values({ id: 1, name: sql`lower('ABC')` }).run();
      return named(db);
    },
    [{ id: 1, name: "abc" }],
  );
  same(
    "takes a select",
    (db) => {
      three(db);
      db.insert(tags)
        .select(db.select({ id: users.id, name: users.name }).from(users).where(gt(users.id, 1)))
        .run();
      return db.select().from(tags).all();
    },
    [
      { id: 2, name: "b" },
      { id: 3, name: "c" },
    ],
  );
  same(
    "ignores conflicts",
    (db) => {
      three(db);
      const { changes } = db
        .insert(users)
        .values([
          { id: 1, name: "x" },
          { id: 4, name: "d" },
        ])
        .onConflictDoNothing()
        .run();
      db.insert(users)
        .values({ id: 5, name: "x", email: "a@x" })
        .onConflictDoNothing({ target: users.email })
        .run();
      return [changes, named(db).length];
    },
    [1, 4],
  );
  same(
    "updates on conflict, with a condition and the excluded row",
    (db) => {
      three(db);
      const rows = [
        { id: 1, name: "new" },
        { id: 2, name: "kept" },
      ];
      db.insert(users)
        .values(rows)
        .onConflictDoUpdate({
          target: users.id,
          set: { name: sql`excluded.name` },
          setWhere: sql`${users.id} = 1`,
        })
        .run();
      return db
        .insert(users)
        .values({ id: 3, name: "z" })
        .onConflictDoUpdate({ target: [users.id], set: { name: "set", verified: true } })
        .returning({ n: users.name, v: users.verified })
        .all()
        .concat(named(db) as never);
    },
    [
      { n: "set", v: true },
      { id: 1, name: "new" },
      { id: 2, name: "b" },
      { id: 3, name: "set" },
    ],
  );
  same(
    "adds thousands of rows at once",
    (db) => {
      const rows = Array.from({ length: 5_000 }, (_, index) => ({
        name: `n${index}`,
        verified: index % 2 === 0,
      }));
      const { changes } = db.insert(users).values(rows).run();
      return [changes, db.select({ n: sql<number>`sum(verified)` }).from(users).get()];
    },
    [5_000, { n: 2_500 }],
  );
  same(
    "refuses an empty list",
    (db) => {
      try {
        db.insert(users).values([]);
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    },
    "values() must be called with at least one value",
  );

  it("says what is wrong with too many rows at once", () => {
    const rows = Array.from({ length: 40_000 }, () => ({ name: "n" }));
    const run = () => ours().insert(users).values(rows).run();
    expect(run).toThrow(/too many SQL variables/);
    expect(run).toThrow(expect.objectContaining({ code: "SQL_ERROR" }));
  });
});

describe("M15: update and delete", () => {
  same(
    "update says how many, returns rows, takes expressions and null",
    (db) => {
      three(db);
      return [
        db.update(users).set({ verified: true }).where(gt(users.id, 1)).run().changes,
        db
          .update(users)
          .set({ name: sql`${users.name} || '!'`, email: null })
          .where(eq(users.id, 1))
          .returning({ n: users.name, e: users.email })
          .all(),
        db
          .update(users)
          .set({ name: "x", email: undefined })
          .where(eq(users.id, 9))
          .returning()
          .all(),
      ];
    },
    [2, [{ n: "a!", e: null }], []],
  );
  same(
    "update with limit and order, and from another table",
    (db) => {
      three(db);
      db.insert(posts).values({ id: 1, name: "title", authorId: 2 }).run();
      db.update(users)
        .set({ name: sql`${posts.name}` })
        .from(posts)
        .where(eq(posts.authorId, users.id))
        .run();
      return named(db);
    },
    [
      { id: 1, name: "a" },
      { id: 2, name: "title" },
      { id: 3, name: "c" },
    ],
  );
  same(
    "refuses an update of nothing",
    (db) => {
      try {
        db.update(users).set({}).run();
      } catch (error) {
        return (error as Error).message;
      }
      return undefined;
    },
    "No values to set",
  );
  same(
    "delete says how many, and returns rows",
    (db) => {
      three(db);
      return [
        db.delete(users).where(eq(users.id, 1)).returning({ id: users.id }).get(),
        db.delete(users).run().changes,
        db.delete(users).run().changes,
      ];
    },
    [{ id: 1 }, 2, 0],
  );
  same(
    "a cascade is not counted, and happens",
    (db) => {
      three(db);
      db.insert(posts)
        .values([
          { id: 1, authorId: 1 },
          { id: 2, authorId: 1 },
        ])
        .run();
      return [db.delete(users).where(eq(users.id, 1)).run().changes, db.select().from(posts).all()];
    },
    [1, []],
  );
  same(
    "raw SQL: run, all, get, values",
    (db) => {
      three(db);
      return [
        db.run(sql`update ${users} set name = ${"q'x"} where ${users.id} = ${1}`).changes,
        db.all(sql`select id, name from ${users} where id in ${[1, 2]}`),
        db.get(sql`select ${users.name} as n from ${users} where ${users.id} = ${sql.raw("3")}`),
        db.get("select id from users where id = 99"),
        db.values(sql`select id, id from ${users} order by id limit 1`),
        db.all(
          sql`select ${sql.identifier("name")} from ${users} where ${sql.join([sql`id = 1`, sql`name is not null`], sql` and `)}`,
        ),
        db.get(sql`select ${"inlined"} as v`.inlineParams()),
      ];
    },
    [
      1,
      [
        { id: 1, name: "q'x" },
        { id: 2, name: "b" },
      ],
      { n: "c" },
      undefined,
      [[1, 1]],
      [{ name: "q'x" }],
      { v: "inlined" },
    ],
  );

  it("tells what a write with returning changed when it is only run", () => {
    const db = ours();
    const { changes } = db
      .insert(users)
      .values([{ name: "a" }, { name: "b" }])
      .returning()
      .run();
    expect(changes).toBe(2);
  });

  it("refuses to lose a column of a raw query to another of its name", () => {
    const db = ours();
    expect(() => db.all(sql`select 1 as id, 2 as id`)).toThrow(
      expect.objectContaining({ code: "DUPLICATE_COLUMN" }),
    );
    expect(() => db.get(sql`select 1 as id, 2 as id`)).toThrow('named "id"');
    expect(db.values(sql`select 1 as id, 2 as id`)).toEqual([[1, 2]]);
  });
});
