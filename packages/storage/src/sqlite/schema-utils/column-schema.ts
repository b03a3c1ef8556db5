import { type TSchema, Type } from "@sinclair/typebox";
import { isInt64 } from "drizzle-honker";
import { type Column, is } from "drizzle-orm";
import { SQLiteInteger, SQLiteNumericBigInt, SQLiteText } from "drizzle-orm/sqlite-core";
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
      return is(column, SQLiteInteger) ? SAFE_INTEGER : Type.Number();
    case "boolean":
      return Type.Boolean();
    case "date":
      return Type.Date();
    case "bigint":
      return Type.BigInt(isInt64Column(column) ? INT64 : {});
    case "buffer":
      return Type.Uint8Array();
    case "json":
      return jsonValueSchema();
    default:
      return isInt64(column) ? Type.BigInt(INT64) : Type.Unsafe({});
  }
}

/** Whether the column's bigints end at 64 bits; those in a BLOB do not. */
export function isInt64Column(column: Column): boolean {
  return isInt64(column) || is(column, SQLiteNumericBigInt);
}

const SAFE_INTEGER = Type.Integer({
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
});

function textSchema(column: Column): TSchema {
  const values = column.enumValues ?? [];
  if (values.length > 0) return Type.Union(values.map((value) => Type.Literal(value)));
  const length = is(column, SQLiteText) ? column.length : undefined;
  return Type.String(length === undefined ? {} : { maxLength: length });
}
