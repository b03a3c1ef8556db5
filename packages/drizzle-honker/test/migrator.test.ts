import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { tempDatabase, tempFolder } from "@alkdev/testkit";
import BetterSqlite3 from "better-sqlite3";
import { drizzle } from "drizzle-honker";
import {
  listMigrations,
  type MigrateConfig,
  migrate,
  newestMigration,
} from "drizzle-honker/migrator";
import { sql } from "drizzle-orm";
import { drizzle as official } from "drizzle-orm/better-sqlite3";
import { migrate as officialMigrate } from "drizzle-orm/better-sqlite3/migrator";
import { describe, expect, it, onTestFinished } from "vitest";
import { KitProject } from "./kit.ts";
import { folderWith } from "./migration-files.ts";

const CREATE = [
  "CREATE TABLE parents (id integer PRIMARY KEY NOT NULL, name text)",
  "CREATE TABLE children (id integer PRIMARY KEY NOT NULL, parent_id integer NOT NULL REFERENCES parents(id) ON DELETE CASCADE)",
];
const FILL = [
  "INSERT INTO parents VALUES (1, 'a'), (2, 'b')",
  "INSERT INTO children VALUES (1, 1), (2, 1), (3, 2)",
];
/** What drizzle-kit generates for a changed column of `parents`. */
const REBUILD = [
  "PRAGMA foreign_keys=OFF;",
  "CREATE TABLE `__new_parents` (`id` integer PRIMARY KEY NOT NULL, `name` text DEFAULT '' NOT NULL);",
  'INSERT INTO `__new_parents`("id", "name") SELECT "id", "name" FROM `parents`;',
  "DROP TABLE `parents`;",
  "ALTER TABLE `__new_parents` RENAME TO `parents`;",
  "PRAGMA foreign_keys=ON;",
];

function setup(migrations: Record<string, readonly string[]>) {
  const client = tempDatabase();
  const db = drizzle(client);
  const migrationsFolder = folderWith(migrations);
  const run = (config: Partial<MigrateConfig> = {}) => migrate(db, { migrationsFolder, ...config });
  const count = (table: string) => Number(client.rows(`SELECT count(*) FROM ${table}`)[0]?.[0]);
  const tables = () =>
    client
      .query<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .map(({ name }) => name)
      .filter((name) => !/^(_honker|_alk|sqlite)/.test(name));
  return { client, db, run, count, tables, migrationsFolder };
}

