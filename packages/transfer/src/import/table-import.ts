import type { Database, SqlInput } from "@alkdev/honker";
import {
  accounts,
  apiKeys,
  auditLogs,
  edges,
  edgeTypes,
  graphs,
  graphTypes,
  nodes,
  nodeTypes,
  organizationMembers,
  organizations,
  peerCredentials,
} from "@alkdev/storage/sqlite";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Field } from "../postgres/copy-text.ts";
import type { TableQuery } from "../postgres/table-query.ts";
import type { RowCode } from "./row-refusal.ts";
import type { JsonNotes } from "./values.ts";

/** The tables that are written, by their names. */
export const TARGETS: Readonly<Record<TargetName, SQLiteTable>> = {
  accounts,
  organizations,
  organization_members: organizationMembers,
  api_keys: apiKeys,
  peer_credentials: peerCredentials,
  audit_logs: auditLogs,
  graph_types: graphTypes,
  node_types: nodeTypes,
  edge_types: edgeTypes,
  graphs,
  nodes,
  edges,
};

/** Tables of system.db that are written. */
export const SYSTEM_TARGETS = [
  "accounts",
  "organizations",
  "organization_members",
  "api_keys",
  "peer_credentials",
  "audit_logs",
] as const;

/** Tables of a tenant's file that are written. */
export const TENANT_TARGETS = [
  "graph_types",
  "node_types",
  "edge_types",
  "graphs",
  "nodes",
  "edges",
] as const;

/** A table that is written. */
export type TargetName = (typeof SYSTEM_TARGETS | typeof TENANT_TARGETS)[number];

/** A row of a target table: values in the order of its columns. */
export interface TargetRow {
  readonly target: TargetName;
  readonly values: readonly SqlInput[];
}

/** What mapping a row may need and tell. */
export interface RowContext {
  readonly client: Database;
  readonly notes: JsonNotes;
  /** Ids of the organizations that were taken. */
  readonly organizations: Set<string>;
  /** Reports that the row is taken with a change. */
  changed(code: RowCode, message: string): void;
}

/** How the rows of one source table become rows here. */
export interface TableImport {
  /** Unique; names the step in the progress and in the report. */
  readonly name: string;
  /** The source table whose rows must all be accounted for; undefined for a second look at one. */
  readonly counted: string | undefined;
  readonly query: TableQuery;
  /** Where it goes: into system.db, or into the file of the organization of each row. */
  readonly place: "system" | "tenant";
  readonly target: TargetName;
  /** The values to insert; null when another step takes the row. @throws RowRefusal */
  map(row: readonly Field[], context: RowContext): readonly SqlInput[] | null;
  /** Other values to try after a constraint refused the last ones; undefined gives up. */
  amend?(
    values: readonly SqlInput[],
    reason: string,
    context: RowContext,
  ): readonly SqlInput[] | undefined;
  /**
   * Writes one row by itself, instead of many at once.
   *
   * @returns what was written
   * @throws RowRefusal, `HonkerError` `CONSTRAINT`
   */
  writeOne?(
    row: readonly Field[],
    values: readonly SqlInput[],
    context: RowContext,
  ): readonly TargetRow[];
  /** Called in the transaction of a batch before its rows, for what they need to be there. */
  before?(client: Database, orgId: string): readonly TargetRow[];
}
