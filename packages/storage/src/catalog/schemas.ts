import { type TObject, type TProperties, type TString, Type } from "@sinclair/typebox";

/** An id: any text but the empty one. */
export const Id: TString = Type.String({ minLength: 1 });

/** A moment as milliseconds since 1970-01-01T00:00:00Z. */
export const Timestamp = Type.Integer({ minimum: 0 });

/** An object with these properties and no others, so that a misspelt one is refused. */
export function Exact<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false });
}

/** What changed in a row: column names and their new values. */
export const Changes = Type.Record(Type.String(), Type.Unknown());
