import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Database, open } from "@alkdev/honker";
import { runFleetMigration } from "@alkdev/storage/sqlite";
import { tempFolder } from "@alkdev/testkit";
import { drizzle } from "drizzle-honker";
import { migrate } from "drizzle-honker/migrator";
import { expect, test } from "vitest";
import { tenantsSetup } from "./tenants-setup.ts";

const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const KIT = join(dirname(createRequire(import.meta.url).resolve("drizzle-kit")), "bin.cjs");
const OWN =
  "SELECT name, sql FROM sqlite_schema WHERE tbl_name IN ('tasks', 'notes') ORDER BY name";

/** A project whose migrations the real drizzle-kit generates. */
function project() {
  const folder = tempFolder();
  symlinkSync(MODULES, join(folder, "node_modules"));
  const config = { dialect: "sqlite", schema: "./schema.ts", out: "./drizzle" };
  writeFileSync(join(folder, "drizzle.config.ts"), `export default ${JSON.stringify(config)};\n`);
  const generate = (title: string): void => {
    writeFileSync(
      join(folder, "schema.ts"),
      `import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
export const tasks = sqliteTable("tasks", { id: integer().primaryKey(), title: ${title} });
export const notes = sqliteTable("notes", {
  id: integer().primaryKey(),
  taskId: integer("task_id").notNull().references(() => tasks.id, { onDelete: "cascade" }),
});\n`,
    );
    execFileSync(process.execPath, [KIT, "generate"], { cwd: folder, stdio: "pipe" });
  };
  return { generate, migrationsFolder: join(folder, "drizzle") };
}

test("one folder of drizzle-kit is applied to a file in development and to all tenants (M34)", async () => {
  const ids = ["acme", "globex", "initech"];
  const { system, manager } = tenantsSetup(ids);
  const { generate, migrationsFolder } = project();
  const ownTables = { migrationsFolder };
  const fill = (client: Database): void => {
    client.execute("INSERT INTO tasks VALUES (1, 'one'), (2, NULL)");
    client.execute("INSERT INTO notes VALUES (1, 1), (2, 2)");
  };

  generate("text()");
  using development = open(join(tempFolder(), "development.db"));
  migrate(drizzle(development), { migrationsFolder });
  fill(development);
  const first = manager({ ownTables });
  for (const id of ids) {
    first.create(id);
    first.withTenant(id, ({ $client }) => fill($client));
  }
  first.close();

  // drizzle-kit rebuilds the table for it, the parent of another one
  generate("text().notNull().default('')");
  development.execute("UPDATE tasks SET title = '' WHERE title IS NULL");
  migrate(drizzle(development), { migrationsFolder });
  const tenants = manager({ ownTables, olderFiles: "serve" });
  for (const id of ids) {
    tenants.withTenant(id, ({ $client }) => {
      $client.execute("UPDATE tasks SET title = '' WHERE title IS NULL");
    });
  }
  const { run, counts } = await runFleetMigration({ tenants, system, backup: false });
  expect({ state: run.state, done: counts.done }).toEqual({ state: "done", done: ids.length });
  for (const id of ids) {
    expect(tenants.driftOf(id)).toBeNull();
    tenants.withTenant(id, ({ $client }) => {
      expect($client.rows(OWN)).toEqual(development.rows(OWN));
      for (const table of ["tasks", "notes"]) {
        const all = `SELECT * FROM ${table}`;
        expect($client.rows(all)).toEqual(development.rows(all));
      }
    });
  }
  expect(development.rows("SELECT sql FROM sqlite_schema WHERE name = 'tasks'")[0]?.[0]).toMatch(
    /NOT NULL/,
  );
});
