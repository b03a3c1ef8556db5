import {
  and,
  asc,
  avg,
  count,
  countDistinct,
  desc,
  eq,
  exists,
  gt,
  inArray,
  isNull,
  like,
  max,
  min,
  not,
  notInArray,
  or,
  sql,
  sum,
} from "drizzle-orm";
import { alias, except, intersect, union, unionAll } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { type AnyDb, ours, same, shareDatabases } from "./drivers.ts";
import { odd, posts, postTags, tags, userNames, users, verifiedUsers } from "./schema.ts";

/** Three users, of whom one has no post; a post without an author; one without a name. */
function seed<Db extends AnyDb>(db: Db): Db {
  db.insert(users)
    .values([
      { id: 1, name: "Ada", email: "ada@x.org", verified: true },
      { id: 2, name: "Bob", managerId: 1 },
      { id: 3, name: "Cid", managerId: 1, verified: true },
    ])
    .run();
  db.insert(posts)
    .values([
      { id: 10, name: "first", authorId: 1 },
      { id: 11, name: null, authorId: 1 },
      { id: 12, name: "third", authorId: 2 },
      { id: 13, name: "nobody's", authorId: null },
    ])
    .run();
  db.insert(tags)
    .values([
      { id: 1, name: "x" },
      { id: 2, name: "y" },
    ])
    .run();
  db.insert(postTags)
    .values([
      { postId: 10, tagId: 1 },
      { postId: 10, tagId: 2 },
    ])
    .run();
  return db;
}

function cases(name: string, list: readonly [string, (db: AnyDb) => unknown, unknown][]) {
  describe(name, () => {
    for (const [title, run, expected] of list) same(title, (db) => run(seed(db)), expected);
  });
}

const ada = { id: 1, name: "Ada", email: "ada@x.org", verified: true, managerId: null };
const bob = { id: 2, name: "Bob", email: null, verified: false, managerId: 1 };
const cid = { id: 3, name: "Cid", email: null, verified: true, managerId: 1 };

