import { ABSENT, SEPARATOR } from "../row-sum.ts";
import type { Field } from "./copy-text.ts";
import type { Source } from "./source.ts";

/** The rows of one table as the import reads them. */
export interface TableQuery {
  /** Name of the table in the source. */
  readonly table: string;
  /** Names of the fields of a row. The first two are always `org`, "" for none, and `id`. */
  readonly fields: readonly string[];
  /** SELECT with the fields in that order, every one text, `org` never NULL. */
  readonly select: string;
}

/** Where reading goes on: behind this row. */
export interface Position {
  readonly org: string;
  readonly id: string;
}

/** Makes a {@link TableQuery} of expressions. */
export function tableQuery(
  table: string,
  from: string,
  expressions: Readonly<Record<string, string>> & { readonly org: string; readonly id: string },
): TableQuery {
  const { org, id, ...others } = expressions;
  const fields = ["org", "id", ...Object.keys(others)];
  const values = [`coalesce(${org}, '')`, id, ...Object.values(others)];
  const columns = values.map((value, index) => `${value} AS "${fields[index]}"`);
  return { table, fields, select: `SELECT ${columns.join(",\n  ")}\n${from}` };
}

/** The rows in order of organization and id, behind a position. */
export function inOrder(source: Source, query: TableQuery, after: Position | null): string {
  const behind =
    after === null
      ? ""
      : `WHERE (q.org COLLATE "C", q.id COLLATE "C") > (${source.quote(after.org)}, ${source.quote(after.id)})`;
  return `SELECT * FROM (${query.select}) q ${behind} ORDER BY q.org COLLATE "C", q.id COLLATE "C"`;
}

/** Count and checksum of the rows as PostgreSQL computes them. */
export async function sourceSum(
  source: Source,
  query: TableQuery,
): Promise<{ readonly rows: number; readonly sum: string }> {
  const values = query.fields.map(
    (field) => `coalesce(q."${field}", chr(${ABSENT.charCodeAt(0)}))`,
  );
  const text = `concat_ws(chr(${SEPARATOR.charCodeAt(0)}), ${values.join(", ")})`;
  const [row] = await source.rows(
    `SELECT count(*)::text,
      coalesce(sum(('x' || left(md5(${text}), 16))::bit(64)::bigint::numeric), 0)::text
     FROM (${query.select}) q`,
  );
  const [rows, sum] = row as Field[];
  return { rows: Number(rows), sum: sum as string };
}

/** How many rows a table has, without any of the joins of a query. */
export async function countOf(source: Source, qualified: string): Promise<number> {
  const [row] = await source.rows(`SELECT count(*)::text FROM ${qualified}`);
  return Number((row as Field[])[0]);
}
