import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { HonkerError } from "@alkdev/honker";
import { tempFolder } from "@alkdev/testkit";
import { DrizzleHonkerError, drizzle, HonkerSQLiteDatabase } from "drizzle-honker";
import { DrizzleError, is, sql } from "drizzle-orm";
import { drizzle as official } from "drizzle-orm/better-sqlite3";
import { BaseSQLiteDatabase, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { ours, theirs } from "./drivers.ts";
import { schema, users } from "./schema.ts";

function errorOf(work: () => unknown): Error & Record<string, unknown> {
  try {
    work();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("nothing was thrown");
}

describe("M14: drizzle()", () => {
  it("takes a path, a client, and an object with either", () => {
    const path = join(tempFolder(), "app.db");
    const byPath = drizzle(path, { schema });
    onTestFinished(() => byPath.$client.close());
    byPath.run(sql`create table users (id integer primary key, name text)`);
    const all = [
      byPath,
      drizzle(byPath.$client),
      drizzle({ client: byPath.$client, schema }),
      drizzle({ connection: path }),
    ];
    onTestFinished(() => all[3]?.$client.close());
    for (const db of all) {
      expect(db.get(sql`select count(*) as n from users`)).toEqual({ n: 0 });
      expect(db).toBeInstanceOf(HonkerSQLiteDatabase);
      expect(is(db, BaseSQLiteDatabase)).toBe(true);
    }
    expect(all[1]?.$client).toBe(byPath.$client);
  });

  it("says what is wrong with a path", () => {
    expect(() => drizzle(join(tempFolder(), "no", "such", "folder.db"))).toThrow(
      expect.objectContaining({ code: "CANNOT_OPEN" }),
    );
  });

  it("builds but does not run queries on a mock", () => {
    const db = drizzle.mock({ schema });
    expect(db.select().from(users).toSQL().sql).toContain('from "users"');
    expect(() => db.select().from(users).all()).toThrow();
  });

  it("logs statements and parameters, with and without placeholders", () => {
    const lines: unknown[] = [];
    const db = ours({ logger: { logQuery: (query, params) => lines.push([query, params]) } });
    const find = db
      .select({ id: users.id })
      .from(users)
      .where(sql`${users.name} = ${sql.placeholder("n")}`)
      .prepare();
    find.all({ n: "x" });
    db.run(sql`select ${5}`);
    expect(lines).toEqual([
      ['select "id" from "users" where "users"."name" = ?', ["x"]],
      ["select ?", [5]],
    ]);
  });

  it.each(["snake_case", "camelCase"] as const)(
    "writes %s like the official driver, and maps it back",
    (casing) => {
      const table = sqliteTable("t", {
        someId: integer().primaryKey(),
        other_name: text(),
        explicit: text("Kept"),
      });
      const queries = [ours({ casing }), theirs({ casing })].map((db) => [
        db.select().from(table).where(sql`${table.someId} = 1`).toSQL(),
        db.insert(table).values({ someId: 1, other_name: "x" }).returning().toSQL(),
        db.update(table).set({ other_name: "y" }).toSQL(),
      ]);
      expect(queries[0]).toEqual(queries[1]);
      const db = ours({ casing });
      const [id, name] =
        casing === "snake_case" ? ["some_id", "other_name"] : ["someId", "otherName"];
      db.run(sql.raw(`create table t ("${id}" integer, "${name}" text, "Kept" text)`));
      db.insert(table).values({ someId: 1, other_name: "x", explicit: "e" }).run();
      expect(db.select().from(table).all()).toEqual([
        { someId: 1, other_name: "x", explicit: "e" },
      ]);
    },
  );

  it("works inside of what Drizzle builds on drivers: getSQL, toSQL, subqueries of another builder", () => {
    const db = ours();
    const other = official.mock();
    db.insert(users).values({ id: 1, name: "a" }).run();
    const sub = other.select({ id: users.id }).from(users);
    expect(
      db.select({ n: users.name }).from(users).where(sql`${users.id} in ${sub}`).all(),
    ).toEqual([{ n: "a" }]);
  });
});

describe("M15: errors", () => {
  it("of the builder are the engine's, with the driver's error as cause", () => {
    const db = ours();
    db.insert(users).values({ id: 1, name: "a" }).run();
    const error = errorOf(() => db.insert(users).values({ id: 1, name: "b" }).run());
    expect(error).toBeInstanceOf(HonkerError);
    expect(error).toMatchObject({
      code: "CONSTRAINT",
      details: { sqliteCode: "SQLITE_CONSTRAINT_PRIMARYKEY" },
      cause: { code: "SQLITE_CONSTRAINT_PRIMARYKEY" },
    });
  });

  it("of db.run are Drizzle's, with the same code", () => {
    const db = ours();
    const error = errorOf(() => db.run(sql`insert into users (id) values (1)`));
    expect(error).toBeInstanceOf(DrizzleError);
    expect(error).toBeInstanceOf(DrizzleHonkerError);
    expect(error).toMatchObject({ code: "CONSTRAINT", cause: { code: "CONSTRAINT" } });
    expect(error.message).toContain("insert into users");
  });

  it("name a missing table, and a mistake in SQL", () => {
    const db = ours();
    const missing = sqliteTable("missing", { id: integer() });
    expect(errorOf(() => db.select().from(missing).all())).toMatchObject({ code: "SQL_ERROR" });
    expect(errorOf(() => db.all(sql`selct 1`)).message).toContain("selct");
  });

  it("reject what is awaited", async () => {
    const db = ours();
    await expect(
      db.insert(users).values({ name: null as unknown as string }),
    ).rejects.toMatchObject({
      code: "CONSTRAINT",
    });
  });

  it("of a closed database say so, for everything that can be called", () => {
    const db = ours();
    const prepared = db.select().from(users).prepare();
    db.$client.close();
    for (const run of [
      () => db.select().from(users).all(),
      () => prepared.all(),
      () => prepared.get(),
      () => prepared.values(),
      () => [...db.iterate(prepared)],
      () => db.insert(users).values({ name: "a" }).run(),
      () => db.run(sql`select 1`),
      () => db.transaction(() => 1),
      () => db.batch([db.select().from(users)]),
      () => db.query.users.findMany().sync(),
      () => db.$count(users).sync(),
      () => db.live(db.select().from(users)),
    ]) {
      expect(errorOf(run)).toMatchObject({ code: "CLOSED" });
    }
  });
});

describe("M15: two processes", () => {
  it("see each other's commits, and a writer waits for the other's transaction", async () => {
    const db = ours();
    const child = fork(new URL("./children/run-sql.ts", import.meta.url), [db.$client.path], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "message");
    const run = async (statement: string) => {
      child.send(statement);
      await once(child, "message");
    };
    const prepared = db.select({ name: users.name }).from(users).orderBy(users.id).prepare();
    expect(prepared.all()).toEqual([]);
    await run("INSERT INTO users (name) VALUES ('theirs')");
    expect(prepared.all()).toEqual([{ name: "theirs" }]);
    await run("ALTER TABLE users ADD COLUMN added TEXT DEFAULT 'later'");
    db.insert(users).values({ name: "ours" }).run();
    expect(prepared.all()).toEqual([{ name: "theirs" }, { name: "ours" }]);
    expect(db.get(sql`select * from users limit 1`)).toMatchObject({ added: "later" });
    child.disconnect();
    await once(child, "exit");
  }, 30_000);
});