cases("M15: select", [
  ["returns whole rows", (db) => db.select().from(users).all(), [ada, bob, cid]],
  ["returns one row", (db) => db.select().from(users).where(eq(users.id, 2)).get(), bob],
  [
    "returns undefined for no row",
    (db) => db.select().from(users).where(eq(users.id, 9)).get(),
    undefined,
  ],
  ["returns no rows", (db) => db.select().from(users).where(sql`false`).all(), []],
  [
    "returns positional rows",
    (db) => db.select({ b: users.name, a: users.id }).from(users).values(),
    [
      ["Ada", 1],
      ["Bob", 2],
      ["Cid", 3],
    ],
  ],
  [
    "can be awaited",
    async (db) => await db.select({ id: users.id }).from(users).orderBy(users.id),
    [{ id: 1 }, { id: 2 }, { id: 3 }],
  ],
  [
    "selects some columns",
    (db) => db.select({ n: users.name }).from(users).limit(1).all(),
    [{ n: "Ada" }],
  ],
  [
    "selects nested objects",
    (db) =>
      db
        .select({ who: { id: users.id, deep: { name: users.name } as never }, x: users.id })
        .from(users)
        .limit(1)
        .all(),
    [{ who: { id: 1, deep: { name: "Ada" } }, x: 1 }],
  ],
  [
    "selects expressions, with and without mapWith",
    (db) =>
      db
        .select({
          up: sql<string>`upper(${users.name})`,
          flag: sql`1`.mapWith(Boolean),
          verified: sql`${users.verified}`.mapWith(users.verified),
          named: sql<number>`${users.id} * 2`.as("named"),
        })
        .from(users)
        .where(eq(users.id, 1))
        .all(),
    [{ up: "ADA", flag: true, verified: true, named: 2 }],
  ],
  [
    "does not call mapWith for null",
    (db) =>
      db
        .select({ v: sql`null`.mapWith(String) })
        .from(users)
        .limit(1)
        .all(),
    [{ v: null }],
  ],
  [
    "selects distinct",
    (db) => db.selectDistinct({ m: users.managerId }).from(users).orderBy(users.managerId).all(),
    [{ m: null }, { m: 1 }],
  ],
  [
    "filters",
    (db) =>
      db
        .select({ id: users.id })
        .from(users)
        .where(
          and(
            gt(users.id, 1),
            or(like(users.name, "B%"), isNull(users.managerId)),
            not(eq(users.id, 3)),
          ),
        )
        .all(),
    [{ id: 2 }],
  ],
  [
    "filters by lists",
    (db) => [
      db
        .select({ id: users.id })
        .from(users)
        .where(inArray(users.id, [1, 3]))
        .all(),
      db
        .select({ id: users.id })
        .from(users)
        .where(notInArray(users.id, [1, 3]))
        .all(),
      db.select({ id: users.id }).from(users).where(inArray(users.id, [])).all(),
    ],
    [[{ id: 1 }, { id: 3 }], [{ id: 2 }], []],
  ],
  [
    "orders, limits and skips",
    (db) =>
      db
        .select({ id: users.id })
        .from(users)
        .orderBy(desc(users.verified), asc(users.name))
        .limit(2)
        .offset(1)
        .all(),
    [{ id: 3 }, { id: 2 }],
  ],
  [
    "groups and aggregates",
    (db) =>
      db
        .select({
          author: posts.authorId,
          n: count(),
          named: count(posts.name),
          top: max(posts.id),
        })
        .from(posts)
        .groupBy(posts.authorId)
        .having(({ n }) => gt(n, 0))
        .orderBy(posts.authorId)
        .all(),
    [
      { author: null, n: 1, named: 1, top: 13 },
      { author: 1, n: 2, named: 1, top: 11 },
      { author: 2, n: 1, named: 1, top: 12 },
    ],
  ],
  [
    "aggregates to strings and numbers as Drizzle does",
    (db) =>
      db
        .select({
          s: sum(users.id),
          a: avg(users.id),
          d: countDistinct(users.verified),
          lo: min(users.name),
        })
        .from(users)
        .get(),
    { s: "6", a: "2", d: 2, lo: "Ada" },
  ],
  [
    "counts",
    async (db) => [await db.$count(users), await db.$count(users, gt(users.id, 1))],
    [3, 2],
  ],
  [
    "counts inside a query",
    (db) =>
      db
        .select({ id: users.id, n: db.$count(posts, eq(posts.authorId, users.id)) })
        .from(users)
        .orderBy(users.id)
        .all(),
    [
      { id: 1, n: 2 },
      { id: 2, n: 1 },
      { id: 3, n: 0 },
    ],
  ],
  [
    "builds on conditions dynamically",
    (db) => {
      const query = db.select({ id: users.id }).from(users).$dynamic();
      query.where(eq(users.id, 3));
      return query.limit(1).all();
    },
    [{ id: 3 }],
  ],
  [
    "selects without a table",
    (db) => db.select({ one: sql<number>`1` }).from(sql`(select 1)`).all(),
    [{ one: 1 }],
  ],
  [
    "uses exists and subqueries in conditions",
    (db) =>
      db
        .select({ id: users.id })
        .from(users)
        .where(
          and(
            exists(db.select().from(posts).where(eq(posts.authorId, users.id))),
            inArray(users.id, db.select({ id: posts.authorId }).from(posts)),
          ),
        )
        .all(),
    [{ id: 1 }, { id: 2 }],
  ],
  [
    "selects a subquery as a value",
    (db) =>
      db
        .select({
          id: users.id,
          first: db
            .select({ f: sql<string>`min(${posts.name})`.as("f") })
            .from(posts)
            .where(eq(posts.authorId, users.id))
            .as("sub") as never,
        })
        .from(users)
        .where(eq(users.id, 1))
        .all(),
    [{ id: 1, first: "first" }],
  ],
]);

