import { type TSchema, Type } from "@sinclair/typebox";
import { INT64 } from "./column-schema.ts";

/** How the values of a column travel as JSON, null aside. */
export interface WireCodec {
  /** Of the JSON value; JSON Schema without references or formats. */
  readonly schema: TSchema;
  /** What the column takes, for messages: "a date". */
  readonly value: string;
  /** What it is as JSON, for messages. */
  readonly wire: string;
  /** The JSON value; `undefined` where the value is none of the column's. */
  toWire(value: unknown): unknown;
  /** The column's value; `undefined` where the JSON value is none of it. */
  fromWire(wire: unknown): unknown;
}

/** ISO 8601 in UTC, as Date.prototype.toISOString writes it; the fraction is optional. */
const MOMENT =
  /^(\d{4}|[+-]\d{6})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z$/;
const DECIMAL = /^(0|-?[1-9]\d*)$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Moments. */
export const DATE: WireCodec = {
  schema: Type.String({ pattern: MOMENT.source }),
  value: "a valid Date",
  wire: "an ISO 8601 moment in UTC, such as 2026-01-31T12:00:00Z",
  toWire: (value) =>
    value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined,
  fromWire: (wire) => {
    if (typeof wire !== "string" || !MOMENT.test(wire)) return undefined;
    const date = new Date(wire);
    if (Number.isNaN(date.getTime())) return undefined;
    // the 30th of February would be a day of March
    return date.toISOString().startsWith(wire.replace(/(\.\d+)?Z$/, "")) ? date : undefined;
  },
};

/** Integers of any size. */
export const BIGINT: WireCodec = {
  schema: Type.String({ pattern: DECIMAL.source }),
  value: "a bigint",
  wire: "an integer as a decimal string",
  toWire: (value) => (typeof value === "bigint" ? value.toString() : undefined),
  fromWire: (wire) => (typeof wire === "string" && DECIMAL.test(wire) ? BigInt(wire) : undefined),
};

/** What an INTEGER of SQLite holds. */
export const INTEGER_64: WireCodec = {
  ...BIGINT,
  value: "a bigint of at most 64 bits",
  wire: "an integer of at most 64 bits as a decimal string",
  toWire: (value) => (isInteger64(value) ? value.toString() : undefined),
  fromWire: (wire) => {
    // no number of 64 bits is longer, and to parse a long one takes long
    if (typeof wire === "string" && wire.length > 20) return undefined;
    const value = BIGINT.fromWire(wire);
    return isInteger64(value) ? value : undefined;
  },
};

function isInteger64(value: unknown): value is bigint {
  return typeof value === "bigint" && value >= INT64.minimum && value <= INT64.maximum;
}

/** Bytes as base64 (RFC 4648, section 4), padded. */
export const BYTES: WireCodec = {
  schema: Type.String({ pattern: BASE64.source, contentEncoding: "base64" }),
  value: "a Buffer",
  wire: "bytes as base64",
  toWire: (value) => {
    if (!(value instanceof Uint8Array)) return undefined;
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  },
  fromWire: (wire) => {
    if (typeof wire !== "string") return undefined;
    const bytes = Buffer.from(wire, "base64");
    // Buffer skips what it does not understand
    return bytes.toString("base64") === wire ? bytes : undefined;
  },
};
