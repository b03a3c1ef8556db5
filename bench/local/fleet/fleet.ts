import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantManager,
  type SystemDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";

const FIRST = [
  "CREATE TABLE tasks (id integer PRIMARY KEY NOT NULL, title text)",
  "CREATE TABLE notes (id integer PRIMARY KEY NOT NULL, task_id integer NOT NULL REFERENCES tasks (id) ON DELETE CASCADE)",
];
/** Rebuilds a table, as drizzle-kit does for most changes of a column. */
const SECOND = [
  "PRAGMA foreign_keys=OFF",
  "CREATE TABLE __new_tasks (id integer PRIMARY KEY NOT NULL, title text DEFAULT '' NOT NULL)",
  "INSERT INTO __new_tasks SELECT id, coalesce(title, '') FROM tasks",
  "DROP TABLE tasks",
  "ALTER TABLE __new_tasks RENAME TO tasks",
  "PRAGMA foreign_keys=ON",
];

/** Writes the migration folders of the program before and the one after. */
export function writeFolders(root: string): void {
  for (const [program, migrations] of [
    ["before", [FIRST]],
    ["after", [FIRST, SECOND]],
  ] as const) {
    const folder = join(root, program);
    mkdirSync(join(folder, "meta"), { recursive: true });
    const entries = migrations.map((statements, idx) => {
      writeFileSync(join(folder, `000${idx}.sql`), statements.join("--> statement-breakpoint"));
      return { idx, version: "6", when: idx + 1, tag: `000${idx}`, breakpoints: true };
    });
    const journal = { version: "7", dialect: "sqlite", entries };
    writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  }
}

/** Opens the tenants as one of the two programs does. */
export function openFleet(
  root: string,
  program: "before" | "after",
): { readonly system: SystemDatabase; readonly tenants: TenantManager } {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const tenants = createTenantManager({
    folder: join(root, "tenants"),
    system,
    maxOpen: 50,
    olderFiles: "serve",
    ownTables: { migrationsFolder: join(root, program) },
  });
  return { system, tenants };
}