cases("M15: joins", [
  [
    "inner, with columns of equal names in every table",
    (db) =>
      db
        .select()
        .from(posts)
        .innerJoin(users, eq(posts.authorId, users.id))
        .where(eq(posts.id, 12))
        .all(),
    [{ posts: { id: 12, name: "third", authorId: 2 }, users: bob }],
  ],
  [
    "left, without a match",
    (db) =>
      db
        .select()
        .from(users)
        .leftJoin(posts, eq(posts.authorId, users.id))
        .where(eq(users.id, 3))
        .all(),
    [{ users: cid, posts: null }],
  ],
  [
    "left, of selected fields",
    (db) =>
      db
        .select({ user: users.name, post: { id: posts.id, name: posts.name } })
        .from(users)
        .leftJoin(posts, eq(posts.authorId, users.id))
        .orderBy(users.id, posts.id)
        .all(),
    [
      { user: "Ada", post: { id: 10, name: "first" } },
      { user: "Ada", post: { id: 11, name: null } },
      { user: "Bob", post: { id: 12, name: "third" } },
      { user: "Cid", post: null },
    ],
  ],
  [
    "left, of flat fields",
    (db) =>
      db
        .select({ id: users.id, post: posts.id })
        .from(users)
        .leftJoin(posts, eq(posts.authorId, users.id))
        .where(gt(users.id, 1))
        .all(),
    [
      { id: 2, post: 12 },
      { id: 3, post: null },
    ],
  ],
  [
    "right",
    (db) =>
      db
        .select()
        .from(users)
        .rightJoin(posts, eq(posts.authorId, users.id))
        .where(gt(posts.id, 11))
        .orderBy(posts.id)
        .all(),
    [
      { users: bob, posts: { id: 12, name: "third", authorId: 2 } },
      { users: null, posts: { id: 13, name: "nobody's", authorId: null } },
    ],
  ],
  [
    "full",
    (db) =>
      db
        .select({ users: { id: users.id }, posts: { id: posts.id } })
        .from(users)
        .fullJoin(posts, eq(posts.authorId, users.id))
        .orderBy(sql`coalesce(${posts.id}, 99)`)
        .all(),
    [
      { users: { id: 1 }, posts: { id: 10 } },
      { users: { id: 1 }, posts: { id: 11 } },
      { users: { id: 2 }, posts: { id: 12 } },
      { users: null, posts: { id: 13 } },
      { users: { id: 3 }, posts: null },
    ],
  ],
  [
    "cross",
    (db) =>
      db
        .select({ u: users.id, t: tags.id })
        .from(users)
        .crossJoin(tags)
        .orderBy(users.id, tags.id)
        .limit(3)
        .all(),
    [
      { u: 1, t: 1 },
      { u: 1, t: 2 },
      { u: 2, t: 1 },
    ],
  ],
  [
    "of a table with itself",
    (db) => {
      const boss = alias(users, "boss");
      return db
        .select({ name: users.name, boss })
        .from(users)
        .leftJoin(boss, eq(users.managerId, boss.id))
        .orderBy(users.id)
        .all();
    },
    [
      { name: "Ada", boss: null },
      { name: "Bob", boss: ada },
      { name: "Cid", boss: ada },
    ],
  ],
  [
    "of a table with itself, as whole rows",
    (db) => {
      const boss = alias(users, "boss");
      return db
        .select()
        .from(users)
        .innerJoin(boss, eq(users.managerId, boss.id))
        .where(eq(users.id, 2))
        .all();
    },
    [{ users: bob, boss: ada }],
  ],
  [
    "of four tables",
    (db) =>
      db
        .select({ u: users.name, p: posts.name, t: tags.name })
        .from(users)
        .innerJoin(posts, eq(posts.authorId, users.id))
        .innerJoin(postTags, eq(postTags.postId, posts.id))
        .innerJoin(tags, eq(tags.id, postTags.tagId))
        .orderBy(tags.id)
        .all(),
    [
      { u: "Ada", p: "first", t: "x" },
      { u: "Ada", p: "first", t: "y" },
    ],
  ],
  [
    "of a subquery",
    (db) => {
      const last = db
        .select({ author: posts.authorId, last: max(posts.id).as("last") })
        .from(posts)
        .groupBy(posts.authorId)
        .as("latest");
      return db
        .select({ name: users.name, last: last.last })
        .from(users)
        .leftJoin(last, eq(last.author, users.id))
        .orderBy(users.id)
        .all();
    },
    [
      { name: "Ada", last: 11 },
      { name: "Bob", last: 12 },
      { name: "Cid", last: null },
    ],
  ],
  [
    "of a subquery, as whole rows",
    (db) => {
      const named = db
        .select({ id: posts.id, authorId: posts.authorId })
        .from(posts)
        .where(eq(posts.id, 12))
        .as("named");
      return db
        .select()
        .from(users)
        .leftJoin(named, eq(named.authorId, users.id))
        .orderBy(users.id)
        .where(gt(users.id, 1))
        .all();
    },
    [
      { users: bob, named: { id: 12, authorId: 2 } },
      { users: cid, named: null },
    ],
  ],
  [
    "refuses one alias twice",
    (db) => {
      try {
        db.select().from(users).leftJoin(posts, sql`true`).leftJoin(posts, sql`true`);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    },
    'Alias "posts" is already used in this query',
  ],
  [
    "refuses a field of a table that is not part of the query",
    (db) => {
      try {
        db.select({ id: posts.id }).from(users).all();
        return "";
      } catch (error) {
        return (error as Error).message.slice(0, 60);
      }
    },
    'Your "id" field references a column "posts"."id", but the ta',
  ],
]);

cases("M15: set operations", [
  [
    "union",
    (db) =>
      union(db.select({ id: users.id }).from(users), db.select({ id: posts.id }).from(posts))
        .orderBy(sql`1`)
        .limit(4)
        .all(),
    [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 10 }],
  ],
  [
    "union all, chained, keeping the types of the first",
    (db) =>
      db
        .select({ v: users.verified })
        .from(users)
        .where(eq(users.id, 1))
        .unionAll(db.select({ v: users.verified }).from(users).where(eq(users.id, 2)))
        .all(),
    [{ v: true }, { v: false }],
  ],
  [
    "intersect",
    (db) =>
      intersect(
        db.select({ id: users.id }).from(users),
        db.select({ id: posts.authorId }).from(posts) as never,
      )
        .orderBy(sql`1`)
        .all(),
    [{ id: 1 }, { id: 2 }],
  ],
  [
    "except",
    (db) =>
      except(
        db.select({ id: users.id }).from(users),
        db.select({ id: posts.authorId }).from(posts) as never,
      ).all(),
    [{ id: 3 }],
  ],
  [
    "of three, with limit and offset",
    (db) =>
      unionAll(
        db.select({ id: users.id }).from(users),
        db.select({ id: users.id }).from(users),
        db.select({ id: users.id }).from(users),
      )
        .orderBy(sql`1`)
        .limit(2)
        .offset(2)
        .all(),
    [{ id: 1 }, { id: 2 }],
  ],
]);

