import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
  fromWire,
  toWire,
} from "@alkdev/storage/sqlite";
import {
  type Static,
  type TBigInt,
  type TDate,
  type TInteger,
  type TLiteral,
  type TNull,
  type TNumber,
  type TOptional,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  Type,
} from "@sinclair/typebox";
import type { SQLiteTable, SQLiteView } from "drizzle-orm/sqlite-core";
import { describe, expectTypeOf, it } from "vitest";
import { declaredView, everyKind, everyKindView } from "./tables/every-kind.ts";

/** Optional properties of Drizzle's models also take `undefined`; those of a schema do not. */
type Exact<T> = {
  [Key in keyof T]: undefined extends T[Key] ? Exclude<T[Key], undefined> : T[Key];
};
/** Resolves a type, so that equal ones compare as equal. */
type Flat<T> = { [Key in keyof T]: T[Key] };

type Row = typeof everyKind.$inferSelect;
type Insert = typeof everyKind.$inferInsert;

const select = createSelectSchema(everyKind);
const insert = createInsertSchema(everyKind);
const update = createUpdateSchema(everyKind);

describe("types of table schemas (M27)", () => {
  it("select is the row, column by column", () => {
    type Selected = Static<typeof select>;
    expectTypeOf<keyof Selected>().toEqualTypeOf<keyof Row>();
    expectTypeOf<Selected>().toEqualTypeOf<Row>();
  });

  it("insert is what may be inserted, and can be handed to Drizzle", () => {
    type Inserted = Static<typeof insert>;
    expectTypeOf<keyof Inserted>().toEqualTypeOf<keyof Insert>();
    expectTypeOf<Required<Inserted>>().toEqualTypeOf<Flat<Required<Exact<Insert>>>>();
    expectTypeOf<Inserted>().toExtend<Insert>();
    expectTypeOf<Partial<Inserted>>().toEqualTypeOf<Static<typeof update>>();
    // @ts-expect-error what is required stays so
    ({}) satisfies Inserted;
    // @ts-expect-error generated columns cannot be written
    type _ = Inserted["stored"];
  });

  it("update is any part of it", () => {
    expectTypeOf<object>().toExtend<Static<typeof update>>();
    expectTypeOf<Static<typeof update>>().toExtend<Partial<Insert>>();
  });

  it("each column has the schema of its kind", () => {
    type Columns = (typeof select)["properties"];
    expectTypeOf<Columns["integer"]>().toEqualTypeOf<TInteger>();
    expectTypeOf<Columns["integerNull"]>().toEqualTypeOf<TUnion<[TInteger, TNull]>>();
    expectTypeOf<Columns["timestamp"]>().toEqualTypeOf<TDate>();
    expectTypeOf<Columns["real"]>().toEqualTypeOf<TNumber>();
    expectTypeOf<Columns["numericBigint"]>().toEqualTypeOf<TBigInt>();
    expectTypeOf<Columns["textEnum"]>().toEqualTypeOf<
      TUnion<[TLiteral<"red">, TLiteral<"green">, TLiteral<"blue">]>
    >();
    expectTypeOf<Columns["textEnumNull"]>().toEqualTypeOf<TUnion<[TLiteral<"only">, TNull]>>();
    expectTypeOf<Columns["textTyped"]>().toEqualTypeOf<TUnsafe<`id-${string}`>>();
    expectTypeOf<Columns["enumTyped"]>().toEqualTypeOf<TUnsafe<"red">>();
    expectTypeOf<Columns["blobBuffer"]>().toEqualTypeOf<TUnsafe<Buffer>>();
    type Writable = (typeof insert)["properties"];
    expectTypeOf<Writable["booleanDefault"]["static"]>().toEqualTypeOf<boolean>();
    expectTypeOf<Writable["textLength"]>().toEqualTypeOf<TOptional<TUnion<[TString, TNull]>>>();
  });

  it("of views: columns, expressions and nested selections", () => {
    const view = createSelectSchema(everyKindView);
    expectTypeOf<Static<typeof view>>().toEqualTypeOf<{
      id: number;
      timestampMs: Date | null;
      total: bigint;
      nested: { color: "red" | "green" | "blue"; bytes: Buffer };
    }>();
    expectTypeOf<Static<typeof view>>().toEqualTypeOf<typeof everyKindView.$inferSelect>();
    const declared = createSelectSchema(declaredView);
    expectTypeOf<Static<typeof declared>>().toEqualTypeOf<{ name: string; seen: Date | null }>();
    // @ts-expect-error a view cannot be written
    createInsertSchema(everyKindView);
  });
});

