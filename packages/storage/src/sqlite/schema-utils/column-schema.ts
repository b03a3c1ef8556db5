import { type TSchema, Type } from "@sinclair/typebox";
import { isInt64 } from "drizzle-honker";
import { type Column, is } from "drizzle-orm";
import {
  SQLiteInteger,
  SQLiteNumericBigInt,
  SQLiteReal,
  SQLiteText,
} from "drizzle-orm/sqlite-core";
import { jsonValueSchema } from "./json-schemas.ts";

/** The integers that an INTEGER of SQLite can hold. */
export const INT64 = { minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n } as const;

/**
 * The schema of a column's values as Drizzle gives and takes them, null aside. A custom type says nothing
 * about its values, so that any fit; `int64()` is known.
 */
export function columnSchema(column: Column): TSchema {
  switch (column.dataType) {
    case "string":
      return textSchema(column);
    case "number":
      if (is(column, SQLiteInteger)) return Type.Integer(SAFE);
      return is(column, SQLiteReal) ? Type.Number() : Type.Number(SAFE);
    case "boolean":
      return Type.Boolean();
    case "date":
      return Type.Date();
    case "bigint":
      return isInt64Column(column) ? INTEGER_64 : Type.BigInt();
    case "buffer":
      return Type.Uint8Array();
    case "json":
      return jsonValueSchema();
    default:
      return isInt64(column) ? INTEGER_64 : NOT_NULL;
  }
}

/** Whether the column's bigints end at 64 bits; those in a BLOB do not. */
export function isInt64Column(column: Column): boolean {
  return isInt64(column) || is(column, SQLiteNumericBigInt);
}

/** The bounds are powers of two: TypeBox compiles them as numbers, and 2^63 - 1 would be rounded. */
const INTEGER_64 = Type.BigInt({ minimum: INT64.minimum, exclusiveMaximum: INT64.maximum + 1n });

const NOT_NULL = Type.Not(Type.Union([Type.Null(), Type.Undefined()]));

/** Of NUMERIC columns too: SQLite makes 2^53 an INTEGER there, which cannot be read as a number. */
const SAFE = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } as const;

function textSchema(column: Column): TSchema {
  const values = column.enumValues ?? [];
  if (values.length > 0) return Type.Union(values.map((value) => Type.Literal(value)));
  const length = is(column, SQLiteText) ? column.length : undefined;
  return Type.String(length === undefined ? {} : { maxLength: length });
}