cases("M15: CTEs and views", [
  [
    "a CTE of selected fields",
    (db) => {
      const q = db
        .$with("q")
        .as(
          db.select({ id: users.id, up: sql<string>`upper(${users.name})`.as("up") }).from(users),
        );
      return db.with(q).select().from(q).where(eq(q.id, 2)).all();
    },
    [{ id: 2, up: "BOB" }],
  ],
  [
    "two CTEs, one using the other",
    (db) => {
      const a = db.$with("a").as(
        db
          .select({ author: posts.authorId, n: count().as("n") })
          .from(posts)
          .groupBy(posts.authorId),
      );
      const b = db.$with("b").as(db.select({ author: a.author, n: a.n }).from(a).where(gt(a.n, 1)));
      return db
        .with(a, b)
        .select({ name: users.name, n: b.n })
        .from(b)
        .innerJoin(users, eq(users.id, b.author))
        .all();
    },
    [{ name: "Ada", n: 2 }],
  ],
  [
    "a recursive CTE in raw SQL",
    (db) =>
      db.values(
        sql`with recursive up(id) as (select 3 union all select ${users.managerId} from ${users} join up on up.id = ${users.id} where ${users.managerId} is not null) select * from up`,
      ),
    [[3], [1]],
  ],
  [
    "an update and a delete with a CTE",
    (db) => {
      const q = db
        .$with("q")
        .as(db.select({ id: sql<number>`max(${users.id})`.as("max_id") }).from(users));
      const updated = db
        .with(q)
        .update(users)
        .set({ name: "last" })
        .where(eq(users.id, sql`(select * from ${q})`))
        .returning({ id: users.id })
        .all();
      const deleted = db
        .with(q)
        .delete(users)
        .where(eq(users.id, sql`(select * from ${q})`))
        .returning({ name: users.name })
        .all();
      return [updated, deleted];
    },
    [[{ id: 3 }], [{ name: "last" }]],
  ],
  [
    "an insert from a select with a CTE",
    (db) => {
      const q = db
        .$with("q")
        .as(db.select({ id: sql<number>`${tags.id} + 10`.as("id"), name: tags.name }).from(tags));
      db.insert(tags)
        .select(db.with(q).select({ id: q.id, name: q.name }).from(q))
        .run();
      return db.select().from(tags).where(gt(tags.id, 10)).all();
    },
    [
      { id: 11, name: "x" },
      { id: 12, name: "y" },
    ],
  ],
  [
    "a view",
    (db) => db.select().from(verifiedUsers).all(),
    [
      { id: 1, name: "Ada", upper: "ADA" },
      { id: 3, name: "Cid", upper: "CID" },
    ],
  ],
  [
    "an existing view, joined",
    (db) =>
      db
        .select({ view: { id: userNames.id, name: userNames.name }, post: posts.id })
        .from(userNames)
        .innerJoin(posts, eq(posts.authorId, userNames.id))
        .where(eq(posts.id, 12))
        .all(),
    [{ view: { id: 2, name: "Bob" }, post: 12 }],
  ],
]);

