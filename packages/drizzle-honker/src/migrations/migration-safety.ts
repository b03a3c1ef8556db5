import type { HonkerClient } from "../client.ts";
import { DrizzleHonkerError } from "../errors.ts";
import { quoted } from "../sql-writer.ts";
import { type Migration, withoutComments } from "./migration-folder.ts";

/** What a database held before a migration. */
export interface Snapshot {
  /** Rows of each table of the application. */
  readonly rows: ReadonlyMap<string, number>;
  readonly engineTables: readonly string[];
  readonly orphans: ReadonlyMap<string, number>;
}

const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0
  AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`;
const FOREIGN_KEY_CHECK = "PRAGMA foreign_key_check";

const ENGINE_TABLE = /^_(honker|alk)_/i;
/** Statements that only add: nothing that is stored can be lost by them. */
const ADDITIVE =
  /^\s*(create\s|pragma\s|insert\s+into\s[^;]*\svalues\b|alter\s+table\s.*\s(add|rename)\s)/is;
const CONTROL = /^\s*(begin|commit|end|rollback|savepoint|release|attach|detach|vacuum)\b/i;

/** Whether a migration can lose data, so that it is worth a backup and a comparison. */
export function isDestructive({ statements }: Migration): boolean {
  return statements.some((statement) => !ADDITIVE.test(withoutComments(statement)));
}

/** @throws `MIGRATION_FAILED` for a statement that would end the transaction all migrations run in */
export function refuseControl({ tag, statements }: Migration): void {
  const control = statements.find((statement) => CONTROL.test(withoutComments(statement)));
  if (control === undefined) return;
  throw new DrizzleHonkerError(
    "MIGRATION_FAILED",
    `migration "${tag}" contains "${withoutComments(control).trim()}", but all migrations run in one transaction`,
    { hint: "Remove the statement", details: { tag, statement: control } },
  );
}

/** Counts what must still be there afterwards. */
export function takeSnapshot(client: HonkerClient): Snapshot {
  const names = client
    .prepare(TABLES)
    .rows()
    .map(([name]) => String(name));
  const rows = new Map<string, number>();
  for (const name of names) {
    if (ENGINE_TABLE.test(name)) continue;
    rows.set(name, Number(client.prepare(`SELECT count(*) FROM ${quoted(name)}`).row()?.[0]));
  }
  return {
    rows,
    engineTables: names.filter((name) => ENGINE_TABLE.test(name)),
    orphans: countOrphans(client),
  };
}

/** What the check needs besides the two snapshots. */
export interface SafetyRules {
  readonly migration: Migration;
  /** Tables that may have fewer rows afterwards. */
  readonly allowFewerRows: readonly string[];
}

/**
 * Compares two snapshots.
 *
 * @throws `MIGRATION_UNSAFE` when a table lost rows that no statement of the migration deletes from it,
 * when rows point to a parent that is gone, or when a table of the engine is gone
 */
export function requireSafe(before: Snapshot, after: Snapshot, rules: SafetyRules): void {
  const { tag } = rules.migration;
  for (const name of before.engineTables) {
    if (after.engineTables.includes(name)) continue;
    throw unsafe(`migration "${tag}" drops "${name}", which belongs to the engine`, {
      hint: 'Set tablesFilter: ["!_honker_*", "!_alk_*"] in drizzle.config.ts and generate it again',
      details: { table: name },
    });
  }
  for (const [name, count] of before.rows) {
    const left = after.rows.get(name);
    if (left === undefined || left >= count) continue;
    if (rules.allowFewerRows.includes(name) || deletesFrom(rules.migration, name)) continue;
    throw unsafe(`migration "${tag}" leaves ${left} of ${count} rows in "${name}"`, {
      hint: `If that is what you want, pass allowFewerRows: ["${name}"]`,
      details: { table: name, before: count, after: left },
    });
  }
  for (const [key, count] of after.orphans) {
    const already = before.orphans.get(key) ?? 0;
    if (count <= already) continue;
    const [child, parent] = JSON.parse(key) as [string, string];
    throw unsafe(
      `migration "${tag}" leaves ${count - already} rows of "${child}" without their parent in "${parent}"`,
      {
        hint: "Delete or change those rows in the migration",
        details: { table: child, parent, rows: count - already },
      },
    );
  }
}

function deletesFrom({ statements }: Migration, table: string): boolean {
  const name = table.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^\\s*delete\\s+from\\s+["'\`[]?${name}["'\`\\]]?(\\s|;|$)`, "i");
  return statements.some((statement) => pattern.test(withoutComments(statement)));
}

function countOrphans(client: HonkerClient): ReadonlyMap<string, number> {
  const orphans = new Map<string, number>();
  for (const [child, , parent] of client.prepare(FOREIGN_KEY_CHECK).iterate()) {
    const key = JSON.stringify([child, parent]);
    orphans.set(key, (orphans.get(key) ?? 0) + 1);
  }
  return orphans;
}

function unsafe(
  message: string,
  options: { hint: string; details: Readonly<Record<string, unknown>> },
): DrizzleHonkerError {
  return new DrizzleHonkerError("MIGRATION_UNSAFE", `${message}; nothing was changed`, options);
}
