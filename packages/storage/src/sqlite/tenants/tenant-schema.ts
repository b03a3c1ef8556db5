import { type Database, HonkerError } from "@alkdev/honker";
import {
  listMigrations,
  type MigrationEntry,
  migrate,
  newestMigration,
} from "drizzle-honker/migrator";
import { StorageError } from "../../errors.ts";
import {
  type StorageDatabaseOptions,
  type TenantDatabase,
  tenantDatabaseOf,
  tenantMigrations,
} from "../client.ts";
import { appliedVersion, ensureSchema, requireKnown } from "../migrations/ensure-schema.ts";
import type { Migration } from "../migrations/migration.ts";
import type { NotedVersion, TenantVersion } from "./tenant-version.ts";

/** The application's own tables in tenants' files. */
export interface OwnTablesOptions {
  /** Folder that `drizzle-kit generate` writes: its `out` in `drizzle.config.ts`. */
  readonly migrationsFolder: string;
  /** Table in which they are recorded, default `"__drizzle_migrations"`. */
  readonly migrationsTable?: string;
  /** Tag of the oldest migration that a served file must have. Default none: every file is served. */
  readonly servesFrom?: string;
}

/** What becomes of a file of an older version when it is opened. */
export type OlderFiles = "migrate" | "serve";

/** What {@link TenantSchema} is made of. */
export interface TenantSchemaOptions {
  readonly database: StorageDatabaseOptions;
  readonly ownTables: OwnTablesOptions | undefined;
  readonly olderFiles: OlderFiles;
}

/** The schema of tenants' files: this package's tables and the application's own, as one thing. */
export class TenantSchema {
  /** The newest version that this program knows. */
  readonly newest: TenantVersion;
  readonly #database: StorageDatabaseOptions;
  readonly #steps: readonly Migration[];
  readonly #ownTables: OwnTablesOptions | undefined;
  readonly #ownSteps: readonly MigrationEntry[];
  readonly #olderFiles: OlderFiles;
  readonly #oldestServed: TenantVersion;

  /** @throws {@link StorageError} `INVALID_ARGUMENT` */
  constructor({ database, ownTables, olderFiles }: TenantSchemaOptions) {
    this.#database = database;
    this.#ownTables = ownTables;
    this.#olderFiles = olderFiles;
    this.#steps = tenantMigrations(database);
    this.#ownSteps = ownTables === undefined ? [] : readFolder(ownTables);
    this.newest = {
      schema: this.#steps.at(-1)?.version ?? 0,
      app: this.#ownSteps.at(-1)?.when ?? 0,
    };
    this.#oldestServed = {
      schema: this.#steps.findLast(({ deferrable }) => deferrable !== true)?.version ?? 0,
      app: servedFrom(ownTables, this.#ownSteps),
    };
  }