describe("types of refinements (M27)", () => {
  it("a schema takes the column's place, a function's result is wrapped", () => {
    const refined = createInsertSchema(everyKind, {
      text: Type.Literal("a"),
      integerNull: (schema) => {
        expectTypeOf(schema).toEqualTypeOf<TInteger>();
        return Type.Literal(7);
      },
      textLength: Type.String(),
    });
    type Refined = Static<typeof refined>;
    expectTypeOf<Refined["text"]>().toEqualTypeOf<"a">();
    expectTypeOf<Refined["integerNull"]>().toEqualTypeOf<7 | null | undefined>();
    expectTypeOf<Refined["textLength"]>().toEqualTypeOf<string>();
    expectTypeOf<Refined["real"]>().toEqualTypeOf<number>();
  });

  it("a column that does not exist is an error", () => {
    // @ts-expect-error no such column
    createSelectSchema(everyKind, { color: Type.String() });
    // @ts-expect-error no schema
    createSelectSchema(everyKind, { text: 5 });
  });

  it("a function gets the schema of the form that was asked for", () => {
    createSelectSchema(
      everyKind,
      {
        timestamp: (schema) => {
          expectTypeOf(schema).toEqualTypeOf<TString>();
          return schema;
        },
      },
      { wire: true },
    );
  });
});

describe("types of the wire form (M27)", () => {
  it("what is no JSON is a string, custom types are as they are stored", () => {
    const wire = createSelectSchema(everyKind, {}, { wire: true });
    type Wire = Static<typeof wire>;
    expectTypeOf<Wire["timestamp"]>().toEqualTypeOf<string>();
    expectTypeOf<Wire["timestampMs"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Wire["blobBuffer"]>().toEqualTypeOf<string>();
    expectTypeOf<Wire["blobBigint"]>().toEqualTypeOf<string>();
    expectTypeOf<Wire["int64Null"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Wire["words"]>().toEqualTypeOf<string>();
    expectTypeOf<Wire["day"]>().toEqualTypeOf<number | null>();
    expectTypeOf<Wire["point"]>().toEqualTypeOf<string>();
    expectTypeOf<Wire["textJsonTyped"]>().toEqualTypeOf<{
      readonly a: number;
      readonly b?: string;
    }>();
    expectTypeOf(toWire(everyKind, {} as Row)).toEqualTypeOf<Wire>();
  });

  it("back and forth keep the columns that were given", () => {
    const part = toWire(everyKind, { timestamp: new Date(), int64Null: null });
    expectTypeOf(part).toEqualTypeOf<{ timestamp: string; int64Null: string | null }>();
    const back = fromWire(everyKind, part);
    expectTypeOf(back).toEqualTypeOf<{ timestamp: Date; int64Null: bigint | null }>();
    const wireInsert = createInsertSchema(everyKind, {}, { wire: true });
    const values = fromWire(everyKind, {} as Static<typeof wireInsert>);
    expectTypeOf(values).toExtend<Insert>();
    // @ts-expect-error no such column
    toWire(everyKind, { timestamp: "2026-01-01T00:00:00Z" });
  });
});

describe("types of tables that are not known (M27)", () => {
  it("any table or view", () => {
    const rows = createSelectSchema(everyKind as SQLiteTable);
    expectTypeOf<Static<typeof rows>>().toExtend<object>();
    const any = createSelectSchema(everyKindView as SQLiteTable | SQLiteView, {}, { wire: true });
    expectTypeOf<Static<typeof any>>().toExtend<object>();
    const written = createInsertSchema(everyKind as SQLiteTable, { text: Type.String() });
    expectTypeOf<Static<typeof written>>().toExtend<object>();
    expectTypeOf(toWire(everyKind as SQLiteTable, { a: 1 })).toExtend<object>();
    expectTypeOf(fromWire(everyKind as SQLiteTable, { a: 1 })).toExtend<object>();
  });

  it("a table of a generic function", () => {
    function insertSchema<T extends SQLiteTable>(table: T): TSchema {
      // as the schema of a table that is not known: that of each one would be computed without end
      return createInsertSchema<SQLiteTable>(table);
    }
    expectTypeOf(insertSchema(everyKind)).toEqualTypeOf<TSchema>();
  });
});
