import type { Clock, OpenOptions } from "@alkdev/honker";
import { StorageError } from "../../errors.ts";
import type { StorageDatabaseOptions, SystemDatabase } from "../client.ts";
import { requireWhole } from "./checks.ts";
import { localTenantStore } from "./local-tenant-store.ts";
import { TenantBuilder } from "./tenant-builder.ts";
import type { TenantContext } from "./tenant-context.ts";
import { closedInOnePiece } from "./tenant-file.ts";
import { TenantHandles } from "./tenant-handles.ts";
import { TenantManager } from "./tenant-manager.ts";
import { type OlderFiles, type OwnTablesOptions, TenantSchema } from "./tenant-schema.ts";
import type { TenantStore } from "./tenant-store.ts";
import { TenantTable } from "./tenant-table.ts";

/** Options of {@link createTenantManager}. */
export interface TenantManagerOptions extends StorageDatabaseOptions {
  /** Where the tenant files are kept; made if it is not there. Not the folder of anything else. */
  readonly folder: string;
  /** `system.db`, which knows the organisations and their tenants. You keep it: close it after the manager. */
  readonly system: SystemDatabase;
  /**
   * Files open at once, default 200: those in use, and the idle ones used last. When more are in use
   * they are all open, and each is closed when it is given back.
   */
  readonly maxOpen?: number;
  /** How tenant files are opened. Default: as the engine does, with a page cache of 2 MiB each. */
  readonly openOptions?: OpenOptions;
  /** The application's own tables, which are in every tenant's file. Default none. */
  readonly ownTables?: OwnTablesOptions;
  /**
   * Default `"migrate"`: a file of an older version is migrated when it is opened. `"serve"`: it is used
   * as it is until `runFleetMigration()` comes to it, and refused (`SCHEMA_OUTDATED`) where this version
   * cannot work with it.
   */
  readonly olderFiles?: OlderFiles;
  /** Seconds from `delete()` until `purgeDue()` may remove the tenant, default 7 days. */
  readonly graceSeconds?: number;
  /** Time source, default the machine's clock. For tests. */
  readonly clock?: Clock;
  /** What fails in the background: a recovery, a purge. Default: reported as a process warning. */
  readonly onError?: (error: unknown, context: string) => void;
  /** Where the files live, default {@link localTenantStore} of `folder`. */
  readonly store?: TenantStore;
}

const DEFAULT_MAX_OPEN = 200;
const DEFAULT_GRACE_SECONDS = 7 * 86_400;
const CACHE_KIB = 2_048;

/**
 * The tenants of a folder. Finishes or undoes at once what a killed process had begun. Several processes
 * may have a manager over the same folder and `system.db`.
 *
 * @throws {@link StorageError} `INVALID_ARGUMENT`
 * @example
 * ```ts
 * const system = createSystemDatabase(open("./data/system.db"));
 * using tenants = createTenantManager({ folder: "./data/tenants", system });
 * tenants.create(orgId);
 * tenants.withTenant(orgId, (db) => db.insert(graphs).values({ name: "plans" }).run());
 * ```
 */
export function createTenantManager(options: TenantManagerOptions): TenantManager {
  const { maxOpen = DEFAULT_MAX_OPEN, graceSeconds = DEFAULT_GRACE_SECONDS } = options;
  requireWhole(maxOpen, "maxOpen", 1);
  requireWhole(graceSeconds, "graceSeconds", 0);
  requireOlderFiles(options.olderFiles);
  const store = options.store ?? localTenantStore(options.folder);
  const clock = options.clock ?? { now: () => Date.now() };
  const nowSeconds = (): number => Math.floor(clock.now() / 1_000);
  const openOptions: OpenOptions = { cacheSizeKiB: CACHE_KIB, ...options.openOptions };
  const { ownTables, olderFiles = "migrate" } = options;
  const schema = new TenantSchema({ database: options, ownTables, olderFiles });
  const system = options.system.$client;
  const table = new TenantTable(system, nowSeconds);
  const onVersion = table.noteVersion.bind(table);
  const context: TenantContext = {
    system,
    store,
    table,
    handles: new TenantHandles({ system, store, openOptions, schema, maxOpen, onVersion }),
    builder: new TenantBuilder({ openOptions, schema }),
    schema,
    openOptions,
    isUnused: (path) => closedInOnePiece(path, openOptions),
    nowSeconds,
    onError: options.onError ?? warn,
  };
  store.prepare();
  const manager = new TenantManager(context, graceSeconds);
  manager.recover();
  return manager;
}

function requireOlderFiles(olderFiles: unknown): void {
  if (olderFiles === undefined || olderFiles === "migrate" || olderFiles === "serve") return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `olderFiles must be "migrate" or "serve", got ${String(olderFiles)}`,
  );
}

function warn(error: unknown, context: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${context}: ${reason}`, { type: "StorageWarning" });
}
