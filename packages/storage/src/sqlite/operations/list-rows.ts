import { and, asc, Column, desc, is, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { type SQLiteColumn, SQLiteTimestamp } from "drizzle-orm/sqlite-core";
import { type Position, pageOf, readCursor } from "../graph-store/paging.ts";
import { fromWire } from "../schema-utils/wire.ts";
import { DEFAULT_LIMIT, type ListInput, type ListOutput } from "./list-schema.ts";
import { type AnyDatabase, presentRow, type RawRow, rowFields } from "./row-fields.ts";
import type { TableDefinition } from "./table-definition.ts";

interface Sorted {
  readonly key: string;
  readonly field: Column | SQL;
  readonly descending: boolean;
}

type Conditions = Readonly<Record<string, unknown>>;

/**
 * One page of a table's rows.
 *
 * @throws StorageError `INVALID_ARGUMENT` for a cursor of another list, and for a text that is no moment
 */
export function listRows(
  db: AnyDatabase,
  definition: TableDefinition,
  input: ListInput<Record<string, unknown>>,
): ListOutput<unknown> {
  const { limit = DEFAULT_LIMIT } = input;
  const order = orderOf(definition, input.sort);
  const list = `${definition.name} ${order.map(({ key, descending }) => (descending ? `-${key}` : key)).join(" ")}`;
  const position = readCursor(input.cursor, { list, length: order.length });
  const rows = db
    .select({ ...rowFields(definition) })
    .from(definition.table)
    .where(
      and(
        ...filterOf(definition, input.filter),
        position === null ? undefined : after(order, position),
      ),
    )
    .orderBy(...order.map(({ field, descending }) => (descending ? desc(field) : asc(field))))
    .limit(limit + 1)
    .all() as RawRow[];
  const page = pageOf(rows, limit, {
    list,
    at: (row) => order.map(({ key, field }) => driverValue(field, row[key])),
  });
  return { items: page.items.map((row) => presentRow(definition, row)), cursor: page.cursor };
}

/** The columns to sort by, at last `id`, so that no two rows are equal. */
function orderOf(
  definition: TableDefinition,
  sort: ListInput<Record<string, unknown>>["sort"] = [],
): readonly Sorted[] {
  const fields = rowFields(definition);
  const asked = sort.map(({ column, direction }) => ({
    key: column,
    field: fields[column] as SQLiteColumn | SQL,
    descending: direction === "desc",
  }));
  const last = asked.at(-1)?.descending ?? false;
  return [...asked, { key: "id", field: definition.table.id, descending: last }];
}

/** The rows behind a position: later in the first column, or equal in it and later in the next, and so on. */
function after(order: readonly Sorted[], position: readonly Position[]): SQL | undefined {
  const alternatives: (SQL | undefined)[] = [];
  const equal: SQL[] = [];
  for (const [i, { field, descending }] of order.entries()) {
    const value = position[i] ?? null;
    const later = descending ? before(field, value) : behind(field, value);
    if (later !== null) alternatives.push(and(...equal, later));
    equal.push(sql`${field} IS ${value}`);
  }
  return or(...alternatives);
}

/** SQLite sorts null before everything else. */
function behind(field: Column | SQL, value: Position): SQL {
  return value === null ? isNotNull(field) : sql`${field} > ${value}`;
}

function before(field: Column | SQL, value: Position): SQL | null {
  return value === null ? null : (or(sql`${field} < ${value}`, isNull(field)) as SQL);
}

const OPERATORS: Readonly<Record<string, (field: Column | SQL, value: Position) => SQL>> = {
  eq: (field, value) => sql`${field} = ${value}`,
  ne: (field, value) => sql`${field} IS NOT ${value}`,
  lt: (field, value) => sql`${field} < ${value}`,
  lte: (field, value) => sql`${field} <= ${value}`,
  gt: (field, value) => sql`${field} > ${value}`,
  gte: (field, value) => sql`${field} >= ${value}`,
};

function filterOf(definition: TableDefinition, filter: object = {}): SQL[] {
  const fields = rowFields(definition);
  return Object.entries(filter as Readonly<Record<string, Conditions | undefined>>).flatMap(
    ([key, conditions = {}]) => {
      const field = fields[key] as SQLiteColumn | SQL;
      const bound = (wire: unknown): Position => {
        if (!is(field, Column)) return wire as Position;
        return driverValue(
          field,
          fromWire(definition.table, { [key]: wire } as never)[key as never],
        );
      };
      return Object.entries(conditions)
        .filter(([, value]) => value !== undefined)
        .map(([operator, value]) => condition(field, { operator, value, bound }));
    },
  );
}

interface Asked {
  readonly operator: string;
  readonly value: unknown;
  /** A value as it travels to a value as SQLite has it. */
  readonly bound: (wire: unknown) => Position;
}

function condition(field: Column | SQL, { operator, value, bound }: Asked): SQL {
  switch (operator) {
    case "isNull":
      return value === true ? isNull(field) : isNotNull(field);
    case "like":
      return sql`${field} LIKE ${value} ESCAPE '\\'`;
    case "in": {
      const values = (value as readonly unknown[]).map((one) => sql`${bound(one)}`);
      return sql`${field} IN (${sql.join(values, sql`, `)})`;
    }
    default:
      return (OPERATORS[operator] as NonNullable<(typeof OPERATORS)[string]>)(field, bound(value));
  }
}

/**
 * A value as SQLite compares it. A moment keeps its fraction of a second, which the column would cut off:
 * "before 12:00:00.5" includes 12:00:00.
 */
function driverValue(field: Column | SQL, value: unknown): Position {
  if (value === null || value === undefined) return null;
  if (is(field, SQLiteTimestamp) && value instanceof Date) {
    return field.mode === "timestamp" ? value.getTime() / 1_000 : value.getTime();
  }
  return (is(field, Column) ? field.mapToDriverValue(value) : value) as Position;
}
