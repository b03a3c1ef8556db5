import { Column, is, type SQL, type Table } from "drizzle-orm";
import type { SQLiteTable, SQLiteView } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";
import { type Field, type Fields, nestedFields, readEntity } from "./fields.ts";
import { isJson } from "./json-schemas.ts";
import type { FieldsOf, WireValue } from "./table-types.ts";
import { wireCodec } from "./wire-codec.ts";
import { BIGINT, BYTES, DATE, type WireCodec } from "./wire-codecs.ts";

/** A whole row of a table or view as it travels as JSON. */
export type WireRow<E extends SQLiteTable | SQLiteView> = WireFields<FieldsOf<E>>;

type WireFields<F> = { -readonly [Key in keyof F]: WireField<F[Key]> };

type WireField<F> = F extends Column
  ? WireColumn<F["_"]> | (F["_"]["notNull"] extends true ? never : null)
  : F extends SQL<infer T> | SQL.Aliased<infer T>
    ? WireValue<T>
    : F extends Table
      ? WireFields<F["_"]["columns"]>
      : WireFields<F>;

type WireColumn<C extends Column["_"]> = C["dataType"] extends "date" | "bigint" | "buffer"
  ? string
  : C["dataType"] extends "custom"
    ? WireValue<C["driverParam"]>
    : C["data"];

/** A row, or some columns of one, as it travels as JSON. */
export type ToWire<E extends SQLiteTable | SQLiteView, Row> = {
  [Key in keyof Row]: Key extends keyof WireRow<E> ? WireRow<E>[Key] : never;
};

/** Values that travelled as JSON, as Drizzle takes them. */
export type FromWire<E extends SQLiteTable, Values> = {
  [Key in keyof Values]: Key extends keyof E["$inferSelect"] ? E["$inferSelect"][Key] : never;
};

/**
 * A row as it travels as JSON: moments as ISO 8601 strings in UTC, bigints as decimal strings, bytes as
 * base64, custom types as they are stored. Takes whole rows and parts of them; `undefined` is left out.
 *
 * @throws StorageError `INVALID_ARGUMENT` for a property that is no column, and for a value that is none
 * of its column
 * @example
 * ```ts
 * toWire(apiKeys, row).createdAt; // "2026-06-01T03:00:00.000Z"
 * ```
 */
export function toWire<
  E extends SQLiteTable | SQLiteView,
  Row extends Readonly<Partial<E["$inferSelect"]>>,
>(entity: E, row: Row): ToWire<E, Row> {
  const { name, fields } = readEntity(entity);
  return fieldsToWire(fields, row, name) as ToWire<E, Row>;
}

/**
 * Values that travelled as JSON, as Drizzle takes them: the reverse of {@link toWire}. It checks only what
 * it must read; check the rest with a schema made with `wire: true`.
 *
 * @throws StorageError `INVALID_ARGUMENT` for a property that is no column, and for a value that is not
 * the form its column travels in
 * @example
 * ```ts
 * db.insert(apiKeys).values(fromWire(apiKeys, input)).run();
 * ```
 */
export function fromWire<E extends SQLiteTable, Values extends Readonly<Partial<WireRow<E>>>>(
  table: E,
  values: Values,
): FromWire<E, Values> {
  const { name, fields } = readEntity(table);
  const row: Record<string, unknown> = {};
  for (const [key, wire] of entriesOf(values, name)) {
    const field = fieldAt(fields, key, name);
    const codec = is(field, Column) ? codecOf(field) : EXPRESSION;
    const value = wire === null ? null : codec.fromWire(wire);
    if (value === undefined) throw refusal(`${name}.${key}`, codec.wire, wire);
    row[key] = value;
  }
  return row as FromWire<E, Values>;
}

const codecs = new WeakMap<Column, WireCodec>();

function codecOf(column: Column): WireCodec {
  const known = codecs.get(column);
  if (known !== undefined) return known;
  const codec = wireCodec(column);
  codecs.set(column, codec);
  return codec;
}

function fieldsToWire(fields: Fields, row: unknown, name: string): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  for (const [key, value] of entriesOf(row, name)) {
    wire[key] =
      value === null ? null : fieldToWire(fieldAt(fields, key, name), value, `${name}.${key}`);
  }
  return wire;
}

function fieldToWire(field: Field, value: unknown, name: string): unknown {
  const nested = nestedFields(field);
  if (nested !== null) return fieldsToWire(nested, value, name);
  const codec = is(field, Column) ? codecOf(field) : EXPRESSION;
  const wire = codec.toWire(value);
  if (wire === undefined) throw refusal(name, codec.value, value);
  return wire;
}

/** An SQL expression of a view: what it gives is known by looking at it. */
const EXPRESSION: Pick<WireCodec, "value" | "wire" | "toWire" | "fromWire"> = {
  value: "a value with a form in JSON",
  wire: "nothing, as an expression cannot be written",
  toWire: (value) =>
    BIGINT.toWire(value) ??
    DATE.toWire(value) ??
    BYTES.toWire(value) ??
    (isJson(value) ? value : undefined),
  fromWire: () => undefined,
};

function entriesOf(values: unknown, name: string): [string, unknown][] {
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return Object.entries(values).filter(([, value]) => value !== undefined);
  }
  throw refusal(name, "an object of columns", values);
}

function fieldAt(fields: Fields, key: string, name: string): Field {
  const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (field !== undefined) return field;
  throw new StorageError("INVALID_ARGUMENT", `"${name}" has no column "${key}"`, {
    hint: `Its columns are ${Object.keys(fields).join(", ")}`,
    details: { table: name, column: key },
  });
}

/** Names the kind of what was given, not the value: it may be a secret. */
function refusal(name: string, expected: string, given: unknown): StorageError {
  const kind = given === null || typeof given !== "object" ? typeof given : given.constructor?.name;
  return new StorageError(
    "INVALID_ARGUMENT",
    `"${name}" takes ${expected}, not this ${kind ?? "object"}`,
    {
      details: { column: name, expected },
    },
  );
}
