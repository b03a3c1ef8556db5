import {
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from "@sinclair/typebox";
import { closed, type RowOf, type TableDefinition } from "./table-definition.ts";

/** Rows of a page where nothing is said. */
export const DEFAULT_LIMIT = 50;
const MOST_ROWS = 500;
const MOST_VALUES = 500;
const MOST_SORTED = 3;
const LONGEST_PATTERN = 256;

/**
 * What must hold for a column; several of them all. `ne` also holds for null, the others do not. `like` is
 * SQL's: `%` any text, `_` any character, `\` before one that stands for itself, letters of any case.
 */
export type ColumnFilter<Value> = {
  readonly eq?: NonNullable<Value>;
  readonly ne?: NonNullable<Value>;
  readonly in?: readonly NonNullable<Value>[];
} & (null extends Value ? { readonly isNull?: boolean } : unknown) &
  (NonNullable<Value> extends boolean
    ? unknown
    : {
        readonly lt?: NonNullable<Value>;
        readonly lte?: NonNullable<Value>;
        readonly gt?: NonNullable<Value>;
        readonly gte?: NonNullable<Value>;
      } & (NonNullable<Value> extends string ? { readonly like?: string } : unknown));

/** Columns that hold one text, number or boolean; not those that hold JSON. */
type Scalar<Row> = {
  [Key in keyof Row & string]: NonNullable<Row[Key]> extends string | number | boolean
    ? Key
    : never;
}[keyof Row & string];

/** What `list` takes: which rows, in which order, which part of them. */
export interface ListInput<Row> {
  /** Conditions by column, all of which must hold. */
  readonly filter?: { readonly [Key in Scalar<Row>]?: ColumnFilter<Row[Key]> };
  /** At most three columns. Default: by `id`; those made here sort by creation. Null comes first. */
  readonly sort?: readonly {
    readonly column: Scalar<Row>;
    /** Default `asc`. */
    readonly direction?: "asc" | "desc";
  }[];
  /** Most rows of the page: 1 to 500. Default 50. */
  readonly limit?: number;
  /** The `cursor` of the page before, with the same sort. Default: the first page. */
  readonly cursor?: string;
}

/** A page of a list. */
export interface ListOutput<Row> {
  readonly items: readonly Row[];
  /** Pass it as `cursor` to get the next page; null after the last. */
  readonly cursor: string | null;
}

/** The schema of what `list` takes. */
export function listInputSchema<Definition extends TableDefinition>(
  definition: Definition,
): TUnsafe<ListInput<RowOf<Definition>>> {
  const filters: TProperties = {};
  for (const [key, schema] of Object.entries(definition.row.properties)) {
    const filter = filterSchema(schema);
    if (filter !== null) filters[key] = Type.Optional(filter);
  }
  const column = Type.Union(Object.keys(filters).map((key) => Type.Literal(key)));
  const direction = Type.Union([Type.Literal("asc"), Type.Literal("desc")]);
  return Type.Unsafe(
    closed({
      filter: Type.Optional(closed(filters)),
      sort: Type.Optional(
        Type.Array(closed({ column, direction: Type.Optional(direction) }), {
          minItems: 1,
          maxItems: MOST_SORTED,
        }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MOST_ROWS, default: DEFAULT_LIMIT }),
      ),
      cursor: Type.Optional(Type.String({ minLength: 1 })),
    }),
  );
}

/** The schema of a page. */
export function listOutputSchema<Definition extends TableDefinition>({
  row,
}: Definition): TUnsafe<ListOutput<RowOf<Definition>>> {
  return Type.Unsafe(
    closed({ items: Type.Array(row), cursor: Type.Union([Type.String(), Type.Null()]) }),
  );
}

/** The conditions that a column's values allow; null for JSON, which has no order and no equality here. */
function filterSchema(schema: TSchema): TObject | null {
  const value = withoutNull(schema);
  const kinds = new Set(
    (value.anyOf === undefined ? [value] : (value.anyOf as TSchema[])).map(
      (part) => part.type as string | undefined,
    ),
  );
  const [type, ...others] = kinds;
  if (others.length > 0 || type === undefined) return null;
  if (!["string", "number", "integer", "boolean"].includes(type)) return null;
  const one = Type.Optional(value);
  const many = Type.Array(value, { minItems: 1, maxItems: MOST_VALUES });
  return closed(
    {
      eq: one,
      ne: one,
      in: Type.Optional(many),
      ...(value === schema ? {} : { isNull: Type.Optional(Type.Boolean()) }),
      ...(type === "boolean" ? {} : { lt: one, lte: one, gt: one, gte: one }),
      ...(type === "string"
        ? { like: Type.Optional(Type.String({ maxLength: LONGEST_PATTERN })) }
        : {}),
    },
    { minProperties: 1 },
  );
}

function withoutNull(schema: TSchema): TSchema {
  const all = schema.anyOf as readonly TSchema[] | undefined;
  const parts = all?.filter(({ type }) => type !== "null");
  if (parts === undefined || parts.length === all?.length) return schema;
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Type.Union([...parts]);
}
