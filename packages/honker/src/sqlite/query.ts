import { HonkerError } from "../errors.ts";
import type { IntegerMode, Row, SqlInput, SqlValue, Statement } from "./connection.ts";
import { mayBeRounded, refuseRounded } from "./sql-values.ts";

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
  if (options.integers === "bigint") return rows;
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (mayBeRounded(value)) refuseRounded(value, statement.refreshColumns()[i]);
    }
  }
  return rows;
}

/** Runs a statement and returns object rows. @throws `DUPLICATE_COLUMN` before anything is run. */
export function objectRows(
  statement: Statement,
  params: readonly SqlInput[],
  options: QueryOptions = {},
): Row[] {
  requireDistinctNames(statement);
  const rows = statement.objects(params, options.integers);
  const first = rows[0];
  if (first !== undefined) requireSameWidth(first, statement);
  if (options.integers !== "bigint") for (const row of rows) checkIntegers(row, statement);
  return rows;
}

/** As {@link objectRows}, one row at a time; the statement stays open until the iteration ends. */
export function* iterateObjects(
  prepare: () => Statement,
  params: readonly SqlInput[],
  options: QueryOptions = {},
): IterableIterator<Row> {
  const statement = prepare();
  requireDistinctNames(statement);
  let first = true;
  for (const row of statement.iterateObjects(params, options.integers)) {
    if (first) requireSameWidth(row, statement);
    first = false;
    if (options.integers !== "bigint") checkIntegers(row, statement);
    yield row;
  }
}

function checkIntegers(row: Row, statement: Statement): void {
  for (const name in row) {
    const value = row[name];
    if (!mayBeRounded(value)) continue;
    refuseRounded(
      value,
      statement.refreshColumns().find((column) => column.name === name),
    );
  }
}

/** A schema change since the statement was prepared can add a column to `SELECT *`. */
function requireSameWidth(row: Row, statement: Statement): void {
  if (Object.keys(row).length === statement.columns().length) return;
  statement.refreshColumns();
  requireDistinctNames(statement);
}

function requireDistinctNames(statement: Statement): void {
  const names = statement.columns().map((column) => column.name);
  if (new Set(names).size === names.length) return;
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
