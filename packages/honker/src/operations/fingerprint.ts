import { createHash, type Hash } from "node:crypto";
import type { Connection, SqlValue } from "../sqlite/connection.ts";

const OBJECTS = `SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name`;
/** Without the schema's own table: it holds page numbers, and the objects are compared by themselves. */
const TABLES = `SELECT name FROM pragma_table_list
  WHERE schema = 'main' AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name`;

/** What a database holds, in a form that two of them can be compared by. */
export interface Fingerprint {
  /** Schema objects by `type name`, with the SQL that made them. */
  readonly objects: Readonly<Record<string, string>>;
  /** Tables by name, virtual tables through the tables they store their rows in. */
  readonly tables: Readonly<Record<string, TableFingerprint>>;
}

interface TableFingerprint {
  readonly rows: number;
  /** SHA-256 of every value of every row, where contents were asked for. */
  readonly sha256?: string;
}

/** Takes the fingerprint of what `connection` sees. With `contents` every row is read. */
export function fingerprint(connection: Connection, contents: boolean): Fingerprint {
  const objects: Record<string, string> = {};
  for (const [type, name, sql] of connection.prepare(OBJECTS).rows([])) {
    objects[`${type} ${name}`] = String(sql);
  }
  const tables: Record<string, TableFingerprint> = {};
  for (const [value] of connection.prepare(TABLES).rows([])) {
    const name = String(value);
    tables[name] = contents ? hashRows(connection, name) : { rows: countRows(connection, name) };
  }
  return { objects, tables };
}

/** How `copy` differs from `source`, one sentence each; empty when they are equal. */
export function differences(source: Fingerprint, copy: Fingerprint): string[] {
  const found: string[] = [];
  for (const name of new Set([...Object.keys(source.objects), ...Object.keys(copy.objects)])) {
    if (source.objects[name] !== copy.objects[name])
      found.push(`${name} is not the same in the copy`);
  }
  for (const [name, table] of Object.entries(source.tables)) {
    const other = copy.tables[name];
    if (other === undefined || other.rows !== table.rows) {
      found.push(
        `table ${name} has ${other?.rows ?? "no"} rows in the copy, ${table.rows} in the source`,
      );
    } else if (other.sha256 !== table.sha256) {
      found.push(`table ${name} has other contents in the copy`);
    }
  }
  return found;
}

function countRows(connection: Connection, table: string): number {
  return Number(connection.prepare(`SELECT count(*) FROM ${quote(table)}`).row([])?.[0]);
}

function hashRows(connection: Connection, table: string): TableFingerprint {
  const hash = createHash("sha256");
  let rows = 0;
  // a page-by-page copy reads in the same order as its source
  for (const row of connection.prepare(`SELECT * FROM ${quote(table)}`).iterate([], "bigint")) {
    for (const value of row) hashValue(hash, value);
    rows += 1;
  }
  return { rows, sha256: hash.digest("hex") };
}

/** Type, length, bytes: no two rows of different values give the same input. */
function hashValue(hash: Hash, value: SqlValue): void {
  if (value === null) {
    hash.update("0;");
  } else if (value instanceof Uint8Array) {
    hash.update(`b${value.byteLength};`).update(value);
  } else {
    const text = Object.is(value, -0) ? "-0" : String(value);
    hash.update(`${typeof value}${Buffer.byteLength(text)};`).update(text);
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
