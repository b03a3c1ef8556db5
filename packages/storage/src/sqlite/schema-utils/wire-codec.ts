import { isInt64 } from "drizzle-honker";
import type { Column } from "drizzle-orm";
import { columnSchema, isInt64Column } from "./column-schema.ts";
import { customCodec } from "./custom-codec.ts";
import { isJson } from "./json-schemas.ts";
import { BIGINT, BYTES, DATE, INTEGER_64, type WireCodec } from "./wire-codecs.ts";

/** The codec of a column. */
export function wireCodec(column: Column): WireCodec {
  switch (column.dataType) {
    case "date":
      return DATE;
    case "bigint":
      return isInt64Column(column) ? INTEGER_64 : BIGINT;
    case "buffer":
      return BYTES;
    case "custom":
      return isInt64(column) ? INTEGER_64 : customCodec(column);
    default:
      return plainCodec(column);
  }
}

/** Values that are JSON already. */
function plainCodec(column: Column): WireCodec {
  const { dataType } = column;
  const type = dataType === "json" ? "JSON value" : dataType;
  const same = (value: unknown): unknown => {
    const fits = dataType === "json" ? value !== null && isJson(value) : isScalar(value, dataType);
    return fits ? value : undefined;
  };
  return {
    schema: columnSchema(column),
    value: `a ${type}`,
    wire: `a ${type}`,
    toWire: same,
    fromWire: same,
  };
}

function isScalar(value: unknown, type: string): boolean {
  return typeof value === type && (type !== "number" || Number.isFinite(value));
}
