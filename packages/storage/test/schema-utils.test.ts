import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
  isJson,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { drizzle } from "drizzle-honker";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { CREATE_EVERY_KIND, declaredView, everyKind, everyKindView } from "./tables/every-kind.ts";

const SOME: typeof everyKind.$inferInsert = {
  integer: 1,
  boolean: true,
  timestamp: new Date(1_000),
  real: 0.5,
  numericNumber: 7,
  numericBigint: 2n ** 60n,
  text: "",
  textEnum: "red",
  textTyped: "id-1",
  enumTyped: "red",
  textJsonTyped: { a: 1 },
  blobBuffer: Buffer.from([0, 255]),
  blobBigint: 2n ** 100n,
  blobJson: ["a"],
  int64: -(2n ** 63n),
  words: new Set(["a", "b"]),
  point: [1, 2, 3],
};

function checksAlike(schema: TObject, value: unknown): boolean {
  const fits = Value.Check(schema, value);
  expect(TypeCompiler.Compile(schema).Check(value)).toBe(fits);
  return fits;
}

describe("table schemas (M27): what they refuse", () => {
  const select = (table: SQLiteTable): TSchema => createSelectSchema(table);
  const writers = [
    (table: SQLiteTable): TSchema => createInsertSchema(table),
    (table: SQLiteTable): TSchema => createUpdateSchema(table),
  ];

  test.each([
    ["null", null as unknown],
    ["undefined", undefined],
    ["a string", "accounts"],
    ["an object of columns", { id: everyKind.id }],
    ["a column", everyKind.id],
  ])("%s for a table", (_what, given) => {
    for (const create of [select, ...writers]) {
      expect(() => create(given as SQLiteTable)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
  });

  test("writing to a view", () => {
    for (const create of writers) {
      expect(() => create(everyKindView as unknown as SQLiteTable)).toThrow(/createSelectSchema/);
    }
  });

  test.each([
    ["a column that does not exist", "color", Type.String()],
    ["a property every object has", "constructor", Type.String()],
    ["the name in the database of no property", "every_kind", (schema: unknown) => schema],
    ["a refinement that is a string", "text", "string"],
    ["a refinement that is null", "text", null],
  ])("%s", (_what, key, refinement) => {
    expect(() =>
      createSelectSchema<SQLiteTable>(everyKind, { [key]: refinement } as never),
    ).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(new RegExp(`"${key}".*"every_kind"|"every_kind".*"${key}"`)),
      }),
    );
  });

  test("a refinement of a generated column, except of what is read", () => {
    const refine = { stored: Type.String() };
    expect(() => createInsertSchema<SQLiteTable>(everyKind, refine as never)).toThrow(/generated/);
    expect(() => createUpdateSchema<SQLiteTable>(everyKind, refine as never)).toThrow(/generated/);
    expect(createSelectSchema(everyKind, refine).properties.stored).toBe(refine.stored);
  });
});

