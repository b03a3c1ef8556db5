import type { Database, RunResult, Transaction } from "@alkdev/honker";
import {
  drizzle,
  type HonkerClient,
  type HonkerSQLiteDatabase,
  type HonkerSQLiteTransaction,
  int64,
  type LiveResults,
} from "drizzle-honker";
import { relations } from "drizzle-orm";
import { type BaseSQLiteDatabase, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expectTypeOf, it } from "vitest";

const users = sqliteTable("users", { id: integer().primaryKey(), name: text(), big: int64() });
const posts = sqliteTable("posts", { id: integer().primaryKey(), userId: integer("user_id") });
const schema = {
  users,
  posts,
  userRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postRelations: relations(posts, ({ one }) => ({
    user: one(users, { fields: [posts.userId], references: [users.id] }),
  })),
};
interface User {
  id: number;
  name: string | null;
  big: bigint | null;
}

declare const client: Database;
declare const db: HonkerSQLiteDatabase<typeof schema, Database>;

describe("drizzle()", () => {
  it("takes a database, a path, or one object, and types $client by it", () => {
    expectTypeOf(drizzle(client).$client).toEqualTypeOf<Database>();
    expectTypeOf(drizzle("app.db", { schema }).$client).toEqualTypeOf<Database>();
    expectTypeOf(drizzle({ connection: "app.db", schema }).$client).toEqualTypeOf<Database>();
    expectTypeOf(
      drizzle({ client, schema, casing: "snake_case" }).$client,
    ).toEqualTypeOf<Database>();
    expectTypeOf(drizzle(client as HonkerClient).$client).toEqualTypeOf<HonkerClient>();
    // @ts-expect-error a number is neither
    drizzle(5);
  });

  it("is a Drizzle database of the synchronous kind", () => {
    expectTypeOf(db).toExtend<BaseSQLiteDatabase<"sync", RunResult, typeof schema>>();
    expectTypeOf<HonkerSQLiteTransaction<typeof schema>>().toExtend<
      BaseSQLiteDatabase<"sync", RunResult, typeof schema>
    >();
  });

  it("keeps the engine away from a mock", () => {
    expectTypeOf(drizzle.mock({ schema }).$client).toBeString();
  });
});

describe("queries", () => {
  it("return what the selection says", () => {
    expectTypeOf(db.select().from(users).all()).toEqualTypeOf<User[]>();
    expectTypeOf(db.select().from(users).get()).toEqualTypeOf<User | undefined>();
    expectTypeOf(db.insert(users).values({}).run()).toEqualTypeOf<RunResult>();
    expectTypeOf(db.query.users.findMany({ with: { posts: true } }).sync()).toExtend<
      (User & { posts: { id: number }[] })[]
    >();
    expectTypeOf(db.$count(users).sync()).toBeNumber();
    // @ts-expect-error relational queries need the schema
    drizzle(client).query.users.findMany();
  });

  it("iterate over rows, follow results, and run in batches", () => {
    expectTypeOf(db.iterate(db.select().from(users))).toEqualTypeOf<IterableIterator<User>>();
    expectTypeOf(db.iterate(db.select().from(users).prepare())).toEqualTypeOf<
      IterableIterator<User>
    >();
    expectTypeOf(db.live(db.select().from(users))).toEqualTypeOf<LiveResults<User[]>>();
    expectTypeOf(db.live(db.query.users.findFirst())).toEqualTypeOf<
      LiveResults<User | undefined>
    >();
    expectTypeOf(db.batch([db.select().from(users), db.insert(users).values({})])).toExtend<
      readonly [User[], RunResult]
    >();
    // @ts-expect-error a batch needs a query
    db.batch([]);
    // @ts-expect-error results are not queries
    db.batch([db.select().from(users).all()]);
  });
});

describe("transactions", () => {
  it("return what the callback returns, and carry the engine's transaction", () => {
    expectTypeOf(db.transaction(() => 5)).toBeNumber();
    expectTypeOf(db.transaction(() => undefined)).toBeUndefined();
    db.transaction((tx) => {
      expectTypeOf(tx).toEqualTypeOf<HonkerSQLiteTransaction<typeof schema>>();
      expectTypeOf(tx.$honkerTx).toEqualTypeOf<Transaction>();
      expectTypeOf(tx.transaction((inner) => inner.select().from(users).all())).toEqualTypeOf<
        User[]
      >();
    });
    db.transaction((tx) => tx.rollback());
    db.transaction(() => 1, { behavior: "deferred" });
  });

  it("refuse async callbacks and queries that were not run", () => {
    // @ts-expect-error async
    db.transaction(async () => 5);
    // @ts-expect-error not run
    db.transaction((tx) => tx.insert(users).values({}));
    // @ts-expect-error not run
    db.transaction((tx) => tx.query.users.findMany());
    db.transaction((tx) => {
      // @ts-expect-error async, nested
      tx.transaction(async () => 5);
    });
  });
});
