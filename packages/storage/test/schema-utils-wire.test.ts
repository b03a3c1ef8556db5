import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
  fromWire,
  toWire,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { Value } from "@sinclair/typebox/value";
import { Ajv } from "ajv";
import { drizzle } from "drizzle-honker";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  COLORS,
  CREATE_EVERY_KIND,
  declaredView,
  everyKind,
  everyKindView,
} from "./tables/every-kind.ts";

const table: SQLiteTable = everyKind;

const select = createSelectSchema(everyKind, {}, { wire: true });
const insert = createInsertSchema(everyKind, {}, { wire: true });
const update = createUpdateSchema(everyKind, {}, { wire: true });

/** As it arrives at the other side. */
function sent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Compiled from what JSON leaves of the schema, as another program would. */
function compiled(schema: unknown): (value: unknown) => boolean {
  const validate = new Ajv({ strict: true, strictTypes: true }).compile(sent(schema) as object);
  return (value) => validate(value) as boolean;
}

describe("wire form (M27): what it refuses", () => {
  test.each([
    ["a property that is no column", { color: "red" }],
    ["a property every object has", { constructor: 1 }],
    ["a date as a number", { timestamp: 5 }],
    ["an invalid date", { timestamp: new Date(Number.NaN) }],
    ["NaN", { real: Number.NaN }],
    ["Infinity", { numericNumber: Number.POSITIVE_INFINITY }],
    ["a number for a bigint", { blobBigint: 1 }],
    ["a bigint of more than 64 bits", { int64: 2n ** 63n }],
    ["a string for bytes", { blobBuffer: "00" }],
    ["a Date inside JSON", { textJson: [new Date()] }],
    ["a bigint for an integer", { integer: 1n }],
    ["a string for a boolean", { boolean: "true" }],
  ])("toWire: %s", (_what, row) => {
    expect(() => toWire(table, row)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  test.each([
    ["a property that is no column", { color: "red" }],
    ["a moment without a zone", { timestamp: "2026-01-01T00:00:00" }],
    ["a moment in another zone", { timestamp: "2026-01-01T00:00:00+01:00" }],
    ["the 30th of February", { timestamp: "2026-02-30T00:00:00Z" }],
    ["the 13th month", { timestamp: "2026-13-01T00:00:00Z" }],
    ["hour 24", { timestamp: "2026-01-01T24:00:00Z" }],
    ["microseconds", { timestamp: "2026-01-01T00:00:00.000001Z" }],
    ["a date without a time", { timestamp: "2026-01-01" }],
    ["year minus zero", { timestamp: "-000000-01-01T00:00:00Z" }],
    ["a moment beyond what dates hold", { timestamp: "+999999-01-01T00:00:00Z" }],
    ["seconds", { timestamp: 1_700_000_000 }],
    ["a number for a bigint", { int64: 1 }],
    ["a fraction for a bigint", { int64: "1.5" }],
    ["an empty bigint", { blobBigint: "" }],
    ["a hexadecimal bigint", { blobBigint: "0x10" }],
    ["leading zeros", { blobBigint: "007" }],
    ["minus zero", { blobBigint: "-0" }],
    ["2^63", { int64: "9223372036854775808" }],
    ["a bigint of a million digits", { int64: "9".repeat(1_000_000) }],
    ["base64 without padding", { blobBuffer: "AA" }],
    ["base64 with a line break", { blobBuffer: "AAAA\nAAAA" }],
    ["base64 in the alphabet of addresses", { blobBuffer: "-_-_" }],
    ["base64 with bits left over", { blobBuffer: "AB==" }],
    ["an object for bytes", { blobBuffer: { type: "Buffer", data: [] } }],
    ["a string for a number", { real: "1" }],
    ["a fraction for a custom integer", { day: 1.5 }],
    ["a number for a custom text", { words: 5 }],
    ["a date for a custom blob", { point: "2026-01-01" }],
  ])("fromWire: %s", (_what, values) => {
    expect(() => fromWire(table, values)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  test.each([
    ["null", null],
    ["an array", []],
    ["a string", "row"],
    ["undefined", undefined],
  ])("%s for a row", (_what, row) => {
    expect(() => toWire(table, row as never)).toThrow(/takes an object of columns/);
    expect(() => fromWire(table, row as never)).toThrow(/takes an object of columns/);
  });

  test("names the column and what it takes, never the value", () => {
    expect(() => fromWire(table, { int64: "secret" })).toThrow(
      '"every_kind.int64" takes an integer of at most 64 bits as a decimal string, not this string',
    );
  });
});

describe("wire form (M27): values", () => {
  test.each([
    ["timestamp", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["timestamp", new Date(-62_198_755_200_000), "-000001-01-01T00:00:00.000Z"],
    ["timestamp", new Date(8.64e15), "+275760-09-13T00:00:00.000Z"],
    ["blobBigint", -(2n ** 100n), "-1267650600228229401496703205376"],
    ["int64", -(2n ** 63n), "-9223372036854775808"],
    ["numericBigint", 0n, "0"],
    ["blobBuffer", Buffer.from([0, 255]), "AP8="],
    ["blobBuffer", Buffer.alloc(0), ""],
    ["words", new Set(["b", "a"]), "a b"],
    ["day", new Date(86_400_000), 1],
    ["point", [1, 2, 3], "AACAPwAAAEAAAEBA"],
    ["textJson", { a: [null] }, { a: [null] }],
    ["textJson", null, null],
    ["virtual", 5, 5],
  ])("%s: %s is %s", (key, value, wire) => {
    expect(toWire(table, { [key]: value })).toEqual({ [key]: wire });
    expect(fromWire(table, { [key]: wire })).toEqual({ [key]: value });
  });

  test("the fraction of a moment may be left out", () => {
    expect(fromWire(everyKind, { timestamp: "2026-01-31T12:00:00Z" })).toEqual({
      timestamp: new Date(Date.UTC(2026, 0, 31, 12)),
    });
    expect(fromWire(everyKind, { timestamp: "2026-01-31T12:00:00.5Z" })).toEqual({
      timestamp: new Date(Date.UTC(2026, 0, 31, 12, 0, 0, 500)),
    });
  });

  test("undefined is left out", () => {
    expect(toWire(table, { text: undefined, integer: 1 })).toEqual({ integer: 1 });
    expect(fromWire(table, { text: undefined, integer: 1 })).toEqual({ integer: 1 });
  });

  test("10 MB of bytes", () => {
    const bytes = Buffer.alloc(10_000_000, "x");
    const wire = toWire(everyKind, { blobBuffer: bytes });
    expect(Value.Check(update, wire)).toBe(true);
    expect(compiled(update)(wire)).toBe(true);
    expect(fromWire(everyKind, wire).blobBuffer.equals(bytes)).toBe(true);
  });

  test("a view: columns, expressions by what they are, nested selections", () => {
    const row = {
      id: 1,
      timestampMs: new Date(1),
      total: 2n,
      nested: { color: "red", bytes: Buffer.from("a") },
    } as const;
    const wire = toWire(everyKindView, row);
    expect(wire).toEqual({
      id: 1,
      timestampMs: "1970-01-01T00:00:00.001Z",
      total: "2",
      nested: { color: "red", bytes: "YQ==" },
    });
    expect(compiled(createSelectSchema(everyKindView, {}, { wire: true }))(wire)).toBe(true);
    expect(toWire(declaredView, { name: "x", seen: null })).toEqual({ name: "x", seen: null });
    expect(() => toWire(everyKindView, { nested: { shape: 1 } } as never)).toThrow(/nested/);
  });
});

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const json = fc.jsonValue().map((value) => sent(value));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0);
const date = fc.date({ noInvalidDate: true });
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

/** Rows as they may be inserted. */
const rows = fc.record({
  // the virtual column is one more
  integer: fc.maxSafeInteger().filter((n) => n < Number.MAX_SAFE_INTEGER),
  integerNull: nullable(fc.maxSafeInteger()),
  boolean: fc.boolean(),
  booleanDefault: fc.boolean(),
  timestamp: date,
  timestampMs: nullable(date),
  onUpdate: date,
  real: number,
  numeric: nullable(fc.string()),
  numericNumber: number.filter((n) => Math.abs(n) < 2 ** 53),
  numericBigint: int64,
  text: fc.string({ unit: "binary" }),
  textLength: nullable(fc.string({ maxLength: 5, unit: "grapheme-ascii" })),
  textEnum: fc.constantFrom(...COLORS),
  textEnumNull: nullable(fc.constant("only")),
  textTyped: fc.string().map((text) => `id-${text}` as const),
  enumTyped: fc.constant("red" as const),
  defaultFn: fc.string(),
  textJson: json,
  textJsonTyped: fc.record({ a: number, b: fc.string() }),
  blobBuffer: bytes,
  blobDefaultMode: nullable(bytes),
  blobBigint: fc.bigInt(),
  blobJson: fc.array(fc.string()),
  int64,
  int64Null: nullable(int64),
  words: fc.uniqueArray(fc.stringMatching(/^[a-z]+$/)).map((list) => new Set(list.sort())),
  day: nullable(fc.integer({ min: -1e6, max: 1e6 }).map((days) => new Date(days * 86_400_000))),
  point: fc.tuple(...Array.from({ length: 3 }, () => fc.float({ noNaN: true }).map((n) => n || 0))),
});

describe("wire form (M27): there and back", () => {
  const fitsSelect = compiled(select);
  const fitsInsert = compiled(insert);
  const fitsUpdate = compiled(update);

  test("every value of every kind of column comes back as it was, and fits its schema", () => {
    fc.assert(
      fc.property(rows, (row) => {
        const wire = sent(toWire(table, row));
        expect(fromWire(table, wire as never)).toEqual(row);
        expect([fitsInsert(wire), fitsUpdate(wire)]).toEqual([true, true]);
        expect([Value.Check(insert, wire), Value.Check(update, wire)]).toEqual([true, true]);
      }),
      { numRuns: 500 },
    );
  });

  test("through the database: what is read travels, and comes back as it was read", () => {
    const client = tempDatabase();
    client.execute(CREATE_EVERY_KIND);
    const db = drizzle(client);
    fc.assert(
      fc.property(rows, (row) => {
        // a numeric column keeps a text that reads as a number as that number
        const values = fromWire(everyKind, sent(toWire(table, { ...row, numeric: null })) as never);
        const read = db.insert(everyKind).values(values).returning().get();
        const wire = sent(toWire(everyKind, read));
        expect([fitsSelect(wire), Value.Check(select, wire)]).toEqual([true, true]);
        expect(fromWire(table, wire as never)).toEqual(read);
      }),
      { numRuns: 200 },
    );
  });

  test("schemas are plain JSON Schema: nothing is lost when they are sent", () => {
    for (const schema of [select, insert, update]) {
      expect(JSON.stringify(schema)).not.toMatch(/\$ref|\$id|"format"|Date|BigInt/);
      expect(Object.keys((sent(schema) as typeof schema).properties)).toEqual(
        Object.keys(schema.properties),
      );
    }
    expect(fitsInsert({})).toBe(false);
    expect(fitsUpdate({ text: "x", color: "red" })).toBe(false);
    expect(fitsUpdate({ textJsonTyped: null })).toBe(false);
  });
});
