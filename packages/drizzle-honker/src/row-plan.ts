import { HonkerError } from "@alkdev/honker";
import {
  type Decoder,
  decoderOf,
  decodesNothing,
  type NotNullTables,
  type SelectedField,
  tableOfColumn,
} from "./drizzle-internals.ts";
import { wantsExactIntegers } from "./int64.ts";

/** A positional row as SQLite gives it. */
export type RawRow = readonly unknown[];

/** Decodes one value; `undefined` where the value is used as it comes. */
export type Decode = ((value: unknown) => unknown) | undefined;

/** How the objects of a result are built: one entry per key, in the order of the selection. */
export type RowShape = ReadonlyMap<string, number | NestedShape>;

/** A nested object, such as one table of a join. */
export interface NestedShape {
  readonly shape: RowShape;
  /** When the values at all these positions are null, the whole object is: an outer join without a match. */
  readonly nullWhen: readonly number[] | undefined;
}

/** What a mapper needs to know about a query. */
export interface RowPlan {
  readonly shape: RowShape;
  readonly decoders: readonly Decode[];
  /** Whether the statement must be run with integers as bigint. */
  readonly exactIntegers: boolean;
}

/** Works out where each value of a row goes and how it is decoded. */
export function planRows(
  fields: readonly SelectedField[],
  notNull: NotNullTables | undefined,
): RowPlan {
  const decoders = fields.map(({ field }) => decoderOf(field));
  const exactIntegers = decoders.some(wantsExactIntegers);
  return {
    shape: shapeOf(fields, notNull),
    decoders: decoders.map((decoder, index) =>
      decodeWith(decoder, exactIntegers, (fields[index] as SelectedField).path),
    ),
    exactIntegers,
  };
}

/**
 * How values that come from `decoder`'s column are decoded, in a statement whose integers are bigints
 * when `exactIntegers`. `path` names the column in errors.
 */
export function decodeWith(
  decoder: Decoder,
  exactIntegers: boolean,
  path: readonly string[],
): Decode {
  const decode: Decode = decodesNothing(decoder)
    ? undefined
    : (value) => decoder.mapFromDriverValue(value);
  if (!exactIntegers || wantsExactIntegers(decoder)) return decode;
  return (value) => {
    const number = typeof value === "bigint" ? toNumber(value, path) : value;
    return decode === undefined ? number : decode(number);
  };
}

function toNumber(value: bigint, path: readonly string[]): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw unsafeInteger(path.join("."), `${value}`);
}

/** The error of an integer that a JavaScript number would round. */
export function unsafeInteger(column: string, value: string, cause?: unknown): HonkerError {
  return new HonkerError(
    "UNSAFE_INTEGER",
    `column "${column}" holds ${value}, which a JavaScript number cannot hold exactly`,
    {
      hint: "Declare the column with int64() of drizzle-honker to read it as a bigint",
      details: { column, value },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** A shape that is still being filled. */
type Draft = Map<string, number | NestedShape>;

function shapeOf(fields: readonly SelectedField[], notNull: NotNullTables | undefined): RowShape {
  const root: Draft = new Map();
  const groups = nullableObjects(fields, notNull);
  fields.forEach(({ path }, index) => {
    let node = root;
    for (const [depth, key] of path.slice(0, -1).entries()) {
      const found = node.get(key);
      if (typeof found === "object") {
        node = found.shape as Draft;
        continue;
      }
      const shape: Draft = new Map();
      node.set(key, { shape, nullWhen: depth === 0 ? groups.get(key) : undefined });
      node = shape;
    }
    node.set(path[path.length - 1] as string, index);
  });
  return root;
}

/**
 * Positions of the columns of each object `{ [name]: { …columns of one table } }` whose table may have
 * no row. Drizzle decides by the first column alone and so drops rows whose first column happens to
 * be NULL; here all columns must be.
 */
function nullableObjects(
  fields: readonly SelectedField[],
  notNull: NotNullTables | undefined,
): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, readonly number[]>();
  if (notNull === undefined) return groups;
  const tables = new Map<string, string | undefined>();
  fields.forEach(({ path, field }, index) => {
    const table = tableOfColumn(field);
    if (table === undefined || path.length !== 2) return;
    const name = path[0] as string;
    if (!tables.has(name)) tables.set(name, table);
    else if (tables.get(name) !== table) tables.set(name, undefined);
    groups.set(name, [...(groups.get(name) ?? []), index]);
  });
  for (const [name, table] of tables) {
    if (table === undefined || notNull[table] === true) groups.delete(name);
  }
  return groups;
}
