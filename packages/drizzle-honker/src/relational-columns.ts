import { type Column, is, type SQL, type SQLChunk, sql } from "drizzle-orm";
import { SQLiteColumn, SQLiteNumeric, SQLiteNumericBigInt } from "drizzle-orm/sqlite-core";
import { decodesNothing } from "./drizzle-internals.ts";
import { isInt64 } from "./int64.ts";
import { unsafeInteger } from "./row-plan.ts";

/** How a column gets through the JSON in which SQLite collects the rows of a relation. */
export interface NestedColumn {
  /** The expression to put into the JSON instead of the column. */
  readonly select: ((column: SQLChunk) => SQL) | undefined;
  readonly decode: (value: unknown) => unknown;
}

/**
 * JSON has no bytes, so BLOBs travel as hexadecimal text; and JavaScript rounds its large numbers, so
 * exact integers travel as decimal text.
 */
export function nestedColumn(column: Column, path: string): NestedColumn {
  if (is(column, SQLiteColumn) && column.getSQLType().toLowerCase() === "blob") {
    return {
      select: (value) => sql`iif(${value} is null, null, hex(${value}))`,
      decode: (value) => column.mapFromDriverValue(Buffer.from(String(value), "hex")),
    };
  }
  if (isInt64(column) || is(column, SQLiteNumericBigInt)) {
    return {
      select: (value) => sql`cast(${value} as text)`,
      decode: (value) => column.mapFromDriverValue(value),
    };
  }
  if (is(column, SQLiteNumeric)) {
    return {
      select: (value) => sql`iif(typeof(${value}) = 'integer', cast(${value} as text), ${value})`,
      decode: (value) => column.mapFromDriverValue(value),
    };
  }
  const decode = decodesNothing(column)
    ? (value: unknown) => value
    : (value: unknown) => column.mapFromDriverValue(value);
  if (!is(column, SQLiteColumn) || !/int/i.test(column.getSQLType())) {
    return { select: undefined, decode };
  }
  return {
    select: undefined,
    decode: (value) => {
      if (typeof value === "number" && !isExact(value)) {
        throw unsafeInteger(path, `about ${value}`);
      }
      return decode(value);
    },
  };
}

/** A REAL in an INTEGER column keeps its fraction and cannot have been rounded here. */
function isExact(value: number): boolean {
  return Number.isSafeInteger(value) || !Number.isInteger(value);
}
