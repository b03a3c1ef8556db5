import {
  type BuildQueryConfig,
  Column,
  type DrizzleConfig,
  entityKind,
  is,
  SQL,
} from "drizzle-orm";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { casingOf, decodingColumn, jsonArrayArguments } from "./drizzle-internals.ts";
import { wantsExactIntegers } from "./int64.ts";
import { nestedColumn } from "./relational-columns.ts";
import { decodeWith } from "./row-plan.ts";
import { SqlWriter } from "./sql-writer.ts";

type RelationalParameters = Parameters<SQLiteSyncDialect["buildRelationalQuery"]>[0];
type RelationalQuery = ReturnType<SQLiteSyncDialect["buildRelationalQuery"]>;
type QueryWithTypings = ReturnType<SQLiteSyncDialect["sqlToQuery"]>;

/** Drizzle's SQLite dialect with a faster writer, and relations whose values arrive unharmed. */
export class HonkerSQLiteDialect extends SQLiteSyncDialect {
  static override readonly [entityKind]: string = "HonkerSQLiteDialect";
  readonly #config: BuildQueryConfig;
  /** Relational queries whose integers must be read as bigint. */
  readonly #exact = new WeakSet<object>();

  constructor(config: Pick<DrizzleConfig, "casing"> = {}) {
    super(config.casing === undefined ? {} : { casing: config.casing });
    this.#config = {
      casing: casingOf(this),
      escapeName: this.escapeName,
      escapeParam: this.escapeParam,
      escapeString: this.escapeString,
    };
  }

  override sqlToQuery(query: SQL, invokeSource?: "indexes"): QueryWithTypings {
    if (invokeSource !== undefined) return super.sqlToQuery(query, invokeSource);
    return new SqlWriter(this.#config).write(query, this.#exact.has(query));
  }

  override buildRelationalQuery(parameters: RelationalParameters): RelationalQuery {
    const built = super.buildRelationalQuery(parameters);
    return parameters.nestedQueryRelation === undefined ? this.#topLevel(built) : nested(built);
  }

  #topLevel(built: RelationalQuery): RelationalQuery {
    const exact = built.selection.some(
      ({ field, isJson }) => !isJson && is(field, Column) && wantsExactIntegers(field),
    );
    if (exact) this.#exact.add(built.sql);
    const selection = built.selection.map((item) => {
      if (item.isJson || !is(item.field, Column)) return item;
      const decode = decodeWith(item.field, exact, [item.tsKey]) ?? same;
      return { ...item, field: decodingColumn(item.field, decode) };
    });
    return { ...built, selection };
  }
}

/** Lets the values of a relation survive the JSON that carries them; see {@link nestedColumn}. */
function nested(built: RelationalQuery): RelationalQuery {
  const values = is(built.sql, SQL) ? jsonArrayArguments(built.sql) : undefined;
  const selection = built.selection.map((item, index) => {
    if (item.isJson || !is(item.field, Column)) return item;
    const { select, decode } = nestedColumn(item.field, `${built.tableTsKey}.${item.tsKey}`);
    // every second chunk is a comma
    if (select !== undefined && values !== undefined) values[index * 2] = select(values[index * 2]);
    return { ...item, field: decodingColumn(item.field, decode) };
  });
  return { ...built, selection };
}

function same(value: unknown): unknown {
  return value;
}
