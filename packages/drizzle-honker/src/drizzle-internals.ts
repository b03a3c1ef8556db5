/**
 * Every reach into what Drizzle does not publish, for drizzle-orm 0.45. Each function names the
 * member it relies on; `test/drizzle-internals.test.ts` says which of them a new version moved.
 */
import {
  type BuildQueryConfig,
  Column,
  getTableName,
  is,
  noopDecoder,
  Param,
  Placeholder,
  type QueryPromise,
  SQL,
  type SQLChunk,
  StringChunk,
  Subquery,
  Table,
  type View,
  ViewBaseConfig,
} from "drizzle-orm";
import {
  type BaseSQLiteDatabase,
  type SQLiteColumn,
  SQLiteCustomColumn,
  type SQLiteSyncDialect,
} from "drizzle-orm/sqlite-core";

/** Turns a value of the driver into one of the application. */
export interface Decoder {
  mapFromDriverValue(value: unknown): unknown;
}

/** Where one selected value comes from and goes to. */
export interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
}

/** Which tables of a query always have a row, by name or alias. */
export type NotNullTables = Readonly<Record<string, boolean>>;

interface TableSymbols {
  readonly Schema: symbol;
  readonly IsAlias: symbol;
  readonly Columns: symbol;
}

/** `Table.Symbol` */
const symbols = (Table as unknown as { readonly Symbol: TableSymbols }).Symbol;

function read(object: object, key: PropertyKey): unknown {
  return (object as Record<PropertyKey, unknown>)[key];
}

/** `table[Table.Symbol.Schema]` */
export function schemaOf(table: Table): string | undefined {
  return read(table, symbols.Schema) as string | undefined;
}

/** `table[Table.Symbol.IsAlias]` */
export function isAliased(table: Table): boolean {
  return read(table, symbols.IsAlias) === true;
}

/** `view[ViewBaseConfig]` */
export function viewConfig(view: View): { schema?: string; name: string; isAlias: boolean } {
  return read(view, ViewBaseConfig) as { schema?: string; name: string; isAlias: boolean };
}

/** `column.keyAsName`: the column has no name of its own, so that the casing decides. */
export function namedByKey(column: Column): boolean {
  return read(column, "keyAsName") === true;
}

/** `sql.shouldInlineParams` */
export function inlinesParams(query: SQL): boolean {
  return read(query, "shouldInlineParams") === true;
}

/** `dialect.casing` */
export function casingOf(dialect: SQLiteSyncDialect): BuildQueryConfig["casing"] {
  return read(dialect, "casing") as BuildQueryConfig["casing"];
}

/** `db.session` */
export function sessionOf<S>(db: object): S {
  return read(db, "session") as S;
}

/**
 * The decoder of a selected field: the column itself, `sql.decoder`, `aliased.sql.decoder` or
 * `subquery._.sql.decoder`.
 */
export function decoderOf(field: unknown): Decoder {
  if (is(field, Column)) return field;
  if (is(field, SQL)) return read(field, "decoder") as Decoder;
  if (is(field, Subquery)) return read(field._.sql, "decoder") as Decoder;
  return read(read(field as object, "sql") as object, "decoder") as Decoder;
}

/** Whether a decoder gives every value back as it is, so that calling it can be left out. */
export function decodesNothing(decoder: Decoder): boolean {
  return (
    decoder === noopDecoder || decoder.mapFromDriverValue === Column.prototype.mapFromDriverValue
  );
}

/** `column.mapFrom`: the `fromDriver` of a column made with `customType()`. */
export function customDecoder(column: unknown): unknown {
  return is(column, SQLiteCustomColumn) ? read(column, "mapFrom") : undefined;
}

/** `query.joinsNotNullableMap`, which the select builder sets after it has prepared a query. */
export function notNullTables(query: object): NotNullTables | undefined {
  return read(query, "joinsNotNullableMap") as NotNullTables | undefined;
}

/** Name or alias of the table of a selected column; `undefined` for anything but a column. */
export function tableOfColumn(field: unknown): string | undefined {
  return is(field, Column) ? getTableName(field.table) : undefined;
}

/** A parameter that is only known when the query runs. */
export interface PlaceholderParam {
  readonly name: string;
  /** Set where the value belongs to a column. */
  readonly encode: ((value: unknown) => unknown) | undefined;
}

/** `placeholder.name`, or that of the placeholder inside `param.value` with `param.encoder`. */
export function placeholderParam(param: unknown): PlaceholderParam | undefined {
  if (is(param, Placeholder)) return { name: param.name, encode: undefined };
  if (!is(param, Param) || !is(param.value, Placeholder)) return undefined;
  const { encoder } = param;
  return { name: param.value.name, encode: (value) => encoder.mapToDriverValue(value) };
}

/**
 * A query of the builder, which runs when it is awaited. Selects only have the methods of
 * `QueryPromise`, so it is known by `_prepare` and `then`.
 */
export function isQuery(value: unknown): value is QueryPromise<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof read(value, "_prepare") === "function" &&
    typeof read(value, "then") === "function"
  );
}

/** `query._prepare()`: what the builder runs. */
export function prepared<P extends object>(query: object): P {
  const prepare = read(query, "_prepare") as ((oneTime: boolean) => P) | undefined;
  if (typeof prepare !== "function") {
    throw new TypeError("this is not a query of the builder: pass one that was not run yet");
  }
  return prepare.call(query, true);
}

/** `count.sql`, the statement behind `$count`. */
export function countStatement(count: object): SQL {
  return read(count, "sql") as SQL;
}

/** A column that decodes otherwise, for `selection[].field` of a relational query. */
export function decodingColumn(column: Column, decode: (value: unknown) => unknown): SQLiteColumn {
  return Object.create(column, { mapFromDriverValue: { value: decode } }) as SQLiteColumn;
}

/**
 * The arguments of the `json_array(…)` that a nested relational query selects, separators included:
 * value, comma, value, …
 */
export function jsonArrayArguments(query: SQL): SQLChunk[] | undefined {
  const { queryChunks } = query;
  const [first, list] = queryChunks;
  if (is(first, StringChunk) && first.value[0] === "json_array(" && is(list, SQL)) {
    return list.queryChunks;
  }
  for (const chunk of queryChunks) {
    const found = is(chunk, SQL) ? jsonArrayArguments(chunk) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Lets `execute` answer selects that are awaited: `select().from()` gets an `execute()` of its own, which
 * is what awaiting calls. `.all()` and `.get()` are synchronous and stay as they are.
 */
export function cacheSelects(
  db: Pick<BaseSQLiteDatabase<"sync", unknown>, "select" | "selectDistinct" | "with">,
  execute: (query: object) => Promise<unknown>,
): void {
  const wrap = (start: (...args: never[]) => object): ((...args: never[]) => object) => {
    return (...args) => {
      const builder = start(...args) as { from(source: unknown): object };
      const from = builder.from.bind(builder);
      builder.from = (source) => {
        const query = from(source);
        return Object.assign(query, { execute: () => execute(query) });
      };
      return builder;
    };
  };
  const { with: withCtes } = db;
  Object.assign(db, {
    select: wrap(db.select.bind(db)),
    selectDistinct: wrap(db.selectDistinct.bind(db)),
    with: (...ctes: Parameters<typeof withCtes>) => {
      const started = withCtes.apply(db, ctes);
      const { select, selectDistinct } = started;
      return { ...started, select: wrap(select), selectDistinct: wrap(selectDistinct) };
    },
  });
}
