import type { Transaction } from "@alkdev/honker";

const REFUSE =
  "SELECT raise(ABORT, 'graph_type_migrating: the row has the form of a version that is still being migrated to')";

/** The version a row was migrated to, null without one; only numbers count, as for `rowVersion`. */
const stamp = (row: "OLD" | "NEW"): string =>
  `iif(json_type(${row}.metadata, '$._metagraph.version') IN ('integer', 'real'),
    json_extract(${row}.metadata, '$._metagraph.version'), NULL)`;
/** Only a running migration has rows ahead of their graph type. */
const isAhead = (row: "OLD" | "NEW"): string => `${stamp(row)} IS NOT NULL AND ${stamp(row)} > (
    SELECT t.version FROM graphs g JOIN graph_types t ON t.id = g.graph_type_id
    WHERE g.id = ${row}.graph_id)`;

function guards(table: "nodes" | "edges"): readonly string[] {
  return [
    `CREATE TRIGGER IF NOT EXISTS _alk_migrating_${table}_update
      BEFORE UPDATE OF attributes, metadata, graph_id ON ${table}
      WHEN ${isAhead("OLD")} AND coalesce(${stamp("NEW")}, 0) <= ${stamp("OLD")} AND (
        NEW.attributes <> OLD.attributes OR NEW.graph_id <> OLD.graph_id
        OR ${stamp("NEW")} IS NOT ${stamp("OLD")})
      BEGIN ${REFUSE}; END`,
    `CREATE TRIGGER IF NOT EXISTS _alk_migrating_${table}_insert BEFORE INSERT ON ${table}
      WHEN ${isAhead("NEW")} BEGIN ${REFUSE}; END`,
  ];
}

const IS_MIGRATING = (id: string): string =>
  `EXISTS (SELECT 1 FROM graph_types WHERE id = ${id} AND version % 2 = 1)`;
const CREATE: readonly string[] = [
  ...guards("nodes"),
  ...guards("edges"),
  `CREATE TRIGGER IF NOT EXISTS _alk_migrating_graphs BEFORE UPDATE OF graph_type_id ON graphs
    WHEN NEW.graph_type_id IS NOT OLD.graph_type_id
      AND (${IS_MIGRATING("OLD.graph_type_id")} OR ${IS_MIGRATING("NEW.graph_type_id")})
    BEGIN SELECT raise(ABORT, 'graph_type_migrating: the graph type of the graph is being migrated'); END`,
];
const DROP: readonly string[] = [
  "_alk_migrating_nodes_update",
  "_alk_migrating_nodes_insert",
  "_alk_migrating_edges_update",
  "_alk_migrating_edges_insert",
  "_alk_migrating_graphs",
].map((name) => `DROP TRIGGER IF EXISTS ${name}`);
const ANY_MIGRATING = "SELECT 1 FROM graph_types WHERE version % 2 = 1 LIMIT 1";

/**
 * Lets nobody but the migration change a row that has been migrated while others of its type have not:
 * it would be migrated again, or keep a form that its stamp denies. The graph store refuses such writes by
 * itself; the triggers hold for SQL. They exist only while a migration runs, and cost nothing otherwise.
 */
export function createGuards(tx: Transaction): void {
  for (const sql of CREATE) tx.execute(sql);
}

/** Removes them, unless another graph type is being migrated. */
export function dropGuards(tx: Transaction): void {
  if (tx.rows(ANY_MIGRATING).length > 0) return;
  for (const sql of DROP) tx.execute(sql);
}
