import { organizations } from "@alkdev/storage/sqlite";
import { type Source, shownUrl } from "../postgres/source.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { countOf } from "../postgres/table-query.ts";
import type { ImportSettings } from "./import-options.ts";
import type { ImportPlan } from "./import-plan.ts";
import type { ImportedTable, ImportReport, WrittenTable } from "./import-report.ts";
import type { ImportRun } from "./import-run.ts";
import { verifyFiles, verifySource } from "./verify-import.ts";

/** Verifies both sides and says what was done. */
export async function makeReport(
  run: ImportRun,
  plan: ImportPlan,
  context: {
    readonly source: Source;
    readonly schema: SourceSchema;
    readonly settings: ImportSettings;
    /** The paths that the report names. */
    readonly shown: ImportSettings;
  },
): Promise<ImportReport> {
  const { source, schema, settings, shown } = context;
  const imported = await verifySource(run, plan.read, { ...settings, source, schema });
  const written = await verifyFiles(run, settings);
  const left: { table: string; rows: number }[] = [];
  for (const table of plan.left) {
    left.push({ table, rows: await countOf(source, schema.qualified(table)) });
  }
  const counted = imported.filter(({ rows }) => rows !== null);
  const total = (of: (table: ImportedTable) => number): number =>
    counted.reduce((sum, table) => sum + of(table), 0);
  return {
    ok: [...imported, ...written].every(({ verified }) => verified),
    dryRun: settings.dryRun,
    source: { url: shownUrl(settings.url), schema: settings.schema },
    out: { systemPath: shown.systemPath, tenantsFolder: shown.tenantsFolder },
    startedAt: run.startedAt,
    finishedAt: new Date().toISOString(),
    snapshots: run.snapshots,
    organizations: run.system.$count(organizations).sync(),
    tenants: run.tenants.list().length,
    rows: {
      read: total(({ read }) => read),
      taken: total(({ taken }) => taken),
      rejected: total(({ rejected }) => rejected),
    },
    source_tables: imported,
    written_tables: written,
    tables_left: left,
    notes: run.notes,
    rowsPath: settings.rowsPath,
    advice: adviceOn({ imported, written, left, snapshots: run.snapshots }),
  };
}

function adviceOn(result: {
  readonly imported: readonly ImportedTable[];
  readonly written: readonly WrittenTable[];
  readonly left: ImportReport["tables_left"];
  readonly snapshots: number;
}): string[] {
  const { imported, written, left, snapshots } = result;
  const advice: string[] = [];
  const changed = imported.filter(({ verified }) => !verified).map(({ table }) => table);
  if (changed.length > 0) {
    advice.push(
      snapshots > 1
        ? `The source changed between the moments that were read, in ${changed.join(", ")}: import into a new place while nobody writes`
        : `What was read of ${changed.join(", ")} is not what the source has: import into a new place`,
    );
  }
  const damaged = written.filter(({ verified }) => !verified).map(({ table }) => table);
  if (damaged.length > 0) {
    advice.push(
      `What the files hold of ${damaged.join(", ")} is not what was written: somebody else wrote there, or the disk is at fault. Import into a new place`,
    );
  }
  const rejected = imported.reduce((sum, table) => sum + table.rejected, 0);
  if (rejected > 0)
    advice.push(`${rejected} rows were not taken: each is in the report of rows, with its reason`);
  const rows = left.filter(({ rows: count }) => count > 0);
  if (rows.length > 0) {
    advice.push(
      `Tables that were not read have rows: ${rows.map(({ table, rows: count }) => `${table} (${count})`).join(", ")}. Name them in "tables" to take them as nodes`,
    );
  }
  return advice;
}
