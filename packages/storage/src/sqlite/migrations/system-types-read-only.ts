/** Present only inside the transaction that seeds system graph types. */
const NOT_SEEDING = "NOT EXISTS (SELECT 1 FROM _alk_storage_state WHERE key = 'seeding')";
const REFUSE =
  "SELECT raise(ABORT, 'system_graph_types_read_only: graph types of scope system are written by the software, not by tenants')";

/** Also of what REPLACE would delete: it fires no delete triggers. */
const BECOMES_SYSTEM = `NEW.scope = 'system' OR EXISTS (
  SELECT 1 FROM graph_types WHERE scope = 'system' AND (id = NEW.id OR name = NEW.name))`;

function refuse(name: string, event: string, condition: string): string {
  return `CREATE TRIGGER ${name} BEFORE ${event} WHEN ${NOT_SEEDING} AND (${condition}) BEGIN ${REFUSE}; END`;
}

function isSystem(graphTypeId: string): string {
  return `EXISTS (SELECT 1 FROM graph_types WHERE scope = 'system' AND id = ${graphTypeId})`;
}

function ofTypes(table: "node_types" | "edge_types"): readonly string[] {
  const replaced = isSystem(`(SELECT graph_type_id FROM ${table} WHERE id = NEW.id)`);
  return [
    refuse(
      `${table}_system_insert`,
      `INSERT ON ${table}`,
      `${isSystem("NEW.graph_type_id")} OR ${replaced}`,
    ),
    refuse(
      `${table}_system_update`,
      `UPDATE ON ${table}`,
      `${isSystem("OLD.graph_type_id")} OR ${isSystem("NEW.graph_type_id")} OR ${replaced}`,
    ),
    refuse(`${table}_system_delete`, `DELETE ON ${table}`, isSystem("OLD.graph_type_id")),
  ];
}

/** Triggers that keep a tenant's copy of the system graph types as the software wrote it. */
export const SYSTEM_TYPES_READ_ONLY: readonly string[] = [
  refuse("graph_types_system_insert", "INSERT ON graph_types", BECOMES_SYSTEM),
  refuse(
    "graph_types_system_update",
    "UPDATE ON graph_types",
    `OLD.scope = 'system' OR ${BECOMES_SYSTEM}`,
  ),
  refuse("graph_types_system_delete", "DELETE ON graph_types", "OLD.scope = 'system'"),
  ...ofTypes("node_types"),
  ...ofTypes("edge_types"),
];
