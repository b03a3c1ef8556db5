import { type TSchema, Type } from "@sinclair/typebox";
import type { Column } from "drizzle-orm";
import { BIGINT, BYTES, type WireCodec } from "./wire-codecs.ts";

/** What SQLite makes of a declared type (https://sqlite.org/datatype3.html#determination_of_column_affinity). */
type Affinity = "integer" | "text" | "blob" | "real" | "numeric";

/**
 * The codec of a custom type: what travels is what the type's own mapping gives to the driver, bigints as
 * decimal strings and bytes as base64. So it comes back through the same mapping, whatever the type is.
 */
export function customCodec(column: Column): WireCodec {
  const { schema, wire, toWire, fromWire } = FORMS[affinityOf(column.getSQLType())];
  return {
    schema,
    wire,
    value: `a value of the custom type ${column.getSQLType()}`,
    toWire: (value) => toWire(column.mapToDriverValue(value)),
    fromWire: (json) => {
      const value = fromWire(json);
      return value === undefined ? undefined : column.mapFromDriverValue(value);
    },
  };
}

function affinityOf(sqlType: string): Affinity {
  const type = sqlType.toUpperCase();
  if (type.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(type)) return "text";
  if (type === "" || type.includes("BLOB")) return "blob";
  return /REAL|FLOA|DOUB/.test(type) ? "real" : "numeric";
}

type Form = Pick<WireCodec, "wire" | "toWire" | "fromWire"> & { readonly schema: TSchema };

const NUMBER = same("a number", Type.Number(), Number.isFinite);

const FORMS: Readonly<Record<Affinity, Form>> = {
  text: same("a string", Type.String(), (value) => typeof value === "string"),
  real: NUMBER,
  blob: BYTES,
  integer: {
    wire: "an integer, as a number or a decimal string",
    schema: Type.Union([Type.Integer(), BIGINT.schema]),
    toWire: (value) => (typeof value === "bigint" ? BIGINT.toWire(value) : integer(value)),
    fromWire: (json) => (typeof json === "string" ? BIGINT.fromWire(json) : integer(json)),
  },
  numeric: same(
    "a number, a string or a boolean",
    Type.Union([Type.Number(), Type.String(), Type.Boolean()]),
    (value) => ["string", "boolean"].includes(typeof value) || Number.isFinite(value),
  ),
};

function same(wire: string, schema: TSchema, fits: (value: unknown) => boolean): Form {
  const pass = (value: unknown): unknown => (fits(value) ? value : undefined);
  return { wire, schema, toWire: pass, fromWire: pass };
}

function integer(value: unknown): unknown {
  return Number.isSafeInteger(value) ? value : undefined;
}