function errorOf(work: () => unknown): Error & { code?: string } {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

const MIGRATE = new URL("./children/migrate.ts", import.meta.url);
const CHILD = { execArgv: ["--conditions=@alkdev/source"] };

describe("M18: bad input of migrate()", () => {
  it("is refused inside a transaction", () => {
    const { db, run, tables } = setup({ "0000_a": CREATE });
    expect(errorOf(() => db.transaction(() => run()))).toMatchObject({ code: "TRANSACTION_STATE" });
    expect(tables()).toEqual([]);
  });

  it("is refused for a folder that is missing, has no journal, a broken one, or misses a file", () => {
    const { db } = setup({});
    const folders = [
      join(tempFolder(), "missing"),
      tempFolder(),
      folderWith({ a: CREATE }),
      folderWith({ a: CREATE }),
    ];
    writeFileSync(join(folders[2] as string, "meta", "_journal.json"), '{"entries": 5}');
    writeFileSync(
      join(folders[3] as string, "meta", "_journal.json"),
      '{"entries": [{"tag": "b", "when": 1}]}',
    );
    for (const migrationsFolder of folders) {
      const error = errorOf(() => migrate(db, { migrationsFolder }));
      expect(error).toMatchObject({ code: "MIGRATION_FOLDER" });
      expect(error.message).toContain(migrationsFolder);
    }
  });

  it.each(["COMMIT", "-- sly\nEND TRANSACTION;", "rollback", "VACUUM", "ATTACH 'x.db' AS x"])(
    "is refused for a statement that would end the transaction: %s",
    (statement) => {
      const { run, tables } = setup({ "0000_a": [...CREATE, statement] });
      expect(errorOf(run)).toMatchObject({ code: "MIGRATION_FAILED" });
      expect(tables()).toEqual([]);
    },
  );

  it("changes nothing when a statement of the last of two migrations fails, and says which", () => {
    const { run, tables } = setup({
      "0000_a": CREATE,
      "0001_b": ["CREATE TABLE c (id)", "nonsense"],
    });
    const error = errorOf(run);
    expect(error).toMatchObject({ code: "MIGRATION_FAILED", cause: { code: "SQL_ERROR" } });
    expect(error.message).toContain('"0001_b"');
    expect(tables()).toEqual([]);
  });

  it("says what to do about several statements without a breakpoint", () => {
    const { run } = setup({ "0000_a": [CREATE.join(";")] });
    expect(errorOf(run).message).toContain("--> statement-breakpoint");
  });
});

describe("M18: migrate()", () => {
  it("applies what is pending, in order and once, also an empty custom migration", () => {
    const { run, tables, db } = setup({
      "0000_a": CREATE,
      "0001_b": ["-- Custom SQL migration file\n"],
      "0002_c": FILL,
    });
    expect(run()).toEqual({ applied: ["0000_a", "0001_b", "0002_c"], backup: undefined });
    expect(run()).toEqual({ applied: [], backup: undefined });
    expect(tables()).toEqual(["__drizzle_migrations", "children", "parents"]);
    expect(db.get(sql`pragma foreign_keys`)).toEqual({ foreign_keys: 1 });
  });

  it("continues where drizzle-orm's own migrator stopped, and the other way round", () => {
    const first = folderWith({ "0000_a": CREATE });
    const both = folderWith({ "0000_a": CREATE, "0001_b": ["CREATE TABLE other (id integer)"] });
    const path = join(tempFolder(), "shared.db");
    const peer = new BetterSqlite3(path);
    officialMigrate(official(peer), { migrationsFolder: first });
    peer.close();
    const client = open(path);
    expect(migrate(drizzle(client), { migrationsFolder: both }).applied).toEqual(["0001_b"]);
    client.close();
    const again = new BetterSqlite3(path);
    onTestFinished(() => void again.close());
    officialMigrate(official(again), { migrationsFolder: both });
    expect(again.prepare("SELECT count(*) FROM __drizzle_migrations").pluck().get()).toBe(2);
    expect(again.prepare("SELECT hash FROM __drizzle_migrations").all()).toHaveLength(2);
  });

  it("keeps its history in another table when asked to", () => {
    const { run, tables } = setup({ "0000_a": CREATE });
    run({ migrationsTable: "history" });
    expect(tables()).toEqual(["children", "history", "parents"]);
  });

  it("refuses to leave out a migration between two applied ones", () => {
    const { db, run } = setup({
      "0000_a": ["CREATE TABLE a (id)"],
      "0002_c": ["CREATE TABLE c (id)"],
    });
    run();
    const migrationsFolder = folderWith({
      "0000_a": ["CREATE TABLE a (id)"],
      "0001_b": ["CREATE TABLE b (id)"],
      "0002_c": ["CREATE TABLE c (id)"],
    });
    const error = errorOf(() => migrate(db, { migrationsFolder }));
    expect(error).toMatchObject({ code: "MIGRATION_FOLDER" });
    expect(error.message).toContain('"0001_b"');
  });
});

describe("M18: a migration cannot lose rows", () => {
  it("when it rebuilds a parent with ON DELETE CASCADE children, where the official migrator wipes them", () => {
    const migrations = { "0000_a": [...CREATE, ...FILL], "0001_b": REBUILD };
    const { run, count, client } = setup(migrations);
    run();
    expect([count("parents"), count("children")]).toEqual([2, 3]);
    expect(client.rows("PRAGMA foreign_key_list(children)")[0]?.[2]).toBe("parents");
    expect(() => client.execute("INSERT INTO children VALUES (9, 9)")).toThrow("FOREIGN KEY");

    const peer = new BetterSqlite3(":memory:");
    onTestFinished(() => void peer.close());
    peer.pragma("foreign_keys = ON");
    officialMigrate(official(peer), { migrationsFolder: folderWith(migrations) });
    expect(peer.prepare("SELECT count(*) FROM children").pluck().get()).toBe(0);
  });

  it("refuses a rebuild that copies only some rows, also in the run that filled the table", () => {
    const partly = REBUILD.map((statement) =>
      statement.replace("FROM `parents`;", "FROM `parents` WHERE id < 2;"),
    );
    const { run, tables } = setup({
      "0000_a": [...CREATE, ...FILL],
      "0001_b": [...partly, "DELETE FROM children"],
    });
    const error = errorOf(run);
    expect(error).toMatchObject({
      code: "MIGRATION_UNSAFE",
      details: { table: "parents", before: 2, after: 1 },
    });
    expect(error.message).toContain("allowFewerRows");
    expect(tables()).toEqual([]);
  });

  it("allows fewer rows where a DELETE says so, and where the caller does", () => {
    const first = setup({ "0000_a": [...CREATE, ...FILL] });
    first.run();
    const { db, count } = first;
    const more = (name: string, statements: string[], config: Partial<MigrateConfig> = {}) =>
      migrate(db, {
        migrationsFolder: folderWith({ "0000_a": [...CREATE, ...FILL], [name]: statements }),
        migrationsTable: name,
        backup: false,
        ...config,
      });
    db.run(sql`create table "b" (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`);
    db.run(sql`insert into "b" (hash, created_at) values ('x', 1000)`);
    more("b", ["DELETE FROM `children` WHERE id = 3"]);
    expect(count("children")).toBe(2);
    db.run(sql`create table "c" (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`);
    db.run(sql`insert into "c" (hash, created_at) values ('x', 1000)`);
    const replace = [
      "CREATE TABLE t (id)",
      "DROP TABLE children",
      "ALTER TABLE t RENAME TO children",
    ];
    expect(errorOf(() => more("c", replace))).toMatchObject({ code: "MIGRATION_UNSAFE" });
    more("c", replace, { allowFewerRows: ["children"] });
    expect(count("children")).toBe(0);
  });

  it("refuses to leave rows without their parent, but not those that were so before", () => {
    const { run } = setup({
      "0000_a": [...CREATE, ...FILL],
      "0001_b": ["DELETE FROM parents WHERE id = 1"],
    });
    expect(errorOf(run)).toMatchObject({
      code: "MIGRATION_UNSAFE",
      details: { table: "children", parent: "parents", rows: 2 },
    });
    const old = setup({ "0001_b": ["UPDATE children SET id = id + 10"] });
    for (const statement of CREATE) old.client.execute(statement);
    old.client.execute("PRAGMA foreign_keys = OFF");
    old.client.execute("INSERT INTO children VALUES (1, 99)");
    expect(old.run().applied).toEqual(["0001_b"]);
    // it was off before, so it stays off
    expect(old.client.rows("PRAGMA foreign_keys")).toEqual([[0]]);
  });

  it("refuses to drop a table of the engine", () => {
    const { run, client } = setup({ "0000_a": ["DROP TABLE _honker_live"] });
    expect(errorOf(run)).toMatchObject({
      code: "MIGRATION_UNSAFE",
      details: { table: "_honker_live" },
    });
    expect(client.rows("SELECT count(*) FROM _honker_live")).toEqual([[0]]);
  });
});

describe("M18: the backup before a destructive step", () => {
  it("is a whole database of before, and none is made for what only adds", () => {
    const { run, client, db } = setup({ "0000_a": [...CREATE, ...FILL] });
    expect(run().backup).toBeUndefined();
    const migrationsFolder = folderWith({
      "0000_a": [...CREATE, ...FILL],
      "0001_b": ["DROP TABLE children"],
    });
    const { backup, applied } = migrate(db, { migrationsFolder });
    expect(applied).toEqual(["0001_b"]);
    expect(backup).toBe(`${client.path}.before-0001_b.bak`);
    const copy = new BetterSqlite3(backup as string, { readonly: true });
    onTestFinished(() => void copy.close());
    expect(copy.prepare("SELECT count(*) FROM children").pluck().get()).toBe(3);
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
  });

  it("goes where it is told, is left out when told, and keeps no partial file", () => {
    const folder = tempFolder();
    const { run, db } = setup({ "0000_a": CREATE });
    run();
    const migrationsFolder = folderWith({ "0000_a": CREATE, "0001_b": ["DROP TABLE children"] });
    const backup = join(folder, "copy.db");
    expect(
      errorOf(() => migrate(db, { migrationsFolder, backup: join(folder, "no", "such.db") })),
    ).toBeDefined();
    writeFileSync(`${backup}.partial`, "left by a process that was killed");
    expect(migrate(db, { migrationsFolder, backup }).backup).toBe(backup);
    expect(readdirSync(folder)).toEqual(["copy.db"]);
    const other = setup({ "0000_a": CREATE, "0001_b": ["DROP TABLE children"] });
    expect(other.run({ backup: false }).backup).toBeUndefined();
    expect(existsSync(`${other.client.path}.before-0001_b.bak`)).toBe(false);
  });
});

describe("M18: a migration killed at any time", () => {
  it.each([
    ["INSERT INTO `__new_parents`", "old"],
    ['INSERT INTO "__drizzle_migrations"', "old"],
    ["PRAGMA foreign_keys = ON", "new"],
  ])(
    "before %s leaves the %s database, and the next run finishes",
    async (statement, state) => {
      const path = join(tempFolder(), "killed.db");
      const client = open(path);
      for (const sqlText of [...CREATE, ...FILL]) client.execute(sqlText);
      client.close();
      const migrationsFolder = folderWith({ "0001_b": REBUILD });
      const child = fork(MIGRATE, [path, migrationsFolder, statement], CHILD);
      expect((await once(child, "exit"))[1]).toBe("SIGKILL");
      const reopened = open(path);
      onTestFinished(() => reopened.close());
      const isNew = () =>
        reopened.rows(
          "SELECT \"notnull\" FROM pragma_table_info('parents') WHERE name = 'name'",
        )[0]?.[0] === 1;
      const counts = () =>
        reopened.rows("SELECT (SELECT count(*) FROM parents), (SELECT count(*) FROM children)")[0];
      expect(isNew() ? "new" : "old").toBe(state);
      expect(counts()).toEqual([2, 3]);
      const { applied } = migrate(drizzle(reopened), { migrationsFolder });
      expect(applied).toEqual(state === "new" ? [] : ["0001_b"]);
      expect(isNew()).toBe(true);
      expect(counts()).toEqual([2, 3]);
      expect(reopened.rows("PRAGMA integrity_check")).toEqual([["ok"]]);
    },
    30_000,
  );

  it("runs once when two processes migrate at the same time", async () => {
    const path = join(tempFolder(), "race.db");
    const migrationsFolder = folderWith({ "0000_a": [...CREATE, ...FILL], "0001_b": REBUILD });
    open(path).close();
    const children = [1, 2].map(() => fork(MIGRATE, [path, migrationsFolder], CHILD));
    const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
    expect(codes).toEqual([0, 0]);
    const client = open(path);
    onTestFinished(() => client.close());
    expect(client.rows("SELECT count(*) FROM __drizzle_migrations")).toEqual([[2]]);
    expect(client.rows("SELECT count(*) FROM children")).toEqual([[3]]);
  }, 30_000);
});

describe("M18: with the real drizzle-kit", () => {
  it("generates a rebuild that keeps the children, on a database in use by the engine", () => {
    const project = new KitProject();
    project.config();
    project.schema("name: text()");
    project.run("generate", "--name=init");
    const client = tempDatabase();
    const db = drizzle(client);
    migrate(db, { migrationsFolder: project.migrations });
    for (const statement of FILL) client.execute(statement);
    client.notify("kept", 1);
    project.schema('name: text().notNull().default("")');
    project.run("generate", "--name=not_null");
    const { applied, backup } = migrate(db, { migrationsFolder: project.migrations });
    expect(applied).toEqual(["0001_not_null"]);
    expect(existsSync(backup as string)).toBe(true);
    expect(client.rows("SELECT count(*) FROM children")).toEqual([[3]]);
    expect(client.rows("SELECT count(*) FROM _honker_notifications")).toEqual([[1]]);
  }, 60_000);

  it("pushes with the documented filters and leaves the engine's tables alone, and drops them without", () => {
    const project = new KitProject();
    const path = join(project.folder, "app.db");
    const client = open(path);
    client.notify("kept", 1);
    client.close();
    const credentials = { dbCredentials: { url: path } };
    project.config({ ...credentials, tablesFilter: ["!_honker_*", "!_alk_*"] });
    project.schema("name: text()");
    project.run("push", "--force");
    project.schema("name: text(), added: integer()");
    project.run("push", "--force");
    const engineTables = () => {
      const file = new BetterSqlite3(path, { readonly: true });
      try {
        return file
          .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name GLOB '_honker_*' OR name GLOB '_alk_*')",
          )
          .all().length;
      } finally {
        file.close();
      }
    };
    const before = engineTables();
    expect(before).toBeGreaterThan(5);
    const reopened = open(path);
    expect(reopened.rows("SELECT count(*) FROM _honker_notifications")).toEqual([[1]]);
    expect(reopened.rows("SELECT count(*) FROM pragma_table_info('parents')")).toEqual([[3]]);
    reopened.close();
    project.config(credentials);
    project.run("push", "--force");
    expect(engineTables()).toBe(0);
  }, 60_000);
});

