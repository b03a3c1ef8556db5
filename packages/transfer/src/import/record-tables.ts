import type { Database, SqlInput } from "@alkdev/honker";
import { type AnyModule, defineModule, graphConfig, nodeAttributes } from "@alkdev/storage/graphs";
import { graphs } from "@alkdev/storage/sqlite";
import type { TObject } from "@sinclair/typebox";
import { drizzle } from "drizzle-honker";
import { eq } from "drizzle-orm";
import type { Field } from "../postgres/copy-text.ts";
import { jsonObjectOf } from "../postgres/expressions.ts";
import { ownershipOf } from "../postgres/ownership.ts";
import type { SourceSchema } from "../postgres/source-schema.ts";
import { type TableQuery, tableQuery } from "../postgres/table-query.ts";
import { attributesOf, commonFields, FIRST_OWN_FIELD, rowValues } from "./common-values.ts";
import type { RowContext, TableImport, TargetRow } from "./table-import.ts";
import type { TenantTablesOptions } from "./tenant-tables.ts";
import { required, withMember } from "./values.ts";

/** Graph type of the tables that have no table here. */
export const RECORDS_TYPE = "hub_records";
/** The graph of each tenant that holds their rows. */
export const RECORDS_GRAPH = "hub-records";

/** Columns that tell whose a row is. A table with none of them is everybody's. */
const OWNER_COLUMNS = [
  ...["org_id", "project_id", "session_id", "owner_id"],
  ...["account_id", "caller_account_id", "user_id"],
];
const COMMON_COLUMNS = new Set(["id", "metadata", "data", "created_at", "updated_at"]);

/** Whether the rows of a table belong to nobody, so that every tenant gets them. */
export function isShared(schema: SourceSchema, table: string): boolean {
  return !OWNER_COLUMNS.some((column) => schema.has(table, column));
}

/** The graph type of the records: a node type for each table, named as it is, open to any attribute. */
export function recordsModule(tables: readonly string[]): AnyModule {
  const entries: Record<string, TObject> = { Config: graphConfig() };
  for (const table of tables) {
    const description = `Rows of the hub's table ${table}`;
    entries[`${entryName(table)}Node`] = nodeAttributes({}, { open: true, description });
  }
  const description = "Rows of a hub's tables that have no table here";
  return defineModule({ name: RECORDS_TYPE, description }, entries);
}

/** The rows of a table that belong to organizations, as nodes. */
export function recordsImport(
  { schema, unownedTo }: TenantTablesOptions,
  table: string,
  before: TableImport["before"],
): TableImport {
  const { joins, org } = ownershipOf(schema, { table, alias: "r", unownedTo });
  return {
    name: table,
    counted: table,
    place: "tenant",
    target: "nodes",
    ...(before === undefined ? {} : { before }),
    query: recordsQuery(schema, table, { joins, org }),
    map: (row, context) => recordValues(table, row, context),
  };
}

/** The rows of a table that every tenant gets. */
export function sharedQuery(schema: SourceSchema, table: string): TableQuery {
  return recordsQuery(schema, table, { joins: "", org: "''" });
}

/** The values of the node of a row. @throws RowRefusal */
export function recordValues(
  table: string,
  row: readonly Field[],
  context: RowContext,
): readonly SqlInput[] {
  const id = required(row[1] ?? null, "id");
  const values = rowValues(row, context, [
    RECORDS_GRAPH,
    `${table}:${id}`,
    attributesOf(row[FIRST_OWN_FIELD] ?? null, context),
  ]);
  const type = JSON.stringify({ nodeType: typeName(table) });
  return values.map((value, index) => {
    // ids of different tables may be equal where they are no UUIDs
    if (index === 0) return UUID.test(id) ? id : `${table}:${id}`;
    return index === 1 ? withMember(String(value), "_metagraph", type) : value;
  });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A graph that the import makes in a tenant's file. */
export interface MadeGraph {
  readonly id: string;
  readonly name: string;
  readonly graphTypeId: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** The rows that are missing for `graph` to be there. */
export function missingGraph(client: Database, graph: MadeGraph): readonly TargetRow[] {
  const tenant = drizzle(client, { schema: { graphs } });
  const found = tenant.select({ id: graphs.id }).from(graphs).where(eq(graphs.id, graph.id)).get();
  if (found !== undefined) return [];
  const { id, name, graphTypeId, at } = graph;
  const values = [id, "{}", at, at, graphTypeId, name, "", "active", null, null];
  return [{ target: "graphs", values }];
}

function recordsQuery(
  schema: SourceSchema,
  table: string,
  { joins, org }: { readonly joins: string; readonly org: string },
): TableQuery {
  const from = { table, alias: "r" };
  const members = schema
    .columns(table)
    .filter((column) => !COMMON_COLUMNS.has(column))
    .map((column) => ({ name: column, column }));
  return tableQuery(table, `FROM ${schema.qualified(table)} r ${joins}`, {
    org,
    ...commonFields(schema, from),
    attributes: jsonObjectOf(schema, from, members),
  });
}

function typeName(table: string): string {
  return table.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
}

/** `call_logs` becomes `CallLogs`, whose type is named `call_logs` again. */
function entryName(table: string): string {
  return typeName(table)
    .split("_")
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join("");
}
