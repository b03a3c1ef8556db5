import { setImmediate } from "node:timers/promises";
import type { Database } from "@alkdev/honker";
import type { AnyModule } from "@alkdev/storage/graphs";
import type { TenantDatabase } from "@alkdev/storage/sqlite";
import {
  bulkTable,
  organizations,
  readGraphType,
  registerGraphType,
  StorageError,
} from "@alkdev/storage/sqlite";
import type { Field } from "../postgres/copy-text.ts";
import { type GraphTypes, type SourceType, type TypeTable, typeValues } from "./graph-types.ts";
import type { BatchResult, ImportRun, RunOptions } from "./import-run.ts";
import {
  type MadeGraph,
  missingGraph,
  RECORDS_GRAPH,
  RECORDS_TYPE,
  recordValues,
} from "./record-tables.ts";
import { RowRefusal, type RowReport } from "./row-refusal.ts";
import { type RowContext, TARGETS, type TargetRow } from "./table-import.ts";
import type { JsonNotes } from "./values.ts";
import { refusalOf } from "./write-rows.ts";

/** A table whose rows every tenant gets, in memory. */
export interface SharedTable {
  readonly table: string;
  readonly rows: readonly (readonly Field[])[];
}

/** What every tenant's file begins with. */
export interface TenantBeginning {
  readonly types: GraphTypes;
  readonly shared: readonly SharedTable[];
  readonly records: AnyModule | null;
}

/** Name of the step that counts what every tenant gets. */
export const SHARED_STEP = "shared";
/** Name of the step that makes the tenants. */
export const TENANTS_STEP = "tenants";

/** Counts the rows that every tenant gets, once, and reports those that cannot be taken. */
export function countShared(run: ImportRun, { types, shared }: TenantBeginning): void {
  if (run.position(SHARED_STEP) !== null) return;
  const { $client } = run.system;
  run.batch($client, { org: "", id: "" }, () => [
    ...types.tables.map(({ target, types: rows }) =>
      countTable(run, target, {
        rows: rows.map(({ row }) => row),
        check: (context, index) =>
          checkType(types, { target, type: rows[index] as SourceType }, context),
      }),
    ),
    ...shared.map(({ table, rows }) =>
      countTable(run, table, {
        rows,
        check: (context, index) => void recordValues(table, rows[index] as Field[], context),
      }),
    ),
  ]);
}

function countTable(
  run: ImportRun,
  table: string,
  {
    rows,
    check,
  }: {
    readonly rows: readonly (readonly Field[])[];
    readonly check: (context: RowContext, index: number) => void;
  },
): BatchResult {
  const reports: RowReport[] = [];
  let taken = 0;
  rows.forEach((row, index) => {
    run.countRead(table, row);
    const changes: RowReport[] = [];
    try {
      check(contextOf(run, changes, { table, row, notes: run.notes }), index);
      reports.push(...changes);
      taken += 1;
    } catch (error) {
      const fields = Object.fromEntries(row.map((value, at) => [String(at), value]));
      reports.push({ ...subjectOf(table, row), taken: false, ...reasonOf(error), row: fields });
    }
  });
  return { step: table, taken, rejected: rows.length - taken, reports };
}

/** Makes a tenant for each organization, with its graph types and the rows that every tenant gets. */
export async function prepareTenants(
  run: ImportRun,
  beginning: TenantBeginning,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  const orgs = run.system.select({ id: organizations.id }).from(organizations).all();
  const ids = orgs.map(({ id }) => id).toSorted(byBytes);
  const position = run.position(TENANTS_STEP);
  const from = position === null ? 0 : ids.indexOf(position.org) + 1;
  for (let i = from; i < ids.length; i++) {
    signal?.throwIfAborted();
    const org = ids[i] as string;
    if (makeTenant(run, org)) {
      const { db } = run.tenant(org);
      run.batch(db.$client, { org, id: "" }, () => [beginTenant(run, beginning, { org, db })]);
    }
    onProgress?.({ phase: "read", item: TENANTS_STEP, done: i + 1, total: ids.length });
    await setImmediate();
  }
}

