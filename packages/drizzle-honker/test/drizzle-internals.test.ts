import { drizzle } from "drizzle-honker";
import { Column, eq, is, SQL, sql, Table } from "drizzle-orm";
import { alias, SQLiteSyncDialect, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import * as internals from "../src/drizzle-internals.ts";
import { ours } from "./drivers.ts";
import { modes, schema, users, verifiedUsers } from "./schema.ts";

const MOVED =
  "drizzle-orm moved an internal that drizzle-honker relies on; see src/drizzle-internals.ts:";

/** One reach into Drizzle: when it fails, the message says what moved. */
function reach(what: string, look: () => unknown, expected: unknown): void {
  it(what, () => {
    let found: unknown;
    try {
      found = look();
    } catch (error) {
      found = error;
    }
    expect(found, `${MOVED} ${what}`).toEqual(expected);
  });
}

const db = drizzle.mock({ schema });

describe("M14: what Drizzle does not publish", () => {
  reach("Table.Symbol.Schema", () => internals.schemaOf(users), undefined);
  reach("Table.Symbol.IsAlias", () => [users, alias(users, "u")].map(internals.isAliased), [
    false,
    true,
  ]);
  reach("view[ViewBaseConfig]", () => internals.viewConfig(verifiedUsers).name, "verified_users");
  reach(
    "sql.shouldInlineParams",
    () => [sql`x`, sql`x`.inlineParams()].map(internals.inlinesParams),
    [false, true],
  );
  reach(
    "dialect.casing.getColumnCasing()",
    () =>
      internals
        .casingOf(new SQLiteSyncDialect({ casing: "snake_case" }))
        .getColumnCasing(sqliteTable("t", { someName: text() }).someName),
    "some_name",
  );
  reach(
    "the decoder of a column",
    () => internals.decoderOf(modes.seconds) === modes.seconds,
    true,
  );
  reach(
    "sql.decoder",
    () => internals.decoderOf(sql`1`.mapWith(String)).mapFromDriverValue(5),
    "5",
  );
  reach(
    "aliased.sql.decoder",
    () => internals.decoderOf(sql`1`.mapWith(String).as("x")).mapFromDriverValue(5),
    "5",
  );
  reach(
    "subquery._.sql.decoder",
    () =>
      typeof internals.decoderOf(db.select({ id: users.id }).from(users).as("s"))
        .mapFromDriverValue,
    "function",
  );
  reach(
    "noopDecoder and Column.prototype.mapFromDriverValue",
    () =>
      [sql`1`, users.name, users.verified, sql`1`.mapWith(String)].map((field) =>
        internals.decodesNothing(internals.decoderOf(field)),
      ),
    [true, true, false, false],
  );
  reach("column.mapFrom", () => typeof internals.customDecoder(modes.list), "function");
  reach(
    "query.joinsNotNullableMap",
    () => internals.notNullTables(internals.prepared<object>(ours().select().from(users))),
    { users: true },
  );
  reach(
    "placeholder.name and param.value",
    () =>
      [sql.placeholder("a"), sql.param(sql.placeholder("b"), users.verified), 5].map(
        (param) => internals.placeholderParam(param)?.name,
      ),
    ["a", "b", undefined],
  );
  reach(
    "query._prepare and query.then",
    () =>
      [
        db.select().from(users),
        db.insert(users).values({ name: "" }),
        db.query.users.findMany(),
        5,
      ].map(internals.isQuery),
    [true, true, true, false],
  );
  reach("count.sql", () => is(internals.countStatement(db.$count(users)), SQL), true);
  reach("column.table as an own member that a copy inherits", () => {
    const copy = internals.decodingColumn(users.verified, () => "decoded");
    return [
      is(copy, Column),
      copy.name,
      is(copy.table, Table),
      copy.mapFromDriverValue(1 as never),
    ];
  }, [true, "verified", true, "decoded"]);
  reach("json_array( in nested relational queries", () => {
    const { sql: text } = db.query.users
      .findMany({
        with: { modes: { columns: { bytes: true, exact: true }, limit: 1 } },
        where: eq(users.id, 1),
      })
      .toSQL();
    return [text.includes('hex("bytes")'), text.includes('cast("exact" as text)')];
  }, [true, true]);
  it("select().from(), and awaiting through execute()", async () => {
    const cached = ours();
    internals.cacheSelects(cached, async () => "from execute()");
    const from = [cached.select(), cached.selectDistinct(), cached.with().select()];
    for (const builder of from) {
      expect(await builder.from(users).where(eq(users.id, 1)), MOVED).toBe("from execute()");
    }
  });

  it("says so when something else than a query is passed for one", () => {
    expect(() => internals.prepared({})).toThrow("not a query of the builder");
  });
});