  /**
   * The database of a file. One of an older version is migrated first, or served as it is.
   *
   * @throws {@link StorageError} `UNKNOWN_SCHEMA`, `SCHEMA_OUTDATED`, `MIGRATION_FAILED`
   */
  open(client: Database): TenantDatabase {
    if (this.#olderFiles === "migrate") this.bring(client);
    else this.#requireServed(client);
    return tenantDatabaseOf(client, this.#database);
  }

  /** The database of a new file, or of a copy: at the newest version. @throws as `open` */
  create(client: Database): TenantDatabase {
    this.bring(client);
    return tenantDatabaseOf(client, this.#database);
  }

  /** @throws {@link StorageError} `WRONG_DATABASE_KIND` */
  read(client: Database): TenantVersion {
    return { schema: appliedVersion(client, "tenant"), app: this.#readApp(client) };
  }

  /**
   * Brings a file to `version`, default the newest, in one transaction: killed at any moment, it is at
   * the old version or at the new one.
   *
   * @throws {@link StorageError} `UNKNOWN_SCHEMA`, `MIGRATION_FAILED`
   */
  bring(client: Database, version: TenantVersion = this.newest): void {
    const own = (): void => {
      const steps = this.#steps.filter((step) => step.version <= version.schema);
      ensureSchema(client, "tenant", steps);
    };
    const found = this.requireKnown(client);
    if (found.app >= version.app) {
      if (found.schema < version.schema) own();
      return;
    }
    const { migrationsFolder } = this.#ownTables as OwnTablesOptions;
    const config = { migrationsFolder, migrationsTable: this.#table, backup: false } as const;
    try {
      migrate({ $client: client }, { ...config, until: version.app, before: own });
    } catch (error) {
      if (error instanceof StorageError || error instanceof HonkerError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StorageError("MIGRATION_FAILED", `cannot migrate "${client.path}": ${reason}`, {
        cause: error,
        details: { path: client.path, version },
      });
    }
  }

  /**
   * The version of a file, if this program knows it.
   *
   * @throws {@link StorageError} `UNKNOWN_SCHEMA` for a newer one
   */
  requireKnown(client: Database): TenantVersion {
    const schema = requireKnown(client, "tenant", this.newest.schema);
    const version = { schema, app: this.#readApp(client) };
    if (version.app <= this.newest.app) return version;
    throw new StorageError(
      "UNKNOWN_SCHEMA",
      `the tables of "${client.path}" are of ${nameOfTime(version.app)}, the newest migration in "${this.#ownTables?.migrationsFolder}" is of ${nameOfTime(this.newest.app)}`,
      {
        hint: "Upgrade this program; a newer one has already migrated this file",
        details: { path: client.path, found: version, newest: this.newest },
      },
    );
  }

  /** What `version`, as this program has read it, says that can be noted for others. */
  noted({ schema, app }: TenantVersion): NotedVersion {
    return { schema, app: this.#ownTables === undefined ? null : app };
  }

  /** How a version relates to the newest; the application's tables count where this program has them. */
  compare({ schema, app }: TenantVersion): "older" | "same" | "newer" {
    const own = this.#ownTables === undefined ? this.newest.app : app;
    if (schema > this.newest.schema || own > this.newest.app) return "newer";
    return schema === this.newest.schema && own === this.newest.app ? "same" : "older";
  }

  /** How people name a version: `"4"`, or `"4 + 0002_add_tasks"`. */
  nameOf({ schema, app }: TenantVersion): string {
    if (app === 0) return String(schema);
    const tag = this.#ownSteps.find(({ when }) => when === app)?.tag;
    return `${schema} + ${tag ?? nameOfTime(app)}`;
  }

  #requireServed(client: Database): void {
    const version = this.requireKnown(client);
    if (this.compare(version) === "same") return;
    const { schema, app } = this.#oldestServed;
    if (version.schema >= schema && version.app >= app) return;
    throw new StorageError(
      "SCHEMA_OUTDATED",
      `"${client.path}" is at version ${this.nameOf(version)}, this program serves files from ${this.nameOf(this.#oldestServed)} on`,
      {
        hint: "Migrate it: alkdev tenants migrate, or runFleetMigration()",
        details: { path: client.path, found: version, oldest: this.#oldestServed },
      },
    );
  }

  #readApp(client: Database): number {
    return this.#ownTables === undefined ? 0 : newestMigration({ $client: client }, this.#table);
  }

  get #table(): string {
    return this.#ownTables?.migrationsTable ?? "__drizzle_migrations";
  }
}

function readFolder({ migrationsFolder }: OwnTablesOptions): readonly MigrationEntry[] {
  try {
    return listMigrations(migrationsFolder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError("INVALID_ARGUMENT", reason, { cause: error });
  }
}

function servedFrom(
  ownTables: OwnTablesOptions | undefined,
  steps: readonly MigrationEntry[],
): number {
  const tag = ownTables?.servesFrom;
  if (tag === undefined) return 0;
  const step = steps.find((one) => one.tag === tag);
  if (step !== undefined) return step.when;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `servesFrom names "${tag}", which is not in "${ownTables?.migrationsFolder}"`,
    { hint: `It has ${steps.map((one) => one.tag).join(", ") || "no migrations"}` },
  );
}

function nameOfTime(ms: number): string {
  return ms === 0 ? "nothing" : new Date(ms).toISOString();
}
