import { readGraphType } from "@alkdev/storage/sqlite";
import { TransferError } from "../errors.ts";
import type { Field } from "../postgres/copy-text.ts";
import type { Source } from "../postgres/source.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { inOrder, type TableQuery } from "../postgres/table-query.ts";
import { readGraphTypes } from "./graph-types.ts";
import type { ImportSettings } from "./import-options.ts";
import type { ImportRun } from "./import-run.ts";
import { recordsGraph, type SharedTable, type TenantBeginning } from "./prepare-tenants.ts";
import {
  isShared,
  type MadeGraph,
  missingGraph,
  recordsImport,
  recordsModule,
  sharedQuery,
} from "./record-tables.ts";
import { systemTables } from "./system-tables.ts";
import type { TableImport } from "./table-import.ts";
import { CALLS_GRAPH, callTables, metagraphTables } from "./tenant-tables.ts";
import type { ReadTable } from "./verify-import.ts";

/** Everything an import does, in order. */
export interface ImportPlan {
  readonly system: readonly TableImport[];
  readonly beginning: TenantBeginning;
  readonly tenants: readonly TableImport[];
  /** Every table that is read. */
  readonly read: readonly ReadTable[];
  /** Tables of the schema that are not. */
  readonly left: readonly string[];
}

/** What every tenant gets is held in memory, once. */
const MOST_SHARED = 10_000;

/** Reads what is needed to know what to do. */
export async function planImport(
  source: Source,
  schema: SourceSchema,
  { settings, run }: { readonly settings: ImportSettings; readonly run: ImportRun },
): Promise<ImportPlan> {
  const { unownedTo } = settings;
  const system = systemTables(schema);
  const types = await readGraphTypes(source, schema, run.system.$client);
  const options = { schema, types, unownedTo };
  const wanted = settings.tables.filter((table) => schema.has(table, "id"));
  const shared: (SharedTable & { readonly query: TableQuery })[] = [];
  for (const table of wanted.filter((name) => isShared(schema, name))) {
    const query = sharedQuery(schema, table);
    shared.push({ table, query, rows: await allRows(source, query) });
  }
  const records = wanted
    .filter((table) => !isShared(schema, table))
    .map((table) =>
      recordsImport(options, table, (client) =>
        missingGraph(client, recordsGraph(client, run.startedAt)),
      ),
    );
  const tenants = [
    ...metagraphTables(options),
    ...records,
    ...callTables(options, (client) => missingGraph(client, callsGraph(client, run.startedAt))),
  ];
  const read: ReadTable[] = [
    ...system,
    ...types.tables.map(({ target, query }) => ({ name: target, counted: target, query })),
    ...shared.map(({ table, query }) => ({ name: table, counted: table, query })),
    ...tenants,
  ];
  const known = new Set(read.map(({ query }) => query.table));
  return {
    system,
    beginning: { types, shared, records: wanted.length === 0 ? null : recordsModule(wanted) },
    tenants,
    read,
    left: schema.tables().filter((table) => !known.has(table)),
  };
}

async function allRows(source: Source, query: TableQuery): Promise<readonly (readonly Field[])[]> {
  const rows: Field[][] = [];
  for await (const batch of source.batches(inOrder(source, query, null), MOST_SHARED)) {
    rows.push(...batch);
    if (rows.length <= MOST_SHARED) continue;
    throw new TransferError(
      "SOURCE_SHAPE",
      `table "${query.table}" has no owner and more than ${MOST_SHARED} rows, which every tenant would get`,
      { hint: 'Leave it out of "tables", or give it a column org_id' },
    );
  }
  return rows;
}

function callsGraph(client: Parameters<typeof readGraphType>[0], startedAt: string): MadeGraph {
  const graphTypeId = readGraphType(client, { name: "call_graph" })?.id ?? "";
  const at = Math.floor(Date.parse(startedAt) / 1_000);
  return { id: CALLS_GRAPH, name: "Calls of the hub", graphTypeId, at };
}
