import { HonkerError } from "@alkdev/honker";
import { is } from "drizzle-orm";
import { customType, SQLiteNumeric } from "drizzle-orm/sqlite-core";
import { customDecoder, type Decoder } from "./drizzle-internals.ts";

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

function toDriver(value: bigint): bigint {
  if (typeof value === "bigint" && value >= MIN && value <= MAX) return value;
  throw new HonkerError(
    "INVALID_PARAMETER",
    `an int64 column takes a bigint between -2^63 and 2^63 - 1, got ${typeof value} ${String(value)}`,
  );
}

function fromDriver(value: bigint | number | string): bigint {
  return BigInt(value);
}

/**
 * An INTEGER column that is exact over all 64 bits, as a `bigint`. Drizzle's `integer()` is a
 * JavaScript number: exact up to 2^53, and read by this driver with `UNSAFE_INTEGER` beyond.
 *
 * @example
 * ```ts
 * const accounts = sqliteTable("accounts", { id: int64().primaryKey(), balance: int64().notNull() });
 * ```
 */
export const int64: ReturnType<typeof customType<{ data: bigint; driverData: bigint }>> =
  customType<{ data: bigint; driverData: bigint }>({
    dataType: () => "integer",
    toDriver,
    fromDriver: fromDriver as (value: bigint) => bigint,
  });

/** Whether a decoder loses nothing when it is given a bigint, so that integers may be read exactly. */
export function wantsExactIntegers(decoder: Decoder): boolean {
  return isInt64(decoder) || is(decoder, SQLiteNumeric);
}

/** Whether the column was declared with {@link int64}. */
export function isInt64(column: unknown): boolean {
  return customDecoder(column) === fromDriver;
}
