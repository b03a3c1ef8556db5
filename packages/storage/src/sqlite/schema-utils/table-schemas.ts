import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Column, is } from "drizzle-orm";
import { SQLiteTable, type SQLiteView } from "drizzle-orm/sqlite-core";
import { StorageError } from "../../errors.ts";
import { columnSchema } from "./column-schema.ts";
import { type Entity, type Field, type Fields, nestedFields, readEntity } from "./fields.ts";
import type {
  FieldsOf,
  Refinements,
  RefinementsGiven,
  RowSchema,
  SchemaKind,
} from "./table-types.ts";
import { wireCodec } from "./wire-codec.ts";

/** In which form rows are described. */
export interface SchemaOptions<Wire extends boolean = boolean> {
  /**
   * True: as they travel as JSON (moments as ISO 8601 strings in UTC, bigints as decimal strings, bytes as
   * base64), for schemas that are published; see `toWire`. Default false: as Drizzle gives and takes them.
   */
  readonly wire?: Wire;
}

type None = Record<never, never>;

/**
 * The TypeBox schema of rows as they are read. Columns that may be null are united with it. Objects are
 * closed: a property that is no column does not fit.
 *
 * `refine` sets schemas by property name: a schema takes the column's place as it is, a function gets the
 * column's schema and returns a narrower one.
 *
 * @throws StorageError `INVALID_ARGUMENT` for something that is no table or view, and for a refinement of
 * a column that does not exist
 * @example
 * ```ts
 * const SelectUser = createSelectSchema(users, { email: (schema) => Type.Unsafe<string>({ ...schema, minLength: 3 }) });
 * Value.Check(SelectUser, db.select().from(users).get());
 * ```
 */
export function createSelectSchema<
  E extends SQLiteTable | SQLiteView,
  const Refine extends Refinements<FieldsOf<E>, Wire> = None,
  Wire extends boolean = false,
>(
  entity: E,
  refine?: RefinementsGiven<Refine, FieldsOf<E>, Wire>,
  options?: SchemaOptions<Wire>,
): RowSchema<"select", FieldsOf<E>, Refine, Wire> {
  return rowSchema(readEntity(entity), { kind: "select", refine, options }) as never;
}

/**
 * The TypeBox schema of rows as they are inserted: like {@link createSelectSchema}, columns with a default
 * and those that may be null optional, columns that are always generated left out.
 *
 * @throws StorageError `INVALID_ARGUMENT`, also for a view and for a refinement of a generated column
 * @example
 * ```ts
 * const InsertUser = createInsertSchema(users);
 * if (Value.Check(InsertUser, input)) db.insert(users).values(input).run();
 * ```
 */
export function createInsertSchema<
  E extends SQLiteTable,
  const Refine extends Refinements<FieldsOf<E>, Wire> = None,
  Wire extends boolean = false,
>(
  table: E,
  refine?: RefinementsGiven<Refine, FieldsOf<E>, Wire>,
  options?: SchemaOptions<Wire>,
): RowSchema<"insert", FieldsOf<E>, Refine, Wire> {
  return rowSchema(readTable(table), { kind: "insert", refine, options }) as never;
}

/**
 * The TypeBox schema of changes to a row: like {@link createInsertSchema} with every column optional.
 *
 * @throws StorageError `INVALID_ARGUMENT`, also for a view and for a refinement of a generated column
 */
export function createUpdateSchema<
  E extends SQLiteTable,
  const Refine extends Refinements<FieldsOf<E>, Wire> = None,
  Wire extends boolean = false,
>(
  table: E,
  refine?: RefinementsGiven<Refine, FieldsOf<E>, Wire>,
  options?: SchemaOptions<Wire>,
): RowSchema<"update", FieldsOf<E>, Refine, Wire> {
  return rowSchema(readTable(table), { kind: "update", refine, options }) as never;
}

type Refinement = TSchema | ((schema: TSchema) => TSchema);

interface RowOptions {
  readonly kind: SchemaKind;
  readonly refine: Readonly<Record<string, unknown>> | undefined;
  readonly options: SchemaOptions | undefined;
}

function readTable(table: unknown): Entity {
  if (is(table, SQLiteTable)) return readEntity(table);
  throw new StorageError("INVALID_ARGUMENT", "only a Drizzle table of SQLite can be written to", {
    hint: "For a view use createSelectSchema",
  });
}

function rowSchema(entity: Entity, { kind, refine = {}, options = {} }: RowOptions): TObject {
  const writable = (field: Field | undefined): boolean =>
    field !== undefined && (kind === "select" || !isAlwaysGenerated(field));
  for (const [key, refinement] of Object.entries(refine)) {
    checkRefinement(refinement, `"${key}" of "${entity.name}"`);
    const field = Object.hasOwn(entity.fields, key) ? entity.fields[key] : undefined;
    if (writable(field)) continue;
    throw new StorageError(
      "INVALID_ARGUMENT",
      field === undefined
        ? `"${entity.name}" has no column "${key}" that could be refined`
        : `the column "${key}" of "${entity.name}" is generated, it cannot be written`,
      {
        hint: `Name one of ${Object.keys(entity.fields).join(", ")}`,
        details: { table: entity.name, column: key },
      },
    );
  }
  const properties: Record<string, TSchema> = {};
  for (const [key, field] of Object.entries(entity.fields)) {
    if (!writable(field)) continue;
    properties[key] = fieldSchema(field, {
      kind,
      wire: options.wire === true,
      refinement: Object.hasOwn(refine, key) ? (refine[key] as Refinement | undefined) : undefined,
    });
  }
  return Type.Object(properties, { additionalProperties: false });
}

function checkRefinement(refinement: unknown, what: string): void {
  if (refinement === undefined || typeof refinement === "function") return;
  if (typeof refinement === "object" && refinement !== null) return;
  throw new StorageError(
    "INVALID_ARGUMENT",
    `the refinement of ${what} is ${String(refinement)}, not a schema nor a function`,
  );
}

function isAlwaysGenerated(field: Field): boolean {
  return is(field, Column) && field.generated !== undefined && field.generated.type !== "byDefault";
}

interface FieldOptions {
  readonly kind: SchemaKind;
  readonly wire: boolean;
  readonly refinement: Refinement | undefined;
}

function fieldSchema(field: Field, { kind, wire, refinement }: FieldOptions): TSchema {
  if (typeof refinement === "object") return refinement;
  if (!is(field, Column)) {
    const nested = nestedFields(field);
    return nested === null ? Type.Unknown() : nestedSchema(nested, wire);
  }
  const base = wire ? wireCodec(field).schema : columnSchema(field);
  const refined = refinement === undefined ? base : refinement(base);
  const nullable = field.notNull ? refined : Type.Union([refined, Type.Null()]);
  const optional = kind === "update" || (kind === "insert" && (!field.notNull || field.hasDefault));
  return optional ? Type.Optional(nullable) : nullable;
}

function nestedSchema(fields: Fields, wire: boolean): TSchema {
  const properties = Object.entries(fields).map(([key, field]) => [
    key,
    fieldSchema(field, { kind: "select", wire, refinement: undefined }),
  ]);
  return Type.Object(Object.fromEntries(properties), { additionalProperties: false });
}
