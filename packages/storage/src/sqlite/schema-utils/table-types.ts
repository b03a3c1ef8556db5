import type {
  Static,
  TBigInt,
  TBoolean,
  TDate,
  TInteger,
  TLiteral,
  TNull,
  TNumber,
  TObject,
  TOptional,
  TSchema,
  TString,
  TUnion,
  TUnsafe,
  Union,
} from "@sinclair/typebox";
import type { Column, Equal, SQL, Table } from "drizzle-orm";
import type { SQLiteTable, SQLiteView } from "drizzle-orm/sqlite-core";

/** What a schema is of: rows as they are read, written anew, or changed. */
export type SchemaKind = "select" | "insert" | "update";

/** The columns of a table, or what a view selects, by property name. */
export type FieldsOf<Entity extends SQLiteTable | SQLiteView> = Entity extends SQLiteTable
  ? Entity["_"]["columns"]
  : Entity extends SQLiteView
    ? Entity["_"]["selectedFields"]
    : never;

/** The schema of a column's values, null aside: as Drizzle has them, or as they travel as JSON. */
export type ColumnSchema<C extends Column, Wire extends boolean = false> = Wire extends true
  ? WireColumnSchema<C["_"]>
  : Fitting<PlainColumnSchema<C["_"]>, C["_"]["data"]>;

/**
 * Refinements by property name. A schema takes the column's place as it is, `null` and optionality
 * included; a function is given the column's schema, and what it returns is wrapped as the column asks.
 */
export type Refinements<Fields, Wire extends boolean> = {
  readonly [Key in keyof Fields]?:
    | TSchema
    | (Fields[Key] extends Column ? (schema: ColumnSchema<Fields[Key], Wire>) => TSchema : never);
};

/** Refinements as an argument: functions know their parameter, and a column that is not there is an error. */
export type RefinementsGiven<Given, Fields, Wire extends boolean> = Given &
  Refinements<Fields, Wire> & { readonly [Key in Exclude<keyof Given, keyof Fields>]: never };

/** The TypeBox schema of a table's or view's rows. */
export type RowSchema<
  Kind extends SchemaKind,
  Fields,
  Refine = unknown,
  Wire extends boolean = false,
> = TObject<{
  -readonly [Key in keyof Fields as IsLeftOut<Kind, Fields[Key]> extends true
    ? never
    : Key & string]: FieldSchema<Kind, Fields[Key], RefinementOf<Refine, Key>, Wire>;
}>;

type ConfigOf = Column["_"];

type PlainColumnSchema<C extends ConfigOf> = C["dataType"] extends "string"
  ? TextSchema<C["enumValues"]>
  : C["dataType"] extends "number"
    ? C["columnType"] extends "SQLiteInteger"
      ? TInteger
      : TNumber
    : C["dataType"] extends "boolean"
      ? TBoolean
      : C["dataType"] extends "date"
        ? TDate
        : C["dataType"] extends "bigint"
          ? TBigInt
          : TUnsafe<C["data"]>;

/** Columns of an enum carry a tuple, others the widest one there is. */
type TextSchema<Values> = [string, ...string[]] extends Values
  ? TString
  : Values extends [string, ...string[]]
    ? Union<{ [Index in keyof Values]: TLiteral<Values[Index] & string> }>
    : TString;

/** A column given another type with `$type` has that type, whatever is checked at run time. */
type Fitting<Schema extends TSchema, Data> =
  Equal<Static<Schema>, Data> extends true ? Schema : TUnsafe<Data>;

type WireColumnSchema<C extends ConfigOf> = C["dataType"] extends "date" | "bigint" | "buffer"
  ? TString
  : C["dataType"] extends "custom"
    ? TUnsafe<WireValue<C["driverParam"]>>
    : Fitting<PlainColumnSchema<C>, C["data"]>;

/** What becomes of a value on its way to JSON. */
export type WireValue<T> = T extends bigint | Uint8Array | Date ? string : T;

type IsLeftOut<Kind extends SchemaKind, Field> = Kind extends "select"
  ? false
  : Field extends Column
    ? undefined extends Field["_"]["generated"]
      ? false
      : Field["_"]["generated"] extends { type: "byDefault" }
        ? false
        : true
    : false;

type RefinementOf<Refine, Key> = Key extends keyof Refine ? Refine[Key] : undefined;

type FieldSchema<
  Kind extends SchemaKind,
  Field,
  Refinement,
  Wire extends boolean,
> = Refinement extends TSchema
  ? Refinement
  : Field extends Column
    ? Wrapped<Kind, Field["_"], Refined<Refinement, ColumnSchema<Field, Wire>>>
    : ExpressionSchema<Field, Wire>;

/** What a function makes of a column's schema. */
type Refined<Refinement, Base extends TSchema> = Refinement extends (schema: never) => infer Result
  ? Result extends TSchema
    ? Result
    : Base
  : Base;

type ExpressionSchema<Field, Wire extends boolean> = Field extends
  | SQL<infer T>
  | SQL.Aliased<infer T>
  ? TUnsafe<Wire extends true ? WireValue<T> : T>
  : NestedSchema<Field extends Table ? Field["_"]["columns"] : Field, Wire>;

/** Selections nest once, so this does: a type that called itself could not be computed for any table. */
type NestedSchema<Fields, Wire extends boolean> = TObject<{
  -readonly [Key in keyof Fields & string]: Fields[Key] extends Column
    ? Nullable<Fields[Key]["_"], ColumnSchema<Fields[Key], Wire>>
    : Fields[Key] extends SQL<infer T> | SQL.Aliased<infer T>
      ? TUnsafe<Wire extends true ? WireValue<T> : T>
      : TSchema;
}>;

type Wrapped<
  Kind extends SchemaKind,
  C extends ConfigOf,
  Schema extends TSchema,
> = Kind extends "select"
  ? Nullable<C, Schema>
  : Kind extends "update"
    ? TOptional<Nullable<C, Schema>>
    : C["notNull"] extends true
      ? C["hasDefault"] extends true
        ? TOptional<Schema>
        : Schema
      : TOptional<Nullable<C, Schema>>;

type Nullable<C extends ConfigOf, Schema extends TSchema> = C["notNull"] extends true
  ? Schema
  : TUnion<[Schema, TNull]>;