describe("table schemas (M27): columns", () => {
  const json = [
    ["a string", "x", true],
    ["false", false, true],
    ["an array", [1, null, { a: [] }], true],
    ["a property that is undefined", { a: undefined }, true],
    ["NaN below", [Number.NaN], false],
    ["a Date below", { at: new Date() }, false],
    ["a bigint below", { a: [1n] }, false],
    ["undefined in an array", [undefined], false],
    ["a Map", new Map(), false],
    ["bytes", Buffer.from("x"), false],
  ] as const;
  const circle: unknown[] = [];
  circle.push(circle);

  test.each([
    ["integer", "a whole number", 5, true],
    ["integer", "a fraction", 5.5, false],
    ["integer", "2^53", 2 ** 53, false],
    ["integer", "2^53 - 1", 2 ** 53 - 1, true],
    ["integer", "a bigint", 5n, false],
    ["integer", "null", null, false],
    ["integerNull", "null", null, true],
    ["boolean", "1", 1, false],
    ["boolean", "false", false, true],
    ["timestamp", "a date", new Date(), true],
    ["timestamp", "an invalid date", new Date(Number.NaN), false],
    ["timestamp", "seconds", 1, false],
    ["timestampMs", "null", null, true],
    ["real", "2^100", 2 ** 100, true],
    ["real", "NaN", Number.NaN, false],
    ["real", "Infinity", Number.POSITIVE_INFINITY, false],
    ["numeric", "a text", "1.10", true],
    ["numeric", "a number", 1.1, false],
    ["numericNumber", "a fraction", 1.5, true],
    ["numericNumber", "2^53, which could not be read again", 2 ** 53, false],
    ["numericBigint", "2^63 - 1", 2n ** 63n - 1n, true],
    ["numericBigint", "2^63", 2n ** 63n, false],
    ["text", "an empty string", "", true],
    ["text", "null", null, false],
    ["textLength", "five characters", "abcde", true],
    ["textLength", "six characters", "abcdef", false],
    ["textEnum", "one of them", "blue", true],
    ["textEnum", "another", "pink", false],
    ["textEnum", "one of them in other case", "Blue", false],
    ["textEnumNull", "null", null, true],
    ["blobBuffer", "a Buffer", Buffer.alloc(0), true],
    ["blobBuffer", "a Uint8Array", new Uint8Array(3), true],
    ["blobBuffer", "a string", "00", false],
    ["blobBigint", "2^200", 2n ** 200n, true],
    ["blobBigint", "a number", 1, false],
    ["int64", "-2^63", -(2n ** 63n), true],
    ["int64", "-2^63 - 1", -(2n ** 63n) - 1n, false],
    ["int64", "a number", 1, false],
    ["int64Null", "null", null, true],
    ["words", "anything, as the type is custom", 5, true],
    ["words", "null, as the column may not be", null, false],
    ["day", "null", null, true],
    ["textJson", "null, as the column may be", null, true],
    ["textJsonTyped", "null, which would be NULL", null, false],
    ["textJsonTyped", "a circle", circle, false],
    ...json.map(([what, value, fits]) => ["textJsonTyped", what, value, fits] as const),
    ...json.map(([what, value, fits]) => ["blobJson", what, value, fits] as const),
  ] as const)("%s: %s", (key, _what, value, fits) => {
    const { properties } = createSelectSchema(everyKind);
    expect(Value.Check(properties[key], value)).toBe(fits);
    expect(TypeCompiler.Compile(properties[key]).Check(value)).toBe(fits);
  });

  test("JSON nested deeper than the stack is refused, one thousand levels are not", () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1;
      for (let level = 0; level < levels; level++) value = [value];
      return value;
    };
    expect([isJson(nested(1_000)), isJson(nested(1_000_000))]).toEqual([true, false]);
  });

  test("a value that occurs twice in JSON is no circle", () => {
    const twice = { a: 1 };
    expect(isJson([twice, twice])).toBe(true);
  });
});

describe("table schemas (M27): rows", () => {
  const select = createSelectSchema(everyKind);
  const insert = createInsertSchema(everyKind);
  const update = createUpdateSchema(everyKind);

  test("what fits can be inserted, and what is read fits", () => {
    const client = tempDatabase();
    client.execute(CREATE_EVERY_KIND);
    const db = drizzle(client);
    expect(checksAlike(insert, SOME)).toBe(true);
    const row = db.insert(everyKind).values(SOME).returning().get();
    expect(checksAlike(select, row)).toBe(true);
    expect(row).toMatchObject({ ...SOME, defaultFn: "made", stored: "", virtual: 2 });
    const changes = { textJson: { deep: [1] }, words: new Set(["c"]), day: new Date(86_400_000) };
    expect(checksAlike(update, changes)).toBe(true);
    const changed = db.update(everyKind).set(changes).returning().get();
    expect(changed).toMatchObject(changes);
  });

  test.each([
    ["select", select, { every: true }],
    ["insert", insert, { every: false }],
    ["update", update, { every: false }],
  ])("%s: no property that is no column", (_kind, schema, { every }) => {
    const row = every ? selected() : SOME;
    expect([checksAlike(schema, row), checksAlike(schema, { ...row, textt: "" })]).toEqual([
      true,
      false,
    ]);
  });

  test("select requires every column, also those that are null", () => {
    for (const key of Object.keys(select.properties)) {
      const { [key]: _left, ...rest } = selected();
      expect([key, Value.Check(select, rest)]).toEqual([key, false]);
    }
  });

  test("insert requires what has no default and may not be null, and has no generated columns", () => {
    expect([...(insert.required ?? [])].sort()).toEqual(Object.keys(SOME).sort());
    expect(insert.properties).not.toHaveProperty("stored");
    expect(insert.properties).not.toHaveProperty("virtual");
    expect(checksAlike(insert, { ...SOME, integerNull: null, numeric: undefined })).toBe(true);
    expect(checksAlike(insert, { ...SOME, booleanDefault: null })).toBe(false);
  });

  test("update requires nothing, null only where it may be", () => {
    expect(update.required).toBeUndefined();
    expect(checksAlike(update, {})).toBe(true);
    expect(checksAlike(update, { text: null })).toBe(false);
    expect(checksAlike(update, { textLength: null })).toBe(true);
    expect(checksAlike(update, { virtual: 1 })).toBe(false);
  });

  test.each([["null"], ["an array"], ["a string"]])("%s is no row", (what) => {
    const value = { null: null, "an array": [], "a string": "" }[what];
    expect(checksAlike(update, value)).toBe(false);
  });

  function selected(): Record<string, unknown> {
    const nulls = Object.keys(select.properties).map((key) => [key, null]);
    return {
      ...Object.fromEntries(nulls),
      ...SOME,
      id: 1,
      booleanDefault: false,
      onUpdate: new Date(),
      defaultFn: "",
      virtual: 2,
    };
  }
});

