import { desc, eq, gt, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { type AnyDb, ours, same, shareDatabases } from "./drivers.ts";
import { modes, posts, postTags, tags, users } from "./schema.ts";

shareDatabases();

function seed<Db extends AnyDb>(db: Db): Db {
  db.insert(users)
    .values([
      { id: 1, name: "Ada", verified: true },
      { id: 2, name: "Bob", managerId: 1 },
      { id: 3, name: "Cid", managerId: 1 },
    ])
    .run();
  db.insert(posts)
    .values([
      { id: 10, name: "x", authorId: 1 },
      { id: 11, name: null, authorId: 1 },
      { id: 12, name: "z", authorId: 2 },
      { id: 13 },
    ])
    .run();
  db.insert(tags)
    .values([
      { id: 1, name: "red" },
      { id: 2, name: "blue" },
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

const ada = { id: 1, name: "Ada", email: null, verified: true, managerId: null };

describe("M15: relational queries", () => {
  const cases: [string, (db: AnyDb) => { sync(): unknown }, unknown][] = [
    ["find many and first", (db) => db.query.users.findFirst(), ada],
    ["find none", (db) => db.query.users.findFirst({ where: eq(users.id, 9) }), undefined],
    ["find an empty list", (db) => db.query.users.findMany({ where: eq(users.id, 9) }), []],
    [
      "many, one, and deeper",
      (db) =>
        db.query.posts.findMany({
          orderBy: posts.id,
          with: { author: true, tags: { with: { tag: true } } },
          where: gt(posts.id, 9),
          limit: 2,
        }),
      [
        {
          id: 10,
          name: "x",
          authorId: 1,
          author: ada,
          tags: [
            { postId: 10, tagId: 1, tag: { id: 1, name: "red" } },
            { postId: 10, tagId: 2, tag: { id: 2, name: "blue" } },
          ],
        },
        { id: 11, name: null, authorId: 1, author: ada, tags: [] },
      ],
    ],
    [
      "one that is missing",
      (db) => db.query.posts.findFirst({ where: eq(posts.id, 13), with: { author: true } }),
      { id: 13, name: null, authorId: null, author: null },
    ],
    [
      "a table related to itself",
      (db) =>
        db.query.users.findMany({
          columns: { id: true },
          orderBy: users.id,
          with: {
            manager: { columns: { name: true } },
            reports: { columns: { name: true }, orderBy: users.id },
          },
        }),
      [
        { id: 1, manager: null, reports: [{ name: "Bob" }, { name: "Cid" }] },
        { id: 2, manager: { name: "Ada" }, reports: [] },
        { id: 3, manager: { name: "Ada" }, reports: [] },
      ],
    ],
    [
      "columns left out",
      (db) => db.query.users.findFirst({ columns: { email: false, managerId: false } }),
      { id: 1, name: "Ada", verified: true },
    ],
    [
      "only relations",
      (db) => db.query.users.findFirst({ columns: {}, with: { posts: { columns: { id: true } } } }),
      { posts: [{ id: 10 }, { id: 11 }] },
    ],
    [
      "where, order, limit and offset at both levels, with callbacks",
      (db) =>
        db.query.users.findMany({
          columns: { id: true },
          where: (table, { gt: more }) => more(table.id, 0),
          orderBy: (table, { desc: down }) => [down(table.id)],
          limit: 2,
          offset: 1,
          with: {
            posts: {
              columns: { id: true },
              where: gt(posts.id, 10),
              orderBy: [desc(posts.id)],
              limit: 1,
            },
          },
        }),
      [
        { id: 2, posts: [{ id: 12 }] },
        { id: 1, posts: [{ id: 11 }] },
      ],
    ],
    [
      "extras at both levels",
      (db) =>
        db.query.users.findFirst({
          columns: { id: true },
          extras: { up: sql<string>`upper(${users.name})`.as("up") },
          with: {
            posts: {
              columns: { id: true },
              orderBy: posts.id,
              extras: (table) => ({ twice: sql<number>`${table.id} * 2`.as("twice") }),
            },
          },
        }),
      {
        id: 1,
        up: "ADA",
        posts: [
          { id: 10, twice: 20 },
          { id: 11, twice: 22 },
        ],
      },
    ],
  ];
  for (const [name, query, expected] of cases) same(name, (db) => query(seed(db)).sync(), expected);

  same(
    "with placeholders, prepared, and awaited",
    async (db) => {
      seed(db);
      const prepared = db.query.users
        .findMany({
          columns: { id: true },
          where: eq(users.name, sql.placeholder("name")),
          with: { posts: { columns: { id: true }, limit: sql.placeholder("limit") as never } },
        })
        .prepare();
      return [
        prepared.all({ name: "Ada", limit: 1 }),
        prepared.execute({ name: "Bob", limit: 5 }).sync(),
        await db.query.tags.findMany(),
      ];
    },
    [
      [{ id: 1, posts: [{ id: 10 }] }],
      [{ id: 2, posts: [{ id: 12 }] }],
      [
        { id: 1, name: "red" },
        { id: 2, name: "blue" },
      ],
    ],
  );

  same(
    "decode dates, booleans, JSON and reals inside relations",
    (db) => {
      seed(db);
      db.insert(modes)
        .values({
          id: 1,
          userId: 1,
          boolean: true,
          seconds: new Date(5_000),
          millis: new Date(7),
          json: { a: ["ü"] },
          float: 0.1 + 0.2,
          list: ["a", "b"],
        })
        .run();
      return db.query.users
        .findFirst({
          columns: {},
          with: {
            modes: {
              columns: {
                boolean: true,
                seconds: true,
                millis: true,
                json: true,
                float: true,
                list: true,
              },
            },
          },
        })
        .sync();
    },
    {
      modes: [
        {
          boolean: true,
          seconds: new Date(5_000),
          millis: new Date(7),
          json: { a: ["ü"] },
          float: 0.1 + 0.2,
          list: ["a", "b"],
        },
      ],
    },
  );
});

describe("M15: relational queries where this driver is better", () => {
  it("carry BLOBs of every mode inside relations, where SQLite refuses them in JSON", () => {
    const db = seed(ours());
    const row = {
      bytes: Buffer.from([0, 255]),
      blobJson: { a: 1 },
      blobBig: 2n ** 80n,
      custom: "abc",
    };
    db.insert(modes)
      .values([
        { id: 1, userId: 1, ...row },
        { id: 2, userId: 1, bytes: Buffer.alloc(0) },
      ])
      .run();
    const query = db.query.users.findFirst({
      columns: {},
      with: {
        modes: {
          columns: { bytes: true, blobJson: true, blobBig: true, custom: true },
          orderBy: modes.id,
        },
      },
    });
    expect(query.sync()).toEqual({
      modes: [row, { bytes: Buffer.alloc(0), blobJson: null, blobBig: null, custom: null }],
    });
    expect(db.query.modes.findFirst({ with: { user: true } }).sync()).toMatchObject({
      ...row,
      user: ada,
    });
  });

  it("carry them two levels deep, and beside nested relations", () => {
    const db = seed(ours());
    db.insert(modes)
      .values({
        id: 1,
        userId: 2,
        bytes: Buffer.from("deep"),
        exact: 2n ** 62n + 1n,
        decimal: "9007199254740993",
      })
      .run();
    const found = db.query.users
      .findFirst({ with: { reports: { with: { modes: true, posts: true }, orderBy: users.id } } })
      .sync();
    expect(found?.reports[0]?.modes[0]).toMatchObject({
      bytes: Buffer.from("deep"),
      exact: 2n ** 62n + 1n,
      decimal: "9007199254740993",
    });
    expect(found?.reports[0]?.posts).toEqual([{ id: 12, name: "z", authorId: 2 }]);
  });
});
