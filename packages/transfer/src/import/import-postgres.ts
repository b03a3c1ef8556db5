import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HonkerError, open } from "@alkdev/honker";
import {
  accounts,
  createSystemDatabase,
  createTenantManager,
  organizations,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { TransferError } from "../errors.ts";
import { openSource, type Source } from "../postgres/source.ts";
import { readSchema, type SourceSchema } from "../postgres/source-schema.ts";
import { countOf } from "../postgres/table-query.ts";
import {
  type ImportPostgresOptions,
  type ImportSettings,
  importSettings,
} from "./import-options.ts";
import { type ImportPlan, planImport } from "./import-plan.ts";
import type { ImportReport } from "./import-report.ts";
import { ImportRun } from "./import-run.ts";
import type { ImportIdentity } from "./import-state.ts";
import { makeReport } from "./make-report.ts";
import { countShared, prepareTenants, SHARED_STEP, TENANTS_STEP } from "./prepare-tenants.ts";
import { removeAllTraces, writeRowReports } from "./row-reports.ts";
import { runTable } from "./run-table.ts";

/** Page cache of all files together, while much is written: indexes are written at random places. */
const CACHE_KIB = 131_072;
const SYSTEM_CACHE_KIB = 32_768;
const LEAST_CACHE_KIB = 512;
/** Each table goes through all tenants, and closing a file costs a flush. */
const MOST_OPEN = 500;
/** Two imports into one place exclude each other. */
const LOCK = "transfer:import";

/**
 * Brings the data of a hub on PostgreSQL into `system.db` and one file per organization (M38): identity,
 * graph types, graphs, sessions, calls. It reads one moment of the database, keeps ids, verifies counts
 * and checksums on both sides, and reports every row that it did not take or had to change.
 *
 * Ended or killed at any time, it goes on where it was when it is called again with the same options;
 * called again after its end, it returns its report.
 *
 * @throws {@link TransferError} `INVALID_ARGUMENT`, `SOURCE_UNAVAILABLE`, `SOURCE_SHAPE`,
 * `SOURCE_MISMATCH`, `OUT_IN_USE`, `BUSY`; the reason of `signal`; errors of PostgreSQL and of the engine
 * @example
 * ```ts
 * const report = await importPostgres({
 *   url: "postgres://hub@127.0.0.1/hub",
 *   out: { systemPath: "./data/system.db", tenantsFolder: "./data/tenants" },
 * });
 * if (!report.ok) for (const line of report.advice) console.error(line);
 * ```
 */
export async function importPostgres(options: ImportPostgresOptions): Promise<ImportReport> {
  const settings = importSettings(options);
  if (!settings.dryRun) return importInto(settings, settings);
  mkdirSync(dirname(settings.systemPath), { recursive: true });
  const folder = mkdtempSync(join(dirname(settings.systemPath), "import-dry-run-"));
  try {
    const systemPath = join(folder, basename(settings.systemPath));
    return await importInto(
      { ...settings, systemPath, tenantsFolder: join(folder, "tenants") },
      settings,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param shown the paths that the report names */
async function importInto(settings: ImportSettings, shown: ImportSettings): Promise<ImportReport> {
  const { systemPath, tenantsFolder } = settings;
  const source = await openSource(settings.url);
  try {
    const schema = await readSchema(source, settings.schema);
    mkdirSync(dirname(systemPath), { recursive: true });
    mkdirSync(dirname(settings.rowsPath), { recursive: true });
    using client = open(systemPath, { cacheSizeKiB: SYSTEM_CACHE_KIB });
    const system = createSystemDatabase(client);
    const identity = await identityOf(source, settings);
    const organizationCount = await countOf(source, schema.qualified("organizations"));
    const maxOpen = Math.min(Math.max(organizationCount, 1), MOST_OPEN);
    const run = await whileLocked(system, settings, async (lockSignal) => {
      const locked = { ...settings, signal: lockSignal };
      using tenants = createTenantManager({
        folder: tenantsFolder,
        system,
        maxOpen,
        openOptions: { cacheSizeKiB: Math.max(LEAST_CACHE_KIB, Math.floor(CACHE_KIB / maxOpen)) },
      });
      const begun = new ImportRun(system, tenants, identity);
      requireSame(begun.identity, identity);
      if (!begun.begun) requireEmpty(system, systemPath);
      if (begun.report !== null) {
        // it was killed after its end
        await removeAllTraces(begun);
        return begun.report;
      }
      const plan = await planImport(source, schema, { settings: locked, run: begun });
      await readAll(begun, plan, { source, schema, settings: locked });
      const report = await makeReport(begun, plan, { source, schema, settings: locked, shown });
      await writeRowReports(begun, settings.rowsPath);
      begun.finish(report);
      await removeAllTraces(begun);
      return report;
    });
    return run;
  } finally {
    await source.close();
  }
}

async function readAll(
  run: ImportRun,
  { beginning, system, tenants }: ImportPlan,
  context: {
    readonly source: Source;
    readonly schema: SourceSchema;
    readonly settings: ImportSettings;
  },
): Promise<void> {
  const { source, schema, settings } = context;
  for (const { id } of run.system.select({ id: organizations.id }).from(organizations).all()) {
    run.organizations.add(id);
  }
  const tableStep = (table: ImportPlan["system"][number]) => ({
    name: table.name,
    run: async () => {
      const { counted } = table;
      const total = counted === undefined ? null : await countOf(source, schema.qualified(counted));
      await runTable(run, table, { ...settings, source, total });
    },
  });
  await run.runSteps([
    ...system.map(tableStep),
    { name: SHARED_STEP, run: async () => countShared(run, beginning) },
    { name: TENANTS_STEP, run: () => prepareTenants(run, beginning, settings) },
    ...tenants.map(tableStep),
  ]);
}

async function whileLocked<T>(
  system: SystemDatabase,
  { lockSeconds, signal }: ImportSettings,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const options = {
    ttlSeconds: lockSeconds,
    // one that was killed is waited for
    waitMs: (lockSeconds + 1) * 1_000,
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    return await system.$client.withLock(LOCK, options, (_lock, held) => work(held));
  } catch (error) {
    if (!(error instanceof HonkerError) || error.code !== "LOCK_HELD") throw error;
    throw new TransferError("BUSY", `another import writes to "${system.$client.path}"`, {
      cause: error,
      hint: "Wait for its end",
    });
  }
}

const SYSTEM_ID =
  "SELECT (SELECT system_identifier::text FROM pg_control_system()), current_database()::text";

async function identityOf(source: Source, settings: ImportSettings): Promise<ImportIdentity> {
  const [row] = await source.rows(SYSTEM_ID);
  return {
    system: row?.[0] ?? "",
    database: row?.[1] ?? "",
    schema: settings.schema,
    unownedTo: settings.unownedTo ?? null,
    tables: settings.tables,
  };
}

function requireSame(begun: ImportIdentity, given: ImportIdentity): void {
  if (JSON.stringify(begun) === JSON.stringify(given)) return;
  throw new TransferError(
    "SOURCE_MISMATCH",
    `what is imported here began as ${JSON.stringify(begun)}, and cannot go on as ${JSON.stringify(given)}`,
    {
      hint: "Give the same source and options, or import into another place",
      details: { begun, given },
    },
  );
}

function requireEmpty(system: SystemDatabase, path: string): void {
  if (system.$count(accounts).sync() === 0 && system.$count(organizations).sync() === 0) return;
  throw new TransferError("OUT_IN_USE", `"${path}" has accounts already`, {
    hint: "Import into a new file; ids and names of two hubs would meet",
    details: { path },
  });
}
