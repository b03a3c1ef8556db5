import type { Job, JobContext } from "@alkdev/honker";
import type { PayloadOf, tenantCatalog } from "../../catalog/index.ts";
import { StorageError } from "../../errors.ts";
import { type AnyModule, type Migration, moduleToDbSchema } from "../../graphs/index.ts";
import type { TenantDatabase } from "../client.ts";
import { evolveGraphType } from "./evolve-graph-type.ts";
import { readGraphType } from "./read-graph-type.ts";

/** Payload of the queue `schema-migration`. */
export type SchemaMigration = PayloadOf<typeof tenantCatalog.queues, "schema-migration">;

/** Options of {@link createSchemaMigrationHandler}. */
export interface SchemaMigrationOptions {
  /** The Modules that this code knows. */
  readonly modules: readonly AnyModule[];
  /** Their migrations, by the name of the graph type. */
  readonly migrations?: Readonly<Record<string, readonly Migration[]>>;
  /** Rows per transaction, default 500. */
  readonly batchSize?: number;
}

/**
 * A handler for the queue `schema-migration`: {@link evolveGraphType}, whose last commit also ends the
 * job. Progress is at `queue.get(id).progress`. A cancelled or killed job leaves the version odd; the next
 * job goes on. Rows that do not fit end the job at once, as a dead letter that names them.
 *
 * @example
 * ```ts
 * const queue = openCatalogQueue({ db: tenant.$client, entries: tenantCatalog.queues }, "schema-migration");
 * const worker = queue.work(
 *   createSchemaMigrationHandler(tenant, {
 *     modules: [TaskGraph],
 *     migrations: { tasks: [{ to: 4, nodes: { task: toMinutes } }] },
 *   }),
 * );
 * ```
 */
export function createSchemaMigrationHandler(
  tenant: TenantDatabase,
  { modules, migrations = {}, batchSize = 500 }: SchemaMigrationOptions,
): (job: Job<SchemaMigration>, context: JobContext) => Promise<void> {
  return async (job, { signal, progress, complete }) => {
    const { graphTypeId, fromVersion, toVersion } = job.payload;
    const stored = readGraphType(tenant.$client, { id: graphTypeId });
    if (stored === null) {
      const message = `there is no graph type "${graphTypeId}" in this file`;
      job.fail(new StorageError("NOT_FOUND", message, { details: { graphTypeId } }));
      return;
    }
    const { name, version } = stored.graphType;
    if (version >= toVersion) {
      complete();
      return;
    }
    if (version < fromVersion) {
      const message = `graph type "${name}" is in version ${version}, before ${fromVersion}, where the job starts`;
      job.fail(new StorageError("MIGRATION_STATE", message, { details: { graphTypeId, version } }));
      return;
    }
    const module = moduleFor(modules, { name, toVersion });
    try {
      let ended = false;
      await evolveGraphType(tenant, module, {
        migrations: Object.hasOwn(migrations, name) ? (migrations[name] ?? []) : [],
        batchSize,
        signal,
        onProgress: progress,
        commit: (write) => {
          complete(write);
          ended = true;
        },
      });
      if (!ended) complete();
    } catch (error) {
      // trying again cannot help, and would hold up the others
      if (!(error instanceof StorageError)) throw error;
      job.fail(error);
    }
  };
}

/** @throws StorageError `MIGRATION_STATE` where this code is older: another worker may know better */
function moduleFor(
  modules: readonly AnyModule[],
  { name, toVersion }: { readonly name: string; readonly toVersion: number },
): AnyModule {
  const found = modules
    .map((module) => ({ module, type: moduleToDbSchema(module).graphType }))
    .find(({ type }) => type.name === name);
  if (found === undefined) {
    throw new StorageError("NOT_FOUND", `this worker has no Module "${name}"`, {
      hint: "Give it to createSchemaMigrationHandler",
    });
  }
  const { module, type } = found;
  if (type.version >= toVersion) return module;
  throw new StorageError(
    "MIGRATION_STATE",
    `the Module "${name}" of this worker has version ${type.version}, and the job wants ${toVersion}`,
    { hint: "Deploy the newer code" },
  );
}
