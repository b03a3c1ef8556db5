import type { Database, Lock } from "@alkdev/honker";
import { StorageError } from "../../../errors.ts";
import { requirePath } from "../checks.ts";
import { settle } from "../settle.ts";
import type { TenantContext } from "../tenant-context.ts";
import { fileError, openTenantFile, requireOwner, unusableFile } from "../tenant-file.ts";
import { whileLockedAsync } from "../tenant-lock.ts";
import { requireState, TENANT_ACCESS } from "../tenant-states.ts";
import type { TenantVersion } from "../tenant-version.ts";
import { requireOutside } from "./export-tenant.ts";

/** Options of `migrate()`. */
export interface TenantMigrateOptions {
  /**
   * Where to copy the tenant to before; its folder must be there, a file of that name is replaced.
   * Default none. The copy is of the moment before: commits of others up to the migration are not in it.
   */
  readonly backup?: string;
  /** Ends it before the migration begins. */
  readonly signal?: AbortSignal;
}

/** What `migrate()` did. */
export interface TenantMigration {
  readonly orgId: string;
  readonly from: TenantVersion;
  /** Equal to `from` where there was nothing to do. */
  readonly to: TenantVersion;
  /** Absolute path of the copy; `null` when none was made. */
  readonly backup: string | null;
}

/** A migrated tenant is on disk before it is noted: a power cut may not take back what was promised. */
const FLUSH_COMMITS = "PRAGMA synchronous = FULL";

/** Brings a tenant's file to the newest version, while it may be in use. */
export function migrateTenant(
  context: TenantContext,
  orgId: string,
  options: TenantMigrateOptions,
): Promise<TenantMigration> {
  const { backup, signal } = options;
  if (backup !== undefined) {
    requirePath(backup, "the backup of a migration");
    requireOutside(context, orgId, backup);
  }
  return whileLockedAsync(context.system, orgId, {
    signal,
    work: async (lock, either) => {
      const client = openSettled(context, lock, orgId);
      try {
        const from = context.schema.requireKnown(client);
        const to = context.schema.newest;
        const isDue = context.schema.compare(from) === "older";
        const copied =
          isDue && backup !== undefined
            ? await client.backup(backup, { overwrite: true, signal: either })
            : null;
        either.throwIfAborted();
        if (isDue) bringFlushed(context, orgId, client);
        context.table.noteVersion(orgId, context.schema.noted(to));
        return { orgId, from, to, backup: copied?.path ?? null };
      } catch (error) {
        throw fileError(error, orgId, client.path);
      } finally {
        client.close();
      }
    },
  });
}

/** The version at which a tenant's file is; it is opened, and not migrated. */
export function lookUpVersion(context: TenantContext, orgId: string): TenantVersion {
  const client = openAsItIs(context, orgId);
  try {
    const version = context.schema.read(client);
    context.table.noteVersion(orgId, context.schema.noted(version));
    return version;
  } finally {
    client.close();
  }
}

/** Opens the file of a tenant that may be migrated, as the engine does, and no more. */
export function openAsItIs(context: TenantContext, orgId: string): Database {
  const { store, system, table, openOptions } = context;
  // as whoever opens a tenant does: nobody can put the file away in between
  return system.transaction(() => {
    requireState(table.require(orgId), "migrate", TENANT_ACCESS.migrate);
    const path = store.path(orgId, "live");
    if ((store.size(orgId, "live") ?? 0) === 0) throw unusableFile(orgId, path, "is missing");
    const client = openTenantFile(orgId, path, openOptions);
    try {
      requireOwner(client, orgId);
      return client;
    } catch (error) {
      client.close();
      throw fileError(error, orgId, path);
    }
  });
}

function openSettled(context: TenantContext, lock: Lock, orgId: string): Database {
  settle(context, lock, orgId);
  return openAsItIs(context, orgId);
}

function bringFlushed(
  { schema, openOptions }: TenantContext,
  orgId: string,
  client: Database,
): void {
  if (client.inTransaction) {
    throw new StorageError("TENANT_BUSY", `tenant "${orgId}" is in a transaction of this process`, {
      hint: "Try again when it is over",
      details: { orgId },
    });
  }
  client.execute(FLUSH_COMMITS);
  try {
    schema.bring(client);
  } finally {
    // the connection is shared with whoever uses the tenant in this process
    if (openOptions.durability !== "full") client.execute("PRAGMA synchronous = NORMAL");
  }
}