/** False for an organization that can have no tenant; it is reported. */
function makeTenant(run: ImportRun, org: string): boolean {
  try {
    if (run.tenants.get(org) === null) run.tenants.create(org);
    return true;
  } catch (error) {
    const isName =
      error instanceof StorageError &&
      (error.code === "INVALID_ARGUMENT" || error.code === "ALREADY_EXISTS");
    if (!isName) throw error;
    const { message } = error;
    const report: RowReport = {
      ...{ table: "organizations", id: org, org },
      ...{ taken: true, code: "ORGANIZATION_ID", message },
    };
    run.batch(run.system.$client, { org, id: "" }, () => [
      { step: TENANTS_STEP, taken: 0, rejected: 1, reports: [report] },
    ]);
    return false;
  }
}

function beginTenant(
  run: ImportRun,
  { types, shared, records }: TenantBeginning,
  { org, db }: { readonly org: string; readonly db: TenantDatabase },
): BatchResult {
  const client = db.$client;
  const reports: RowReport[] = [];
  // counted with the rows themselves, not once more for each tenant
  const notes = { impreciseNumbers: 0, nullCharacters: 0 };
  const add = (table: string, row: readonly Field[], make: (context: RowContext) => TargetRow) => {
    const made = unlessRefused(() => make(contextOf(run, [], { table, row, notes })));
    if (made === null) return;
    const [refused] = bulkTable(client, TARGETS[made.target]).insert([made.values]);
    if (refused === undefined) run.countWritten(made);
    else reports.push({ ...subjectOf(table, row, org), taken: false, ...reasonOf(refused.error) });
  };
  for (const { target, types: rows } of types.tables) {
    for (const { row, graphTypeId, org: owner } of rows) {
      if (types.isSystem(graphTypeId) || (owner !== "" && owner !== org)) continue;
      add(target, row, (context) =>
        withFreeName(client, { target, values: typeValues(target, row, context) }),
      );
    }
  }
  if (records !== null) registerGraphType(db, records);
  if (shared.some(({ rows }) => rows.length > 0)) {
    for (const graph of missingGraph(client, recordsGraph(client, run.startedAt))) {
      for (const { error } of bulkTable(client, TARGETS.graphs).insert([graph.values])) throw error;
      run.countWritten(graph);
    }
  }
  for (const { table, rows } of shared) {
    for (const row of rows) {
      add(table, row, (context) => ({
        target: "nodes",
        values: recordValues(table, row, context),
      }));
    }
  }
  return { step: TENANTS_STEP, taken: 1, rejected: 0, reports };
}

/** The graph that holds the rows of tables without a table here. */
export function recordsGraph(client: Database, startedAt: string): MadeGraph {
  const graphTypeId = readGraphType(client, { name: RECORDS_TYPE })?.id ?? "";
  const at = Math.floor(Date.parse(startedAt) / 1_000);
  return { id: RECORDS_GRAPH, name: "Records of the hub", graphTypeId, at };
}

/** Null for a row whose refusal was reported when it was counted. */
function unlessRefused(make: () => TargetRow): TargetRow | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof RowRefusal) return null;
    throw error;
  }
}

/** A graph type of the tenant that has the name of one of the system's gets another. */
function withFreeName(client: Database, row: TargetRow): TargetRow {
  const NAME = 4;
  const name = String(row.values[NAME]);
  if (row.target !== "graph_types" || readGraphType(client, { name }) === null) return row;
  const values = row.values.map((value, index) => (index === NAME ? `${name}_imported` : value));
  return { ...row, values };
}

function checkType(
  types: GraphTypes,
  { target, type }: { readonly target: TypeTable["target"]; readonly type: SourceType },
  context: RowContext,
): void {
  if (!types.isSystem(type.graphTypeId)) {
    typeValues(target, type.row, context);
    return;
  }
  context.changed("SYSTEM_TYPE", `"${type.name}" is a type that every file has already`);
}

function contextOf(
  run: ImportRun,
  changes: RowReport[],
  {
    table,
    row,
    notes,
  }: { readonly table: string; readonly row: readonly Field[]; readonly notes: JsonNotes },
): RowContext {
  return {
    client: run.system.$client,
    notes,
    organizations: run.organizations,
    changed: (code, message) =>
      changes.push({ ...subjectOf(table, row), taken: true, code, message }),
  };
}

function subjectOf(
  table: string,
  row: readonly Field[],
  org?: string,
): Pick<RowReport, "table" | "id" | "org"> {
  return { table, id: row[1] ?? null, org: org ?? (row[0] || null) };
}

function reasonOf(error: unknown): Pick<RowReport, "code" | "message"> {
  const { code, message } = refusalOf(error);
  return { code, message };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