describe("M34: parts of migrate() for many databases", () => {
  const TWO = { "0000_a": CREATE, "0001_b": FILL };

  it("tells what a folder has and what a database has", () => {
    const { db, run, migrationsFolder } = setup(TWO);
    const entries = listMigrations(migrationsFolder);
    expect(entries.map(({ tag }) => tag)).toEqual(["0000_a", "0001_b"]);
    expect(newestMigration(db)).toBe(0);
    run();
    expect(newestMigration(db)).toBe(entries[1]?.when);
    expect(newestMigration(db, "another_table")).toBe(0);
  });

  it("stops at a migration, and goes on from there", () => {
    const { run, count, migrationsFolder } = setup(TWO);
    const until = listMigrations(migrationsFolder)[0]?.when as number;
    expect(run({ until }).applied).toEqual(["0000_a"]);
    expect(run({ until }).applied).toEqual([]);
    expect(count("parents")).toBe(0);
    expect(run().applied).toEqual(["0001_b"]);
    expect(count("parents")).toBe(2);
  });

  it("keeps what comes before with the migrations, or neither", () => {
    const broken = setup({ "0000_a": CREATE, "0001_b": ["CREATE TABLE parents (id)"] });
    const before = (db: typeof broken.client) => () => {
      db.execute("CREATE TABLE own (id integer)");
    };
    expect(errorOf(() => broken.run({ before: before(broken.client) })).code).toBe(
      "MIGRATION_FAILED",
    );
    expect(broken.tables()).toEqual([]);
    const whole = setup(TWO);
    whole.run({ before: before(whole.client) });
    expect(whole.tables()).toContain("own");
  });
});
