import { drizzle } from "drizzle-honker";
import { and, eq, exists, inArray, or, SQL, sql } from "drizzle-orm";
import { alias, SQLiteSyncDialect, union } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HonkerSQLiteDialect } from "../src/dialect.ts";
import { modes, odd, posts, schema, userNames, users, verifiedUsers } from "./schema.ts";

const ours = new HonkerSQLiteDialect();
const theirs = new SQLiteSyncDialect();

/** The text, parameters and types of a query as both dialects write it. */
function both(query: SQL): [unknown, unknown] {
  const plain = (dialect: SQLiteSyncDialect) => ({ ...dialect.sqlToQuery(query) });
  return [plain(ours), plain(theirs)];
}

const db = drizzle.mock({ schema });
const named = alias(users, 'na"med');
const sub = db
  .select({ id: users.id, n: sql<string>`upper(${users.name})`.as("n") })
  .from(users)
  .as("sub");
const cte = db.$with("cte").as(db.select().from(posts).where(eq(posts.id, 5)));

const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constant(null),
  fc.boolean(),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
);

const column = fc.constantFrom(
  users.id,
  users.name,
  modes.json,
  odd.camelCase,
  named.email,
  sub.id,
  sub.n,
  userNames.id,
  verifiedUsers.upper,
);

const { chunk } = fc.letrec<{ chunk: unknown; tree: SQL }>((tie) => ({
  chunk: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    value,
    column,
    fc.constantFrom<unknown>(undefined, users, named, odd, userNames, verifiedUsers, sub, cte),
    fc.string().map((text) => sql.raw(text)),
    fc.string().map((name) => sql.identifier(name)),
    fc.string({ minLength: 1 }).map((name) => sql.placeholder(name)),
    fc.array(fc.string({ minLength: 1 })).map((list) => sql.param(list, modes.list)),
    fc.boolean().map((flag) => sql.param(flag, modes.boolean)),
    fc.string({ minLength: 1 }).map((name) => sql.param(sql.placeholder(name), modes.json)),
    fc.constant(sql.param(1, { mapToDriverValue: (v: number) => sql`(${v} + ${users.id})` })),
    fc.constantFrom<unknown>(
      sql`x`.as("alias"),
      db.select({ id: users.id }).from(users).where(eq(users.id, 3)),
      db.$count(posts, eq(posts.id, 1)),
    ),
    fc.array(tie("chunk"), { maxLength: 3 }),
    tie("tree"),
    tie("tree").map((tree) => (tree as SQL).inlineParams()),
  ),
  tree: fc.array(tie("chunk"), { maxLength: 4 }).map((chunks) => new SQL(chunks as never)),
}));

describe("M17: the SQL writer", () => {
  it("writes any tree exactly as Drizzle does", () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), (chunks) => {
        const tree = new SQL(chunks as never);
        let expected: unknown;
        try {
          expected = { ...theirs.sqlToQuery(tree) };
        } catch {
          // bytes and bigints cannot be inlined; both must refuse
          expect(() => ours.sqlToQuery(tree)).toThrow();
          return;
        }
        expect({ ...ours.sqlToQuery(tree) }).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, { getSQL(): SQL }]>([
    [
      "a select",
      db
        .select()
        .from(users)
        .where(
          and(
            eq(users.id, 1),
            or(inArray(users.name, ["a", "b"]), exists(db.select().from(posts))),
          ),
        ),
    ],
    [
      "a join with aliases",
      db
        .select()
        .from(users)
        .leftJoin(named, eq(named.id, users.managerId))
        .rightJoin(sub, eq(sub.id, users.id))
        .orderBy(named.name),
    ],
    [
      "a union",
      union(db.select({ id: users.id }).from(users), db.select({ id: posts.id }).from(posts))
        .orderBy(users.id)
        .limit(3) as never,
    ],
    ["a CTE", db.with(cte).select().from(cte).limit(sql.placeholder("limit"))],
    [
      "an insert",
      db
        .insert(modes)
        .values([
          { id: 1, list: ["a"] },
          { id: 2, json: {}, bytes: Buffer.from("x") },
        ])
        .returning(),
    ],
    [
      "an upsert",
      db
        .insert(users)
        .values({ name: "a" })
        .onConflictDoUpdate({ target: users.email, set: { name: "b" }, setWhere: sql`1` }),
    ],
    [
      "an update",
      db
        .update(users)
        .set({ name: "b", verified: true })
        .where(eq(users.id, sql.placeholder("id")))
        .returning({ id: users.id }),
    ],
    ["a delete", db.delete(odd).where(eq(odd['quo"te'], "x"))],
    [
      "a relational query",
      db.query.users.findMany({
        with: { posts: { limit: 2 }, manager: true },
        where: eq(users.id, 4),
      }) as never,
    ],
  ])("writes %s exactly as Drizzle does", (_name, query) => {
    const [mine, official] = both(query.getSQL());
    expect(mine).toEqual(official);
  });

  it("is used by toSQL(), which shows nothing more than Drizzle's", () => {
    const query = db.select({ id: users.id }).from(users).where(eq(users.name, "x"));
    expect(query.toSQL()).toStrictEqual({
      sql: 'select "id" from "users" where "users"."name" = ?',
      params: ["x"],
    });
  });

  it("survives an encoder that builds another query meanwhile", () => {
    const nested = { mapToDriverValue: () => ours.sqlToQuery(sql`inner ${1}`).sql };
    expect(ours.sqlToQuery(sql`a ${sql.param(0, nested)} b ${2}`)).toMatchObject({
      sql: "a ? b ?",
      params: ["inner ?", 2],
    });
  });
});
