/** What is counted by triggers while it is limited. */
export type CountedResource = "graphs" | "nodes";

/** Columns whose values identify a row, apart from `id`. */
const UNIQUE: Readonly<Record<CountedResource, readonly string[]>> = {
  graphs: [],
  nodes: ["graph_id", "key"],
};

/** `replaced` lives from just before a row is written until just after. */
export const CREATE_COUNTERS = `CREATE TABLE IF NOT EXISTS _alk_quota (
  resource TEXT PRIMARY KEY NOT NULL,
  used INTEGER NOT NULL,
  maximum INTEGER NOT NULL,
  replaced INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID`;
export const DROP_COUNTERS = "DROP TABLE IF EXISTS _alk_quota";

/**
 * Triggers that keep the counter of a table exact and refuse its growth beyond the maximum.
 *
 * REPLACE deletes the rows it collides with without firing delete triggers (unless a connection has
 * switched `recursive_triggers` on), so they are counted just before the row is written: always, since a
 * statement that then writes nothing (IGNORE, an upsert) leaves its count behind.
 */
export function counterTriggers(resource: CountedResource): readonly string[] {
  const row = `_alk_quota WHERE resource = '${resource}'`;
  const countReplaced = (own: string): string => `UPDATE _alk_quota SET replaced =
    (SELECT count(*) FROM ${resource} WHERE (${collisions(resource)})${own})
    WHERE resource = '${resource}'`;
  const unique = ["id", ...UNIQUE[resource]];
  return [
    `CREATE TRIGGER IF NOT EXISTS _alk_quota_${resource}_before_insert BEFORE INSERT ON ${resource}
      BEGIN ${countReplaced("")}; END`,
    `CREATE TRIGGER IF NOT EXISTS _alk_quota_${resource}_insert AFTER INSERT ON ${resource}
      BEGIN
        SELECT raise(ABORT, 'quota_exceeded: ${resource}') FROM ${row} AND replaced = 0 AND used >= maximum;
        UPDATE _alk_quota SET used = used + 1 - replaced, replaced = 0 WHERE resource = '${resource}';
      END`,
    `CREATE TRIGGER IF NOT EXISTS _alk_quota_${resource}_before_update
      BEFORE UPDATE OF ${unique.join(", ")} ON ${resource}
      BEGIN ${countReplaced(" AND id <> OLD.id")}; END`,
    `CREATE TRIGGER IF NOT EXISTS _alk_quota_${resource}_update
      AFTER UPDATE OF ${unique.join(", ")} ON ${resource}
      BEGIN UPDATE _alk_quota SET used = used - replaced, replaced = 0 WHERE resource = '${resource}'; END`,
    `CREATE TRIGGER IF NOT EXISTS _alk_quota_${resource}_delete AFTER DELETE ON ${resource}
      BEGIN UPDATE _alk_quota SET used = used - 1, replaced = max(0, replaced - 1)
        WHERE resource = '${resource}'; END`,
  ];
}

/** Statements that remove what {@link counterTriggers} made. */
export function dropCounterTriggers(resource: CountedResource): readonly string[] {
  return ["before_insert", "insert", "before_update", "update", "delete"].map(
    (name) => `DROP TRIGGER IF EXISTS _alk_quota_${resource}_${name}`,
  );
}

/** Rows that the new one cannot stand beside. */
function collisions(resource: CountedResource): string {
  const key = UNIQUE[resource].map((column) => `${column} = NEW.${column}`);
  return key.length === 0 ? "id = NEW.id" : `id = NEW.id OR (${key.join(" AND ")})`;
}
