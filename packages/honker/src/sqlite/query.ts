import type { IntegerMode, SqlValue, Statement } from "./connection.ts";
import type { SqlInput } from "./connection.ts";
import { HonkerError } from "../errors.ts";
import { refuseRoundedIntegers } from "./sql-values.ts";

/** A row as an object; columns in select order. */
export type Row = Record<string, SqlValue>;

/** How a query returns its values. */
export interface QueryOptions {
  /**
   * Default `"number"`: an integer beyond ±(2^53 − 1) throws `UNSAFE_INTEGER` instead of being
   * rounded. `"bigint"` returns every INTEGER as a bigint.
   */
  readonly integers?: IntegerMode;
}

/** Runs a statement and returns positional rows, with integers checked. */
export function positionalRows(
  statement: Statement,
  params: readonly SqlInput[],
  options: QueryOptions = {},
): SqlValue[][] {
  const rows = statement.rows(params, options.integers);
  if (options.integers === "bigint" || rows.length === 0) return rows;
  const names = statement.columnNames();
  const types = (): readonly (string | null)[] => statement.columnTypes();
  for (const row of rows) refuseRoundedIntegers(row, names, types);
  return rows;
}

/** Runs a statement and returns object rows. @throws `DUPLICATE_COLUMN` before anything is run. */
export function objectRows(
  statement: Statement,
  params: readonly SqlInput[],
  options?: QueryOptions,
): Row[] {
  const names = distinctNames(statement);
  return positionalRows(statement, params, options).map((row) => toObject(names, row));
}

/** As {@link objectRows}, one row at a time; the statement stays open until the iteration ends. */
export function* iterateObjects(
  statement: Statement,
  params: readonly SqlInput[],
  options: QueryOptions = {},
): IterableIterator<Row> {
  const names = distinctNames(statement);
  const types = (): readonly (string | null)[] => statement.columnTypes();
  for (const row of statement.iterate(params, options.integers)) {
    if (options.integers !== "bigint") refuseRoundedIntegers(row, names, types);
    yield toObject(names, row);
  }
}

function toObject(names: readonly string[], values: readonly SqlValue[]): Row {
  const row: Row = {};
  for (let i = 0; i < names.length; i++) row[names[i] as string] = values[i] as SqlValue;
  return row;
}

function distinctNames(statement: Statement): readonly string[] {
  const names = statement.columnNames();
  if (new Set(names).size === names.length) return names;
  const repeated = names.find((name, index) => names.indexOf(name) !== index) as string;
  throw new HonkerError(
    "DUPLICATE_COLUMN",
    `the statement returns more than one column named "${repeated}", which an object row cannot hold`,
    {
      hint: `Give one an alias (AS ${repeated}_2), or read positional rows with rows()`,
      details: { column: repeated, sql: statement.sql },
    },
  );
}