cases("M15: odd names", [
  [
    "a column called 1, one called select, one with a quote",
    (db) => {
      db.insert(odd).values({ 1: 5, select: "s", camelCase: "c", 'quo"te': "q" }).run();
      return [
        db.select().from(odd).all(),
        db.select({ 1: odd[1], "a b": odd.select }).from(odd).get(),
        db.select().from(odd).where(eq(odd['quo"te'], "q")).values(),
      ];
    },
    [
      [{ 1: 5, select: "s", camelCase: "c", 'quo"te': "q" }],
      { 1: 5, "a b": "s" },
      [[5, "s", "c", "q"]],
    ],
  ],
  [
    "such a table in a join",
    (db) => {
      db.insert(odd).values({ 1: 1 }).run();
      return db
        .select({ o: odd, n: users.name })
        .from(odd)
        .innerJoin(users, eq(users.id, odd[1]))
        .all();
    },
    [{ o: { 1: 1, select: null, camelCase: null, 'quo"te': null }, n: "Ada" }],
  ],
]);

cases("M15: placeholders", [
  [
    "run a prepared query many times",
    (db) => {
      const query = db
        .select({ name: users.name })
        .from(users)
        .where(eq(users.id, sql.placeholder("id")))
        .prepare();
      return [1, 2, 9].map((id) => query.get({ id }));
    },
    [{ name: "Ada" }, { name: "Bob" }, undefined],
  ],
  [
    "stand in for limit and offset",
    (db) => {
      const query = db
        .select({ id: users.id })
        .from(users)
        .orderBy(users.id)
        .limit(sql.placeholder("limit"))
        .offset(sql.placeholder("offset"))
        .prepare();
      return [query.all({ limit: 1, offset: 1 }), query.all({ limit: 5, offset: 2 })];
    },
    [[{ id: 2 }], [{ id: 3 }]],
  ],
  [
    "stand in for inserted values, which the column encodes",
    (db) => {
      const query = db
        .insert(users)
        .values({ name: sql.placeholder("name"), verified: sql.placeholder("verified") })
        .returning({ name: users.name, verified: users.verified })
        .prepare();
      return query.all({ name: "Dee", verified: true });
    },
    [{ name: "Dee", verified: true }],
  ],
  [
    "stand in for updated values",
    (db) => {
      const query = db
        .update(users)
        .set({ name: sql.placeholder("name") as never })
        .where(eq(users.id, sql.placeholder("id")))
        .prepare();
      return [query.run({ name: "x", id: 1 }).changes, query.run({ name: "y", id: 9 }).changes];
    },
    [1, 0],
  ],
  [
    "give positional rows too",
    (db) =>
      db
        .select({ id: users.id })
        .from(users)
        .where(eq(users.name, sql.placeholder("n")))
        .prepare()
        .values({ n: "Bob" }),
    [[2]],
  ],
  [
    "run through execute",
    async (db) => {
      const query = db
        .select({ id: users.id })
        .from(users)
        .where(eq(users.id, sql.placeholder("id")))
        .prepare();
      return [query.execute({ id: 1 }).sync(), await query.execute({ id: 2 })];
    },
    [[{ id: 1 }], [{ id: 2 }]],
  ],
]);

