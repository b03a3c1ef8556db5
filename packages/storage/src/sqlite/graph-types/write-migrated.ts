import type { Database } from "@alkdev/honker";
import { type Attributes, type RowMigrator, rowVersion } from "../../graphs/index.ts";
import { UpdatedRows } from "../updated-rows.ts";
import type { RowFailures } from "./row-failures.ts";
import { type StoredRow, typedRow } from "./stored-rows.ts";

/** The step that rows are brought over. */
export interface MigrationStep {
  readonly from: number;
  readonly to: number;
  readonly migrate: RowMigrator;
}

/** A row and its attributes after the step. */
export interface MigratedRow {
  readonly row: StoredRow;
  readonly attributes: Attributes;
}

const UNCHANGED = "rowid = +? AND id = +? AND attributes = +? AND metadata = +?";
// numbers are bound as REAL, and JSON would say 4.0
const written = (table: "nodes" | "edges"): string => `UPDATE ${table} SET attributes = ?,
  metadata = json_set(metadata, '$._metagraph.version', CAST(? AS INTEGER), '$._metagraph.revision',
    coalesce(json_extract(metadata, '$._metagraph.revision'), 1) + 1),
  updated_at = unixepoch() WHERE ${UNCHANGED}`;
const stamped = (table: "nodes" | "edges"): string =>
  `UPDATE ${table} SET metadata = json_set(metadata, '$._metagraph.version',
    CAST(? AS INTEGER)) WHERE ${UNCHANGED}`;
const WRITE = { node: written("nodes"), edge: written("edges") };
const STAMP = { node: stamped("nodes"), edge: stamped("edges") };

/** A number, as `rowVersion` takes it, that has reached the version of the step. */
const isDone = (metadata: string): string => `coalesce(
  json_type(${metadata}, '$._metagraph.version') IN ('integer', 'real')
  AND json_extract(${metadata}, '$._metagraph.version') >= +?2, 0)`;
const NODES_LEFT = `SELECT n.rowid, g.id, n.id, n.key, n.attributes, n.metadata,
    json_extract(n.metadata, '$._metagraph.nodeType') AS type
  FROM graphs g CROSS JOIN nodes n ON n.graph_id = g.id
  WHERE g.graph_type_id = +?1 AND NOT ${isDone("n.metadata")} AND typeof(type) = 'text' LIMIT +?3`;
const EDGES_LEFT = `SELECT e.rowid, g.id, e.id, coalesce(e.key, e.id), e.attributes, e.metadata,
    json_extract(e.metadata, '$._metagraph.edgeType') AS type
  FROM graphs g CROSS JOIN edges e ON e.graph_id = g.id
  WHERE g.graph_type_id = +?1 AND NOT ${isDone("e.metadata")} AND typeof(type) = 'text' LIMIT +?3`;

const UNREADABLE = "its metadata names a version twice";

/** Migrates rows in memory: those that carry the version already are left out, failures are kept. */
export function migrateRows(
  rows: readonly StoredRow[],
  { from, to, migrate }: MigrationStep,
  failures: RowFailures,
): readonly MigratedRow[] {
  return rows.flatMap((row) => {
    if (rowVersion(row.metadata ?? {}, from) >= to) return [];
    const attributes = failures.attempt(row, () => migrate(row));
    return attributes === null ? [] : [{ row, attributes }];
  });
}

/**
 * Writes migrated rows and their stamps in the open transaction, with the events of those that changed.
 * A row that somebody else wrote since it was read is left for later.
 *
 * @returns how many were written
 */
export function writeMigrated(client: Database, rows: readonly MigratedRow[], to: number): number {
  const updated = new UpdatedRows();
  let written = 0;
  for (const { row, attributes } of rows) {
    const guard = [row.rowid, row.id, row.texts.attributes, row.texts.metadata];
    if (attributes === row.attributes) {
      written += client.prepare(STAMP[row.of]).run([to, ...guard]).changes;
      continue;
    }
    const { changes } = client
      .prepare(WRITE[row.of])
      .run([JSON.stringify(attributes), to, ...guard]);
    written += changes;
    if (changes > 0) updated.add(row);
  }
  updated.notify(client);
  return written;
}

/** Which rows {@link migrateTheRest} looks for. */
export interface RestOptions extends MigrationStep {
  readonly graphTypeId: string;
  readonly batchSize: number;
}

/**
 * Brings what is left over the step, in the open transaction: what was written behind the back of the
 * walk over the tables. Where none fails, no row of the type is left afterwards.
 *
 * @returns how many were written
 */
export function migrateTheRest(
  client: Database,
  { graphTypeId, batchSize, ...step }: RestOptions,
  failures: RowFailures,
): number {
  let written = 0;
  for (const each of ["node", "edge"] as const) {
    const statement = client.prepare(each === "node" ? NODES_LEFT : EDGES_LEFT);
    for (;;) {
      const rows = statement.rows([graphTypeId, step.to, batchSize]);
      if (rows.length === 0) break;
      const stored = rows.flatMap((row) => typedRow(each, row));
      const migrated = migrateRows(stored, step, failures);
      const count = writeMigrated(client, migrated, step.to);
      written += count;
      // what is not written now would be found again for ever
      if (failures.count === 0 && count < rows.length) {
        failures.add(String(rows[0]?.[1]), `${each} "${String(rows[0]?.[3])}"`, UNREADABLE);
      }
      if (failures.count > 0) return written;
    }
  }
  return written;
}
