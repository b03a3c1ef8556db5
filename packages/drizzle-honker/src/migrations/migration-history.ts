import type { HonkerClient } from "../client.ts";
import { DrizzleHonkerError } from "../errors.ts";
import { quoted } from "../sql-writer.ts";
import type { Migration } from "./migration-folder.ts";

const EXISTS = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";

/** The table in which Drizzle's migrators record what was applied; theirs and this one agree on it. */
export class MigrationHistory {
  readonly table: string;
  readonly #client: HonkerClient;

  constructor(client: HonkerClient, table: string) {
    this.#client = client;
    this.table = table;
  }

  create(): void {
    const table = quoted(this.table);
    // the columns are those of drizzle-orm, whose SERIAL is not an INTEGER key in SQLite
    this.#client
      .prepare(
        `CREATE TABLE IF NOT EXISTS ${table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)`,
      )
      .run();
  }

  record({ hash, when }: Migration): void {
    this.#client
      .prepare(`INSERT INTO ${quoted(this.table)} ("hash", "created_at") VALUES (?, ?)`)
      .run([hash, when]);
  }

  /** Time of the newest applied one. */
  newest(): number | undefined {
    return this.#appliedTimes().at(-1);
  }

  /**
   * Those of `migrations` that are newer than the newest applied one.
   *
   * @throws `MIGRATION_FOLDER` for one that was left out: older than an applied one and newer than another
   */
  pending(migrations: readonly Migration[]): Migration[] {
    const applied = this.#appliedTimes();
    const newest = applied.at(-1);
    const oldest = applied[0];
    if (newest === undefined || oldest === undefined) return [...migrations];
    const skipped = migrations.find(
      ({ when }) => when > oldest && when < newest && !applied.includes(when),
    );
    if (skipped !== undefined) throw skippedError(skipped, this.#client.path);
    return migrations.filter(({ when }) => when > newest);
  }

  #appliedTimes(): number[] {
    if (this.#client.prepare(EXISTS).row([this.table])?.[0] === 0) return [];
    return this.#client
      .prepare(`SELECT created_at FROM ${quoted(this.table)} ORDER BY created_at`)
      .rows()
      .map(([when]) => Number(when));
  }
}

function skippedError({ tag }: Migration, path: string): DrizzleHonkerError {
  return new DrizzleHonkerError(
    "MIGRATION_FOLDER",
    `migration "${tag}" was never applied to "${path}", although a newer one was`,
    {
      hint: "Branches were merged out of order: drop that migration and generate it again, so that it is the newest",
      details: { tag },
    },
  );
}
