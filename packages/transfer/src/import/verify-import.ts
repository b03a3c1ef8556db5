import { setImmediate } from "node:timers/promises";
import type { Database, SqlValue } from "@alkdev/honker";
import { bulkTable } from "@alkdev/storage/sqlite";
import type { Source } from "../postgres/source.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { countOf, sourceSum, type TableQuery } from "../postgres/table-query.ts";
import { RowSum } from "../row-sum.ts";
import type { ImportedTable, WrittenTable } from "./import-report.ts";
import type { ImportRun, RunOptions } from "./import-run.ts";
import { KEY_ROTATIONS } from "./key-rotations.ts";
import { RECORDS_TYPE } from "./record-tables.ts";
import { SYSTEM_TARGETS, TARGETS, type TargetName, TENANT_TARGETS } from "./table-import.ts";

/** A table that was read, to be compared with the source. */
export interface ReadTable {
  readonly name: string;
  readonly counted: string | undefined;
  readonly query: TableQuery;
}

/** Compares what was read with what PostgreSQL counts and sums. */
export async function verifySource(
  run: ImportRun,
  tables: readonly ReadTable[],
  {
    source,
    schema,
    onProgress,
    signal,
  }: RunOptions & { readonly source: Source; readonly schema: SourceSchema },
): Promise<ImportedTable[]> {
  const verified: ImportedTable[] = [];
  for (const { name, counted, query } of tables) {
    signal?.throwIfAborted();
    onProgress?.({ phase: "verify", item: name, done: 0, total: null });
    const there = await sourceSum(source, query);
    const rows = counted === undefined ? null : await countOf(source, schema.qualified(counted));
    const { read, taken, rejected, changed } = run.step(name);
    verified.push({
      table: name,
      rows,
      read: read.rows,
      taken,
      rejected,
      changed,
      checksum: { read: read.sum, source: there.sum },
      verified:
        read.sum === there.sum &&
        read.rows === there.rows &&
        (rows === null || read.rows === rows) &&
        taken + rejected === read.rows,
    });
  }
  return verified;
}

/** Reads every file back and compares it with what was written. */
export async function verifyFiles(run: ImportRun, options: RunOptions): Promise<WrittenTable[]> {
  const found = new Map<string, RowSum>();
  const sums = (name: string): RowSum => {
    const sum = found.get(name) ?? new RowSum();
    found.set(name, sum);
    return sum;
  };
  const system = run.system.$client;
  for (const target of SYSTEM_TARGETS) {
    const rotations = target === "api_keys" ? sums(KEY_ROTATIONS) : undefined;
    await sumTable(system, { target, sum: sums(target), rotations }, options);
  }
  for (const { orgId } of run.tenants.list()) {
    using tenant = run.tenants.open(orgId);
    const client = tenant.db.$client;
    const seeded = seededTypes(client);
    for (const target of TENANT_TARGETS) {
      await sumTable(client, { target, sum: sums(target), seeded }, options);
    }
  }
  return [...SYSTEM_TARGETS, KEY_ROTATIONS, ...TENANT_TARGETS].map((table) => {
    const [written, there] = [run.written(table), sums(table).state()];
    return {
      table,
      written: written.rows,
      found: there.rows,
      checksum: { written: written.sum, found: there.sum },
      verified: written.rows === there.rows && written.sum === there.sum,
    };
  });
}

interface Summed {
  readonly target: TargetName;
  readonly sum: RowSum;
  /** Gets which key took over from which. */
  readonly rotations?: RowSum | undefined;
  /** Graph types that no import wrote. */
  readonly seeded?: ReadonlySet<SqlValue>;
}

/** Rows between two turns of the event loop. */
const PAGE = 5_000;

async function sumTable(
  client: Database,
  { target, sum, rotations, seeded }: Summed,
  { onProgress, signal }: RunOptions,
): Promise<void> {
  const bulk = bulkTable(client, TARGETS[target]);
  const type = bulk.columns.indexOf(target === "graph_types" ? "id" : "graph_type_id");
  const rotated = bulk.columns.indexOf("rotated_to_id");
  const skips = seeded !== undefined && target.endsWith("_types");
  for (let page = bulk.page("", PAGE); page.length > 0; ) {
    for (const row of page) {
      if (skips && seeded.has(row[type] ?? null)) continue;
      if (rotations !== undefined && row[rotated] !== null) {
        rotations.add([row[0], row[rotated]]);
        row[rotated] = null;
      }
      sum.add(row);
    }
    onProgress?.({ phase: "verify", item: target, done: sum.rows, total: null });
    await setImmediate();
    signal?.throwIfAborted();
    page = bulk.page(String(page.at(-1)?.[0]), PAGE);
  }
}

/** The graph types that every file has, and that of records: the store wrote them, not the import. */
function seededTypes(client: Database): ReadonlySet<SqlValue> {
  const bulk = bulkTable(client, TARGETS.graph_types);
  const [scope, name] = [bulk.columns.indexOf("scope"), bulk.columns.indexOf("name")];
  const seeded = new Set<SqlValue>();
  // hundreds at most, as they are in memory while a file is in use
  for (const row of bulk.page("", 10_000)) {
    if (row[scope] === "system" || row[name] === RECORDS_TYPE) seeded.add(row[0] ?? null);
  }
  return seeded;
}
