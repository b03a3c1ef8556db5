import {
  type ObjectOptions,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  Type,
} from "@sinclair/typebox";
import { getTableName, type SQL } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import {
  createInsertSchema,
  createSelectSchema,
  createUpdateSchema,
} from "../schema-utils/table-schemas.ts";
import type { WireRow } from "../schema-utils/wire.ts";

/** A table of this package: its rows have an `id`. */
export type EntityTable = SQLiteTable & { readonly id: SQLiteColumn };

/** What is not a column and still part of a row, read by an expression. */
export interface ComputedField<Schema extends TSchema = TSchema> {
  readonly schema: Schema;
  /** Its value, as SQL over the table. */
  readonly sql: SQL;
}

type ComputedFields = Readonly<Record<string, ComputedField>>;
type Columns<Table extends EntityTable> = keyof Table["$inferSelect"] & string;

/** What {@link defineTable} makes a definition from. */
export interface TableOptions<
  Table extends EntityTable,
  Create extends Columns<Table>,
  Update extends Columns<Table>,
  Hidden extends Columns<Table>,
  Computed extends ComputedFields,
  Extra extends TProperties,
  Keys extends readonly (readonly Columns<Table>[])[],
> {
  /** What one row is, for descriptions: `an account`. */
  readonly noun: string;
  /** Columns that `create` takes. */
  readonly create: readonly Create[];
  /** Columns that `update` takes. */
  readonly update: readonly Update[];
  /** Columns that are never read, filtered by or sorted by. */
  readonly hidden?: readonly Hidden[];
  /** Unique keys beside `id` by which a row is found. */
  readonly keys?: Keys;
  /** Schemas of written values that are narrower than what the columns take. */
  readonly refine?: Readonly<Partial<Record<Columns<Table>, TSchema>>>;
  readonly computed?: Computed;
  /** Properties that `create` takes beside the columns. */
  readonly createExtra?: Extra;
  /** Whether `update` takes the revision that was read. */
  readonly revisions?: true;
}

/** The values of a table's operations, as they travel as JSON. */
export interface TableTypes<Row = unknown, Create = unknown, Changes = unknown, Key = unknown> {
  readonly key: Key;
  readonly row: Row;
  readonly create: Create;
  readonly changes: Changes;
}

/** A table as operations see it: what a row is, what creates and what changes one. */
export interface TableDefinition<
  Name extends string = string,
  Types extends TableTypes = TableTypes,
> {
  /** Name of the table in the database, and namespace of its operations. */
  readonly name: Name;
  readonly noun: string;
  readonly table: EntityTable;
  readonly row: TObject;
  readonly create: TObject;
  readonly changes: TObject;
  readonly keys: readonly (readonly string[])[];
  readonly computed: ComputedFields;
  readonly revisions: boolean;
  /** Types only, there is no value. */
  readonly types?: Types;
}

/** A row as the operations of a table return it. */
export type RowOf<Definition extends TableDefinition> = NonNullable<Definition["types"]>["row"];
/** What `create` of a table takes. */
export type CreateOf<Definition extends TableDefinition> = NonNullable<
  Definition["types"]
>["create"];
/** What `update` of a table changes. */
export type ChangesOf<Definition extends TableDefinition> = NonNullable<
  Definition["types"]
>["changes"];

/** By what `find` of a table finds a row. */
export type KeyOf<Definition extends TableDefinition> = NonNullable<Definition["types"]>["key"];

type KeyValues<Key extends readonly string[]> = Key extends unknown
  ? { readonly [Name in Key[number]]: string }
  : never;

type RowValues<Table extends EntityTable, Hidden, Computed extends ComputedFields> = {
  readonly [Key in Exclude<keyof WireRow<Table>, Hidden>]: WireRow<Table>[Key];
} & { readonly [Key in keyof Computed]: Static<Computed[Key]["schema"]> };

/** Columns that an insert may leave out, and those that it may not. */
type CreateValues<Table extends EntityTable, Keys, Extra extends TProperties> = {
  readonly [Key in keyof WireRow<Table> as Key extends Keys
    ? Key extends RequiredOf<Table["$inferInsert"]>
      ? Key
      : never
    : never]: WireRow<Table>[Key];
} & {
  readonly [Key in keyof WireRow<Table> as Key extends Keys
    ? Key extends RequiredOf<Table["$inferInsert"]>
      ? never
      : Key
    : never]?: WireRow<Table>[Key];
} & Static<TObject<Extra>>;

type RequiredOf<Insert> = {
  [Key in keyof Insert]-?: undefined extends Insert[Key] ? never : Key;
}[keyof Insert];

type ChangeValues<Table extends EntityTable, Keys> = {
  readonly [Key in keyof WireRow<Table> as Key extends Keys ? Key : never]?: WireRow<Table>[Key];
};

/** Describes the operations of a table; the schemas are those of its columns. */
export function defineTable<
  Table extends EntityTable,
  const Create extends Columns<Table>,
  const Update extends Columns<Table>,
  const Hidden extends Columns<Table> = never,
  Computed extends ComputedFields = Record<never, never>,
  Extra extends TProperties = Record<never, never>,
  const Keys extends readonly (readonly Columns<Table>[])[] = [],
>(
  table: Table,
  options: TableOptions<Table, Create, Update, Hidden, Computed, Extra, Keys>,
): TableDefinition<
  Table["_"]["name"],
  TableTypes<
    RowValues<Table, Hidden, Computed>,
    CreateValues<Table, Create, Extra>,
    ChangeValues<Table, Update>,
    KeyValues<["id"] | Keys[number]>
  >
> {
  const wire = { wire: true } as const;
  const plain: EntityTable = table;
  const hidden: readonly string[] = options.hidden ?? [];
  const computed: ComputedFields = options.computed ?? {};
  // as functions, so that null and absence stay as the column has them
  const narrower = (options.refine ?? {}) as Readonly<Record<string, TSchema>>;
  const refine = mapValues(narrower, (schema) => () => schema);
  const selected = propertiesOf(createSelectSchema(plain, undefined, wire));
  const insert = propertiesOf(createInsertSchema(plain, pickOf(refine, options.create), wire));
  const update = propertiesOf(createUpdateSchema(plain, pickOf(refine, options.update), wire));
  const shown = Object.keys(selected).filter((key) => !hidden.includes(key));
  return {
    name: getTableName(plain) as Table["_"]["name"],
    noun: options.noun,
    table,
    row: closed({ ...pickOf(selected, shown), ...mapValues(computed, ({ schema }) => schema) }),
    create: closed({ ...pickOf(insert, options.create), ...options.createExtra }),
    changes: closed(pickOf(update, options.update), { minProperties: 1 }),
    keys: options.keys ?? [],
    computed,
    revisions: options.revisions === true,
  };
}

/** An object with these properties and no others. */
export function closed<Properties extends TProperties>(
  properties: Properties,
  options: ObjectOptions = {},
): TObject<Properties> {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

function propertiesOf(schema: unknown): TProperties {
  return (schema as TObject).properties;
}

function pickOf<T>(
  values: Readonly<Record<string, T>>,
  keys: readonly string[],
): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
}

function mapValues<A, B>(
  values: Readonly<Record<string, A>>,
  map: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
