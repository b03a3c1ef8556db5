import { type TObject, type TProperties, type TString, Type } from "@sinclair/typebox";

/** An id: any text but the empty one. */
export const Id: TString = Type.String({ minLength: 1 });

/** A moment in ISO 8601 with its zone, as call events carry it: `2026-06-01T03:00:00.000Z`. */
export const IsoTime: TString = Type.String({
  pattern:
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
});

/** A moment as milliseconds since 1970-01-01T00:00:00Z. */
export const Timestamp = Type.Integer({ minimum: 0 });

/** What one may do: segments joined by colons; `*` as the last one means everything below. */
export const Scope: TString = Type.String({
  pattern: "^([^:*\\s]+:)*(\\*|[^:*\\s]+)$",
  maxLength: 256,
});

/** Actions by resource, the resource written as `type:id`. */
export const ResourceActions = Type.Record(
  Type.String(),
  Type.Array(Type.String({ minLength: 1 })),
);

/** An object with these properties and no others. */
export function exact<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false });
}