shareDatabases();

describe("M15: where this driver is better", () => {
  it("keeps a joined row whose first selected column is NULL", () => {
    const db = seed(ours());
    const query = db
      .select({ user: users.name, post: { name: posts.name, id: posts.id } })
      .from(users)
      .leftJoin(posts, eq(posts.authorId, users.id))
      .where(eq(posts.id, 11));
    expect(query.all()).toEqual([{ user: "Ada", post: { name: null, id: 11 } }]);
    expect(query.get()).toEqual({ user: "Ada", post: { name: null, id: 11 } });
  });

  it("reads rows one at a time, of selects, joins, relations and returning", () => {
    const db = seed(ours());
    expect([...db.iterate(db.select({ id: users.id, v: users.verified }).from(users))]).toEqual([
      { id: 1, v: true },
      { id: 2, v: false },
      { id: 3, v: true },
    ]);
    const joined = db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id));
    expect([...db.iterate(joined)]).toEqual(joined.all());
    const related = db.query.users.findMany({ with: { posts: true } });
    expect([...db.iterate(related)]).toEqual(related.sync());
    expect([...db.iterate(db.query.users.findFirst())]).toEqual([ada]);
    const added = db
      .insert(tags)
      .values([{ name: "z" }])
      .returning();
    expect([...db.iterate(added)]).toEqual([{ id: 3, name: "z" }]);
    const big = db.iterate(db.select().from(users));
    expect(big.next().value).toEqual(ada);
    expect(() => db.delete(users).run()).toThrow(expect.objectContaining({ code: "ITERATING" }));
    expect(db.select({ id: users.id }).from(users).all()).toHaveLength(3);
    big.return?.();
    expect(db.delete(postTags).run().changes).toBe(2);
  });

  it("runs one query inside the iteration of the same query", () => {
    const db = seed(ours());
    const query = db.select({ id: users.id }).from(users).orderBy(users.id).prepare();
    const seen: number[] = [];
    for (const { id } of db.iterate(query)) {
      seen.push(id, query.all().length);
    }
    expect(seen).toEqual([1, 3, 2, 3, 3, 3]);
  });

  it("counts at once with sync()", () => {
    const db = seed(ours());
    expect(db.$count(users).sync()).toBe(3);
    expect(db.transaction((tx) => tx.$count(users, eq(users.id, 1)).sync())).toBe(1);
  });
});