describe("table schemas (M27): refinements", () => {
  test("a schema takes the column's place as it is", () => {
    const own = Type.String({ minLength: 1 });
    const schema = createInsertSchema(everyKind, { textLength: own });
    expect(schema.properties.textLength).toBe(own);
    expect(schema.required).toContain("textLength");
  });

  test("a function gets the column's schema, its result is wrapped as the column asks", () => {
    const schema = createUpdateSchema(everyKind, {
      textLength: (column) => Type.String({ maxLength: column.maxLength ?? 0, minLength: 2 }),
      integer: (column) => Type.Integer({ ...column, minimum: 0 }),
    });
    const fits = (value: unknown) => Value.Check(schema, value);
    expect([fits({ textLength: null }), fits({})]).toEqual([true, true]);
    expect([fits({ textLength: "a" }), fits({ textLength: "abcdef" })]).toEqual([false, false]);
    expect([fits({ integer: 0 }), fits({ integer: -1 }), fits({ integer: 2 ** 53 })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("undefined refines nothing", () => {
    const schema = createSelectSchema<SQLiteTable>(everyKind, { text: undefined } as never);
    expect(Value.Check(schema.properties.text as TSchema, "x")).toBe(true);
  });

  test("one schema can be refined and composed further", () => {
    const part = Type.Pick(createSelectSchema(everyKind), ["id", "textEnum"]);
    expect(Value.Check(part, { id: 1, textEnum: "red" })).toBe(true);
    expect(Value.Check(part, { id: 1, textEnum: "pink" })).toBe(false);
  });
});

describe("table schemas (M27): views", () => {
  test("columns, expressions and nested selections", () => {
    const client = tempDatabase();
    client.execute(CREATE_EVERY_KIND);
    client.execute(
      `CREATE VIEW every_kind_view AS SELECT id, "timestampMs", 1 + 1 AS total,
         "textEnum", "blobBuffer" FROM every_kind`,
    );
    const db = drizzle(client);
    db.insert(everyKind)
      .values({ ...SOME, timestampMs: new Date(1) })
      .run();
    const row = db.select().from(everyKindView).get();
    const schema = createSelectSchema(everyKindView);
    expect(checksAlike(schema, row)).toBe(true);
    expect(checksAlike(schema, { ...row, nested: { ...row?.nested, color: "pink" } })).toBe(false);
    expect(checksAlike(schema, { ...row, id: null })).toBe(false);
  });

  test("a declared view", () => {
    const schema = createSelectSchema(declaredView, {
      name: (name) => Type.String({ ...name, minLength: 1 }),
    });
    expect(Value.Check(schema, { name: "x", seen: null })).toBe(true);
    expect(Value.Check(schema, { name: "", seen: null })).toBe(false);
  });
});
