import type { HonkerClient } from "./client.ts";
import { DrizzleHonkerError } from "./errors.ts";
import { backupBefore } from "./migrations/migration-backup.ts";
import { type Migration, readMigrations } from "./migrations/migration-folder.ts";
import { MigrationHistory } from "./migrations/migration-history.ts";
import {
  isDestructive,
  refuseControl,
  requireSafe,
  takeSnapshot,
} from "./migrations/migration-safety.ts";

/** Options of {@link migrate}. */
export interface MigrateConfig {
  /** Folder that `drizzle-kit generate` writes: its `out` in `drizzle.config.ts`. */
  readonly migrationsFolder: string;
  /** Default `"__drizzle_migrations"`, as in drizzle-orm. Change it to keep two sets of tables in one file. */
  readonly migrationsTable?: string;
  /**
   * Default `true`: before a migration that drops, rebuilds, updates or deletes, the database is copied
   * to `<file>.before-<migration>.bak`. A path puts the copy there; `false` makes none, for databases
   * that are backed up otherwise.
   */
  readonly backup?: boolean | string;
  /** Tables that may have fewer rows afterwards without a `DELETE FROM` them. Default none. */
  readonly allowFewerRows?: readonly string[];
  /** Applies none that is newer than this time, in milliseconds since 1970. Default all. */
  readonly until?: number;
  /**
   * Called first in the transaction, for steps that must be committed with the migrations or not at all.
   * Default none.
   */
  readonly before?: () => void;
}

/** A migration of a folder. */
export interface MigrationEntry {
  /** Name of its file, without `.sql`. */
  readonly tag: string;
  /** When it was generated, in milliseconds since 1970. */
  readonly when: number;
}

/** What {@link migrate} did. */
export interface MigrateResult {
  /** Names of the migrations that were applied, in order; empty when there was nothing to do. */
  readonly applied: readonly string[];
  /** Where the database was copied to before, if it was. */
  readonly backup: string | undefined;
}

const DEFAULT_TABLE = "__drizzle_migrations";

/**
 * Applies the migrations of a drizzle-kit folder that are not applied yet, all in one transaction: a
 * process that is killed leaves the old database or the new one.
 *
 * Foreign keys are switched off around the transaction, where the `PRAGMA` that drizzle-kit puts into
 * its files has no effect: with them on, rebuilding a parent would delete its children. Around each migration
 * that could lose data the rows of every table are counted and foreign keys are checked.
 *
 * @throws {@link DrizzleHonkerError} `MIGRATION_FOLDER`, `MIGRATION_FAILED`, `MIGRATION_UNSAFE` with nothing
 * changed, `TRANSACTION_STATE` inside a transaction
 * @example
 * ```ts
 * const db = drizzle("./data/app.db", { schema });
 * migrate(db, { migrationsFolder: "./drizzle" });
 * ```
 */
export function migrate(
  db: { readonly $client: HonkerClient },
  config: MigrateConfig,
): MigrateResult {
  const { $client: client } = db;
  if (client.inTransaction) {
    throw new DrizzleHonkerError("TRANSACTION_STATE", "cannot migrate inside a transaction", {
      hint: "Migrate before the database is used",
    });
  }
  const { until = Number.POSITIVE_INFINITY } = config;
  const migrations = readMigrations(config.migrationsFolder).filter(({ when }) => when <= until);
  const history = new MigrationHistory(client, config.migrationsTable ?? DEFAULT_TABLE);
  const pending = history.pending(migrations);
  for (const migration of pending) refuseControl(migration);
  const risky = pending.find(isDestructive);
  const { backup: wanted = true } = config;
  const backup =
    risky === undefined || wanted === false
      ? undefined
      : backupBefore(client, risky, wanted === true ? undefined : wanted);
  const applied = withoutForeignKeys(client, () =>
    client.transaction(() => applyPending(client, history, { migrations, config })),
  );
  return { applied, backup };
}

/**
 * The migrations of a folder, oldest first.
 *
 * @throws {@link DrizzleHonkerError} `MIGRATION_FOLDER`
 */
export function listMigrations(migrationsFolder: string): MigrationEntry[] {
  return readMigrations(migrationsFolder).map(({ tag, when }) => ({ tag, when }));
}

/** Time of the newest migration that was applied to a database, as `when` of its entry; 0: none was. */
export function newestMigration(
  db: { readonly $client: HonkerClient },
  migrationsTable: string = DEFAULT_TABLE,
): number {
  return new MigrationHistory(db.$client, migrationsTable).newest() ?? 0;
}

interface Work {
  readonly migrations: readonly Migration[];
  readonly config: MigrateConfig;
}

function applyPending(client: HonkerClient, history: MigrationHistory, work: Work): string[] {
  work.config.before?.();
  history.create();
  // asked again under the write lock: another process may have migrated meanwhile
  const pending = history.pending(work.migrations);
  for (const migration of pending) {
    const before = isDestructive(migration) ? takeSnapshot(client) : undefined;
    for (const statement of migration.statements) run(client, migration, statement);
    if (before !== undefined) {
      const { allowFewerRows = [] } = work.config;
      requireSafe(before, takeSnapshot(client), { migration, allowFewerRows });
    }
    history.record(migration);
  }
  return pending.map(({ tag }) => tag);
}

function run(client: HonkerClient, { tag }: Migration, statement: string): void {
  try {
    client.prepare(statement).run();
  } catch (error) {
    const several = error instanceof Error && /more than one statement/.test(error.message);
    throw new DrizzleHonkerError(
      "MIGRATION_FAILED",
      `migration "${tag}" failed, and nothing was changed: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
        details: { tag, statement },
        ...(several ? { hint: "Put --> statement-breakpoint between its statements" } : {}),
      },
    );
  }
}

/** The setting belongs to the connection and cannot be changed inside a transaction. */
function withoutForeignKeys<T>(client: HonkerClient, work: () => T): T {
  const enabled = client.prepare("PRAGMA foreign_keys").row()?.[0] === 1;
  client.prepare("PRAGMA foreign_keys = OFF").run();
  try {
    return work();
  } finally {
    if (enabled && client.open) client.prepare("PRAGMA foreign_keys = ON").run();
  }
}
