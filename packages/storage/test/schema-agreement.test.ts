import type { Database } from "@alkdev/honker";
import {
  createSystemDatabase,
  createTenantDatabase,
  systemSchema,
  tenantSchema,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { Column, is, SQL } from "drizzle-orm";
import { getTableConfig, SQLiteSyncDialect, SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";

const dialect = new SQLiteSyncDialect();

describe.each([
  { kind: "system", create: createSystemDatabase, schema: systemSchema },
  { kind: "tenant", create: createTenantDatabase, schema: tenantSchema },
])("the $kind file is what its Drizzle tables say", ({ create, schema }) => {
  const tables = Object.values(schema).filter((entry) => is(entry, SQLiteTable));

  test("every table is there, and no other", () => {
    const db = created(create);
    const names = db.rows(
      `SELECT name FROM sqlite_master WHERE type = 'table'
       AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name`,
    );
    expect(names.flat()).toEqual(tables.map((table) => getTableConfig(table).name).sort());
  });

  test.each(tables.map((table) => [getTableConfig(table).name, table] as const))(
    "%s",
    (name, table) => {
      const db = created(create);
      const config = getTableConfig(table);
      expect(columnsInFile(db, name)).toEqual(
        config.columns.map((column) => ({
          name: column.name,
          type: column.getSQLType().toUpperCase(),
          notNull: column.notNull,
          primary: column.primary,
          default:
            column.hasDefault && column.default !== undefined ? defaultOf(column.default) : null,
        })),
      );
      expect(foreignKeysInFile(db, name)).toEqual(
        config.foreignKeys
          .map((key) => {
            const { columns, foreignColumns, foreignTable } = key.reference();
            const from = columns.map((column) => column.name).join();
            const to = foreignColumns.map((column) => column.name).join();
            return `${from} -> ${getTableConfig(foreignTable).name}(${to}) ${key.onDelete}`;
          })
          .sort(),
      );
      const unique = config.uniqueConstraints.map(
        (constraint) => `unique ${constraint.getName()} (${namesOf(constraint.columns)})`,
      );
      const columnUnique = config.columns.flatMap((column) =>
        column.isUnique ? [`unique ${column.uniqueName} (${column.name})`] : [],
      );
      const plain = config.indexes.map(
        ({ config: { name, columns, where } }) =>
          `index ${name} (${namesOf(columns)})${where === undefined ? "" : " partial"}`,
      );
      expect(indexesInFile(db, name)).toEqual([...unique, ...columnUnique, ...plain].sort());
      expect(checksInFile(db, name)).toEqual(
        config.checks
          .map((check) => `${check.name}: ${normal(dialect.sqlToQuery(check.value).sql, name)}`)
          .sort(),
      );
    },
  );
});

function created(create: (client: Database) => unknown): Database {
  const db = tempDatabase();
  create(db);
  return db;
}

function columnsInFile(db: Database, table: string): unknown[] {
  return db
    .rows('SELECT name, type, "notnull", pk, dflt_value FROM pragma_table_info(?)', [table])
    .map(([name, type, notNull, primary, fallback]) => ({
      name,
      type,
      notNull: notNull === 1,
      primary: primary === 1,
      default: fallback,
    }));
}

/** As pragma_table_info shows a default. */
function defaultOf(value: unknown): string {
  if (is(value, SQL)) return dialect.sqlToQuery(value).sql.replace(/^\((.*)\)$/, "$1");
  if (typeof value === "object") return `'${JSON.stringify(value)}'`;
  return typeof value === "string" ? `'${value}'` : String(value);
}

function foreignKeysInFile(db: Database, table: string): string[] {
  return db
    .rows(
      `SELECT group_concat("from", ','), "table", group_concat("to", ','), lower(on_delete)
       FROM (SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq) GROUP BY id`,
      [table],
    )
    .map(([from, target, to, onDelete]) => `${from} -> ${target}(${to}) ${onDelete}`)
    .sort();
}

function indexesInFile(db: Database, table: string): unknown[] {
  return db
    .rows(
      `SELECT i.name, i."unique", i.partial,
         (SELECT group_concat(coalesce(c.name, '?'), ',') FROM pragma_index_info(i.name) c)
       FROM pragma_index_list(?) i WHERE i.origin <> 'pk'`,
      [table],
    )
    .map(
      ([name, unique, partial, columns]) =>
        `${unique === 1 ? "unique" : "index"} ${name} (${columns})${partial === 1 ? " partial" : ""}`,
    )
    .sort();
}

/** Expressions as `?`, as pragma_index_info shows them. */
function namesOf(columns: readonly unknown[]): string {
  return columns.map((column) => (is(column, Column) ? column.name : "?")).join();
}

function checksInFile(db: Database, table: string): string[] {
  const sql = String(db.rows("SELECT sql FROM sqlite_master WHERE name = ?", [table])[0]?.[0]);
  return [...sql.matchAll(/CONSTRAINT (\w+) CHECK \((.*)\),?$/gm)]
    .map(([, name, condition]) => `${name}: ${normal(condition ?? "", table)}`)
    .sort();
}

function normal(condition: string, table: string): string {
  return condition.replaceAll(`"${table}".`, "").replaceAll('"', "");
}
