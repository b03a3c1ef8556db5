import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTenantDatabase, type TenantManagerOptions } from "@alkdev/storage/sqlite";
import { tempDatabase, tempFolder } from "@alkdev/testkit";

/** Options of a program that knows a step more than the one before, with these statements. */
export function nextVersion(
  statements: readonly string[],
  deferrable = true,
): Pick<TenantManagerOptions, "laterSteps"> {
  const version = newestSchema() + 1;
  const step = { version, name: "later", statements };
  return { laterSteps: [deferrable ? { ...step, deferrable } : step] };
}

/** Version of this package's tables, as a file that it made says. */
export function newestSchema(): number {
  const client = tempDatabase();
  createTenantDatabase(client);
  return Number(client.rows("SELECT max(version) FROM _alk_storage_migrations")[0]?.[0]);
}

/** Writes a folder as drizzle-kit does; the n-th migration is dated n + 1 seconds after 1970. */
export function migrationsFolder(migrations: Readonly<Record<string, readonly string[]>>): string {
  const folder = tempFolder();
  mkdirSync(join(folder, "meta"));
  const entries = Object.entries(migrations).map(([tag, statements], idx) => {
    writeFileSync(join(folder, `${tag}.sql`), statements.join("--> statement-breakpoint"));
    return { idx, version: "6", when: (idx + 1) * 1_000, tag, breakpoints: true };
  });
  const journal = { version: "7", dialect: "sqlite", entries };
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  return folder;
}

/** Two versions of an application's own table, of which the second rebuilds it. */
export const TASKS: Readonly<Record<string, readonly string[]>> = {
  "0000_tasks": ["CREATE TABLE `tasks` (`id` integer PRIMARY KEY NOT NULL, `title` text);"],
  "0001_title_is_needed": [
    "PRAGMA foreign_keys=OFF;",
    "CREATE TABLE `__new_tasks` (`id` integer PRIMARY KEY NOT NULL, `title` text DEFAULT '' NOT NULL);",
    'INSERT INTO `__new_tasks`("id", "title") SELECT "id", coalesce("title", \'\') FROM `tasks`;',
    "DROP TABLE `tasks`;",
    "ALTER TABLE `__new_tasks` RENAME TO `tasks`;",
    "PRAGMA foreign_keys=ON;",
  ],
};

/** The first n migrations of {@link TASKS}. */
export function firstTasks(count: number): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(TASKS).slice(0, count));
}
