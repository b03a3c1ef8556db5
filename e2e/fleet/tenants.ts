import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  accounts,
  createSystemDatabase,
  createTenantManager,
  organizations,
  type SystemDatabase,
  type TenantManager,
} from "@alkdev/storage/sqlite";

/** Rows of each table of a tenant. */
const ROWS = 50;

const FIRST = [
  "CREATE TABLE `tasks` (`id` integer PRIMARY KEY NOT NULL, `title` text);",
  "CREATE TABLE `notes` (`id` integer PRIMARY KEY NOT NULL, `task_id` integer NOT NULL REFERENCES `tasks`(`id`) ON DELETE CASCADE);",
];
/** What drizzle-kit makes of a column that becomes NOT NULL: the parent of `notes` is rebuilt. */
const REBUILD = [
  "PRAGMA foreign_keys=OFF;",
  "CREATE TABLE `__new_tasks` (`id` integer PRIMARY KEY NOT NULL, `title` text DEFAULT '' NOT NULL);",
  'INSERT INTO `__new_tasks`("id", "title") SELECT "id", coalesce("title", \'\') FROM `tasks`;',
  "DROP TABLE `tasks`;",
  "ALTER TABLE `__new_tasks` RENAME TO `tasks`;",
  "PRAGMA foreign_keys=ON;",
];
/** Cannot be done where two tasks have one title that is not empty. */
const UNIQUE = ["CREATE UNIQUE INDEX tasks_title ON tasks (title) WHERE title <> '';"];

const MIGRATIONS = { "0000_tasks": FIRST, "0001_rebuild": REBUILD, "0002_unique": UNIQUE };

/** `before` makes tenants with the first migration; `after` knows all three, and serves older files. */
export type Program = "before" | "after";

/** Writes the migration folders of both programs. */
export function writeFolders(root: string): void {
  for (const [program, count] of [
    ["before", 1],
    ["after", 3],
  ] as const) {
    const folder = folderOf(root, program);
    mkdirSync(join(folder, "meta"), { recursive: true });
    const entries = Object.entries(MIGRATIONS)
      .slice(0, count)
      .map(([tag, statements], idx) => {
        writeFileSync(join(folder, `${tag}.sql`), statements.join("--> statement-breakpoint"));
        return { idx, version: "6", when: (idx + 1) * 1_000, tag, breakpoints: true };
      });
    const journal = { version: "7", dialect: "sqlite", entries };
    writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  }
}

/** Opens the tenants below `root`, as a program does. */
export function openTenants(
  root: string,
  program: Program,
): { readonly system: SystemDatabase; readonly tenants: TenantManager } {
  const system = createSystemDatabase(open(join(root, "system.db")));
  const tenants = createTenantManager({
    folder: join(root, "tenants"),
    system,
    maxOpen: 20,
    olderFiles: "serve",
    ownTables: { migrationsFolder: folderOf(root, program) },
  });
  return { system, tenants };
}

/** Makes tenants with rows; every hundredth has two tasks of one title. */
export function createTenants(root: string, count: number): string[] {
  const { system, tenants } = openTenants(root, "before");
  const ids = Array.from({ length: count }, (_, i) => `org-${String(i).padStart(5, "0")}`);
  const owner = { id: "owner", email: "o@example.org", displayName: "O" };
  system
    .insert(accounts)
    .values({ ...owner, accessLevel: "user" })
    .run();
  system.transaction((tx) => {
    for (const id of ids) {
      tx.insert(organizations).values({ id, name: id, slug: id, ownerId: "owner" }).run();
    }
  });
  for (const [n, id] of ids.entries()) {
    tenants.create(id);
    tenants.withTenant(id, ({ $client: db }) =>
      db.transaction((tx) => {
        for (let i = 1; i <= ROWS; i++) {
          const title = i % 2 === 0 ? null : `${id} ${isFailing(n) ? 1 : i}`;
          tx.execute("INSERT INTO tasks VALUES (?, ?)", [i, title]);
          tx.execute("INSERT INTO notes VALUES (?, ?)", [i, i]);
        }
      }),
    );
  }
  tenants.close();
  system.$client.close();
  return ids;
}

/** Whether the n-th tenant cannot be migrated. */
export function isFailing(n: number): boolean {
  return n % 100 === 99;
}

/**
 * At which version a tenant is: "old", "new", or what is wrong with it.
 */
export function stateOf(tenants: TenantManager, id: string): string {
  const { app } = tenants.versionOf(id);
  if (tenants.driftOf(id) !== null) return "its schema is not the one of its version";
  const untitled = app === 1_000 ? "title IS NULL" : "title = ''";
  const rows = tenants.withTenant(id, ({ $client: db }) => [
    ...(db.rows(`SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM notes),
      (SELECT count(*) FROM tasks WHERE ${untitled}), (SELECT count(*) FROM pragma_foreign_key_check)`)[0] ??
      []),
    db.rows("PRAGMA integrity_check")[0]?.[0],
  ]);
  if (rows.join() !== [ROWS, ROWS, ROWS / 2, 0, "ok"].join()) return `rows: ${rows.join()}`;
  if (app === 1_000) return "old";
  return app === 3_000 ? "new" : `between: ${app}`;
}

function folderOf(root: string, program: Program): string {
  return join(root, `migrations-${program}`);
}
